{ lib, ... }:

import ../release.nix { inherit lib; } {
  name = "flux";
  description = "Continuous delivery from Git to Kubernetes";
  homepage = "https://fluxcd.io";
  licence = "Apache-2.0";
  versions = [
    "v2.4.0"
    "v2.3.0"
  ];
  release =
    {
      version,
      number,
      arch,
      ...
    }:
    let
      at = "https://github.com/fluxcd/flux2/releases/download/${version}";
    in
    {
      url = "${at}/flux_${number}_linux_${arch}.tar.gz";
      checksums = "${at}/flux_${number}_checksums.txt";
      bin = "flux";
    };
}
