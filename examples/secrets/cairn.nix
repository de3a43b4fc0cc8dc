{
  description = "A service whose token and database password are secrets";

  outputs =
    { ... }:
    {
      hosts.web = ./hosts/web.nix;
    };
}
