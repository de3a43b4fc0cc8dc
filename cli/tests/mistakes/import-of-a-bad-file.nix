let
  broken = import ./parts/broken.nix;
in
{ port = broken.port; }
