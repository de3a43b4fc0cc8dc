# Where machines are: their addresses and names. Any fleet of the house takes this module.
{
  description = "Addresses and names at home";

  outputs =
    { self, ... }:
    {
      modules.lan = ./lan.nix;
    };
}
