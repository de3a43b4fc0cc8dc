{ lib, ... }:

import ../release.nix { inherit lib; } {
  name = "kubectl";
  description = "Kubernetes' own command";
  homepage = "https://kubernetes.io/docs/reference/kubectl/";
  licence = "Apache-2.0";
  versions = [
    "v1.31.4"
    "v1.32.1"
    "v1.32.0"
    "v1.31.5"
    "v1.30.8"
  ];
  release =
    { version, arch, ... }:
    let
      at = "https://dl.k8s.io/release/${version}/bin/linux/${arch}";
    in
    {
      url = "${at}/kubectl";
      checksums = "${at}/kubectl.sha256";
      bin.kubectl = null;
    };
}
