# A package of the catalogue: what a publisher releases, for each architecture and version.
#
# `release` is told the version, its number (without the `v`), and the architecture (`amd64` or
# `arm64`); it gives what `lib.fetchPackage` takes for one platform. The first of `versions` is
# meant where nobody says more; `package.version "v1.2.3"` is the same package in another.
{ lib }:

{
  name,
  versions,
  description,
  homepage,
  licence,
  release,
  beside ? (_: { }),
}:

let
  of =
    version:
    lib.fetchPackage {
      inherit
        name
        version
        description
        homepage
        licence
        ;
      platforms =
        lib.mapAttrs
          (
            _: arch:
            release {
              inherit version arch;
              number = lib.removePrefix "v" version;
            }
          )
          {
            x86_64-linux = "amd64";
            aarch64-linux = "arm64";
          };
    }
    // {
      inherit versions;
      version = {
        __functor = _: of;
        __toString = _: version;
      };
    }
    // beside version;
in
of (lib.head versions)
