let
  site = import ./parts/site.nix;
in
{ motd = site { domain = "example.org"; }; }
