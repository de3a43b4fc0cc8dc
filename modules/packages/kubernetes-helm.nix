{ lib, ... }:

import ../release.nix { inherit lib; } {
  name = "helm";
  description = "Package manager of Kubernetes";
  homepage = "https://helm.sh";
  licence = "Apache-2.0";
  versions = [
    "v3.16.4"
    "v3.17.0"
    "v3.16.3"
  ];
  release =
    { version, arch, ... }:
    let
      url = "https://get.helm.sh/helm-${version}-linux-${arch}.tar.gz";
    in
    {
      inherit url;
      checksums = "${url}.sha256sum";
      bin = "linux-${arch}/helm";
    };
}
