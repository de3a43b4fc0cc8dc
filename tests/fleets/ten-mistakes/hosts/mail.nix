{ lib, ... }:

{
  # A function that the library does not have.
  networking.hostName = lib.mkFroce "mail";
}
