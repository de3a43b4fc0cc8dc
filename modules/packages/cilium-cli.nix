{ lib, ... }:

import ../release.nix { inherit lib; } {
  name = "cilium";
  description = "Installs and examines Cilium on Kubernetes";
  homepage = "https://cilium.io";
  licence = "Apache-2.0";
  versions = [
    "v0.16.22"
    "v0.16.20"
  ];
  release =
    { version, arch, ... }:
    let
      url = "https://github.com/cilium/cilium-cli/releases/download/${version}/cilium-linux-${arch}.tar.gz";
    in
    {
      inherit url;
      checksums = "${url}.sha256sum";
      bin = "cilium";
    };
}
