# The archive of all of Istio: the one of istioctl alone has no completions.
{ lib, ... }:

import ../release.nix { inherit lib; } {
  name = "istioctl";
  description = "Command of the Istio service mesh";
  homepage = "https://istio.io";
  licence = "Apache-2.0";
  versions = [
    "1.24.2"
    "1.24.1"
    "1.23.3"
  ];
  release =
    { version, arch, ... }:
    let
      url = "https://github.com/istio/istio/releases/download/${version}/istio-${version}-linux-${arch}.tar.gz";
    in
    {
      inherit url;
      checksums = "${url}.sha256";
      bin = "istio-${version}/bin/istioctl";
      files = {
        "share/bash-completion/completions/istioctl" = "istio-${version}/tools/istioctl.bash";
        "share/zsh/site-functions/_istioctl" = "istio-${version}/tools/_istioctl";
      };
    };
}
