{ lib, ... }:

import ../release.nix { inherit lib; } {
  name = "kubecolor";
  description = "kubectl's output in colours";
  homepage = "https://kubecolor.github.io";
  licence = "MIT";
  versions = [
    "v0.5.0"
    "v0.4.0"
  ];
  release =
    {
      version,
      number,
      arch,
      ...
    }:
    let
      at = "https://github.com/kubecolor/kubecolor/releases/download/${version}";
    in
    {
      url = "${at}/kubecolor_${number}_linux_${arch}.tar.gz";
      checksums = "${at}/checksums.txt";
      bin = "kubecolor";
    };
}
