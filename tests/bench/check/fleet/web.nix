# A web server.
{ config, lib, ... }:

{
  networking.firewall.allowedTCPPorts = [
    80
    443
  ];

  environment.etc."nginx/conf.d/site.conf".text = ''
    server {
      listen 80;
      server_name ${config.networking.hostName}.example.org;
      ${lib.optionalString (config.acme.site > 0) "set_real_ip_from ${config.acme.network};"}
    }
  '';

  acme.service5 = {
    enable = true;
    limits.memory = "2G";
    settings.workers = 2 * config.acme.hardware.cores;
  };

  users.groups.www.members = [ "user0" ];
}
