# One program for all: it looks at the name that it is called by. `kubectl` is a package of its own.
{ lib, ... }:

let
  release = import ../release.nix { inherit lib; };

  versions = [
    "v1.31.4+k3s1"
    "v1.32.1+k3s1"
    "v1.32.0+k3s1"
    "v1.31.5+k3s1"
    "v1.30.8+k3s1"
  ];

  homepage = "https://k3s.io";
  licence = "Apache-2.0";

  at =
    version:
    "https://github.com/k3s-io/k3s/releases/download/${lib.replaceStrings [ "+" ] [ "%2B" ] version}";

  # For `services.k3s.images`.
  airgapImages = release {
    name = "k3s-airgap-images";
    description = "Images of k3s' own components, for hosts without a registry";
    inherit versions homepage licence;
    release =
      { version, arch, ... }:
      {
        url = "${at version}/k3s-airgap-images-${arch}.tar.zst";
        checksums = "${at version}/sha256sum-${arch}.txt";
        files."images/k3s-airgap-images-${arch}.tar.zst" = null;
      };
  };
in
release {
  name = "k3s";
  description = "Kubernetes in one program";
  inherit versions homepage licence;
  release =
    { version, arch, ... }:
    {
      url = "${at version}/${if arch == "amd64" then "k3s" else "k3s-${arch}"}";
      checksums = "${at version}/sha256sum-${arch}.txt";
      bin = {
        k3s = null;
        crictl = null;
        ctr = null;
      };
    };
  beside = version: { airgapImages = airgapImages.version version; };
}
