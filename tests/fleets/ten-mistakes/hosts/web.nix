{ ... }:

{
  # An option that does not exist.
  networking.firewal.enable = true;
}
