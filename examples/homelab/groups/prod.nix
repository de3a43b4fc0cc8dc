# What people at home rely on.
{ lib, name, ... }:

{
  cluster.server = "prod0";
  time.timeZone = "Europe/Zurich";

  # A name that stays when the server moves to another machine. Agents have no such flag.
  services.k3s.settings = lib.mkIf (name == "prod0") {
    tls-san = [ "k3s.home.arpa" ];
  };
}
