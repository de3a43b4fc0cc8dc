{ lib, ... }:

import ../release.nix { inherit lib; } {
  name = "argocd";
  description = "Command of Argo CD";
  homepage = "https://argo-cd.readthedocs.io";
  licence = "Apache-2.0";
  versions = [
    "v2.13.3"
    "v2.13.2"
    "v2.12.7"
  ];
  release =
    { version, arch, ... }:
    let
      at = "https://github.com/argoproj/argo-cd/releases/download/${version}";
    in
    {
      url = "${at}/argocd-linux-${arch}";
      checksums = "${at}/cli_checksums.txt";
      bin.argocd = null;
    };
}
