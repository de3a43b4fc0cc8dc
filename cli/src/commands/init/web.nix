# One host. `cairn switch web --into /tmp/web` tries it on a folder; `cairn switch web` over SSH.
{ config, ... }:

{
  # Where it is reached, and as whom; settings of ~/.ssh/config hold as well.
  deployment.targetHost = "web.example.org";
  deployment.targetUser = "root";

  networking.hostName = "web";
  networking.firewall.allowedTCPPorts = [
    80
    443
  ];

  environment.etc."motd".text = ''
    This is ${config.networking.hostName}.
  '';

  # A service of your own; a switch restarts it when its definition changes.
  systemd.services.hello = {
    description = "Says hello";
    wantedBy = [ "multi-user.target" ];
    script = ''
      echo "hello from ${config.networking.hostName}"
      exec sleep infinity
    '';
  };

  # A switch that does not come up healthy goes back by itself.
  healthChecks.hello.unit = "hello.service";
}
