let
  lib = import <cairn/lib>;
in
{
  k3s = lib.fetchPackage {
    name = "k3s";
    version = "v1.31.4+k3s1";
    url = "https://example.org/k3s";
    hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    bin.k3s = null;
  };
}
