# A fleet with one host. `cairn switch demo --into DIR` switches a folder to it.
{
  description = "The sample fleet";

  outputs =
    { self, ... }:
    {
      hosts.demo = ./hosts/demo.nix;
    };
}
