{ ... }:

{
  # A semicolon that is missing.
  networking.hostName = "archive"
  networking.firewall.enable = true;
}
