{ lib, ... }:

{
  # A name that nothing binds.
  networking.firewall.enable = lib.mkIf isPublic true;
}
