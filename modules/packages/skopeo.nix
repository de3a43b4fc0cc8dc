# Its project releases source alone: this is Debian's package.
{ debian, ... }:

debian.skopeo
// {
  description = "Copies images between registries";
  homepage = "https://github.com/containers/skopeo";
  licence = "Apache-2.0";
}
