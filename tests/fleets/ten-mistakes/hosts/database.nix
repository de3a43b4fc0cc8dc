{ ... }:

{
  # A port that is none.
  networking.firewall.allowedTCPPorts = [
    5432
    "postgres"
  ];
}
