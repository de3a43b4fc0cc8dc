{ lib, ... }:

import ../release.nix { inherit lib; } {
  name = "dive";
  description = "Looks at the layers of an image";
  homepage = "https://github.com/wagoodman/dive";
  licence = "MIT";
  versions = [
    "v0.12.0"
  ];
  release =
    {
      version,
      number,
      arch,
      ...
    }:
    let
      at = "https://github.com/wagoodman/dive/releases/download/${version}";
    in
    {
      url = "${at}/dive_${number}_linux_${arch}.tar.gz";
      checksums = "${at}/dive_${number}_checksums.txt";
      bin = "dive";
    };
}
