{ lib, ... }:

import ../release.nix { inherit lib; } {
  name = "restic";
  description = "Encrypted backups";
  homepage = "https://restic.net";
  licence = "BSD-2-Clause";
  versions = [
    "v0.17.3"
    "v0.17.2"
    "v0.16.5"
  ];
  release =
    {
      version,
      number,
      arch,
      ...
    }:
    let
      at = "https://github.com/restic/restic/releases/download/${version}";
      program = "restic_${number}_linux_${arch}";
    in
    {
      url = "${at}/${program}.bz2";
      checksums = "${at}/SHA256SUMS";
      bin.restic = program;
    };
}
