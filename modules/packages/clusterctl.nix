# Its publisher gives no list of hashes: the first download is believed.
{ lib, ... }:

import ../release.nix { inherit lib; } {
  name = "clusterctl";
  description = "Command of the Cluster API";
  homepage = "https://cluster-api.sigs.k8s.io";
  licence = "Apache-2.0";
  versions = [
    "v1.9.3"
    "v1.9.0"
    "v1.8.5"
  ];
  release =
    { version, arch, ... }:
    {
      url = "https://github.com/kubernetes-sigs/cluster-api/releases/download/${version}/clusterctl-linux-${arch}";
      bin.clusterctl = null;
    };
}
