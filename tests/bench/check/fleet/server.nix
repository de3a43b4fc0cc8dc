# The k3s server of a site.
{ config, lib, ... }:

let
  net = import ../lib/net.nix { inherit lib; };
in
{
  services.k3s = {
    enable = true;
    role = "server";
    clusterInit = true;
    tokenFile = "/etc/rancher/k3s/token";
    openFirewall = true;
    disable = [
      "traefik"
      "servicelb"
    ];
    settings = {
      cluster-cidr = [ (net.pods config.acme.site) ];
      flannel-backend = "host-gw";
      write-kubeconfig-mode = "0640";
      tls-san = [ config.networking.hostName ];
      kubelet-arg = [ "max-pods=200" ];
    };
  };

  acme.service4.enable = true;
}
