{
  imports = [ ];
  firewall = import ./parts/sites.nix { domain = "example.org"; };
}
