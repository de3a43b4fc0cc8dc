# The way out of a site.
{ config, lib, ... }:

{
  boot.kernel.sysctl = {
    "net.ipv4.ip_forward" = true;
    "net.ipv6.conf.all.forwarding" = true;
  };

  networking.firewall = {
    trustedInterfaces = [ "eth1" ];
    allowedUDPPorts = [
      51820
      (51900 + config.acme.site)
    ];
    interfaces = lib.genAttrs [ "eth2" "eth3" ] (interface: {
      allowedTCPPorts = if interface == "eth2" then [ 53 ] else [ 53 443 ];
    });
  };

  acme.service2.enable = true;
}
