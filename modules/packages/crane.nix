{ lib, ... }:

import ../release.nix { inherit lib; } {
  name = "crane";
  description = "Looks at images in registries, and moves them";
  homepage = "https://github.com/google/go-containerregistry";
  licence = "Apache-2.0";
  versions = [
    "v0.20.2"
    "v0.20.1"
  ];
  release =
    { version, arch, ... }:
    let
      at = "https://github.com/google/go-containerregistry/releases/download/${version}";
      machine = if arch == "amd64" then "x86_64" else arch;
    in
    {
      url = "${at}/go-containerregistry_Linux_${machine}.tar.gz";
      checksums = "${at}/checksums.txt";
      bin = [
        "crane"
        "gcrane"
      ];
    };
}
