{ lib, ... }:

import ../release.nix { inherit lib; } {
  name = "node_exporter";
  description = "A machine's figures for Prometheus";
  homepage = "https://github.com/prometheus/node_exporter";
  licence = "Apache-2.0";
  versions = [
    "v1.8.2"
    "v1.8.1"
  ];
  release =
    {
      version,
      number,
      arch,
      ...
    }:
    let
      at = "https://github.com/prometheus/node_exporter/releases/download/${version}";
      folder = "node_exporter-${number}.linux-${arch}";
    in
    {
      url = "${at}/${folder}.tar.gz";
      checksums = "${at}/sha256sums.txt";
      bin = "${folder}/node_exporter";
    };
}
