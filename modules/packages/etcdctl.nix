{ lib, ... }:

import ../release.nix { inherit lib; } {
  name = "etcdctl";
  description = "Command of the etcd store";
  homepage = "https://etcd.io";
  licence = "Apache-2.0";
  versions = [
    "v3.5.17"
    "v3.5.16"
  ];
  release =
    { version, arch, ... }:
    let
      at = "https://github.com/etcd-io/etcd/releases/download/${version}";
      folder = "etcd-${version}-linux-${arch}";
    in
    {
      url = "${at}/${folder}.tar.gz";
      checksums = "${at}/SHA256SUMS";
      bin = [
        "${folder}/etcdctl"
        "${folder}/etcdutl"
      ];
    };
}
