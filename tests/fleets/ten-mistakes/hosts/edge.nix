{ ... }:

{
  # A number where a name belongs.
  networking.hostName = 42;
}
