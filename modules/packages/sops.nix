{ lib, ... }:

import ../release.nix { inherit lib; } {
  name = "sops";
  description = "Editor of encrypted files";
  homepage = "https://getsops.io";
  licence = "MPL-2.0";
  versions = [
    "v3.9.3"
    "v3.9.4"
    "v3.9.2"
  ];
  release =
    { version, arch, ... }:
    let
      at = "https://github.com/getsops/sops/releases/download/${version}";
    in
    {
      url = "${at}/sops-${version}.linux.${arch}";
      checksums = "${at}/sops-${version}.checksums.txt";
      bin.sops = null;
    };
}
