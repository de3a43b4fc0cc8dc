{ lib, ... }:

import ../release.nix { inherit lib; } {
  name = "k9s";
  description = "Kubernetes clusters in a terminal";
  homepage = "https://k9scli.io";
  licence = "Apache-2.0";
  versions = [
    "v0.32.7"
    "v0.32.5"
    "v0.32.4"
  ];
  release =
    { version, arch, ... }:
    let
      at = "https://github.com/derailed/k9s/releases/download/${version}";
    in
    {
      url = "${at}/k9s_Linux_${arch}.tar.gz";
      checksums = "${at}/checksums.sha256";
      bin = "k9s";
    };
}
