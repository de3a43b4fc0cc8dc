{ lib, ... }:

import ../release.nix { inherit lib; } {
  name = "velero";
  description = "Backups of Kubernetes clusters";
  homepage = "https://velero.io";
  licence = "Apache-2.0";
  versions = [
    "v1.15.1"
    "v1.15.0"
  ];
  release =
    { version, arch, ... }:
    let
      at = "https://github.com/vmware-tanzu/velero/releases/download/${version}";
      folder = "velero-${version}-linux-${arch}";
    in
    {
      url = "${at}/${folder}.tar.gz";
      checksums = "${at}/CHECKSUM";
      bin = "${folder}/velero";
    };
}
