# What every board is: a node of the cluster that takes traffic for the ingress.
{ name, ... }:

{
  networking.hostName = name;

  networking.firewall = {
    enable = true;
    # Traefik, by k3s' service load balancer, on every node.
    allowedTCPPorts = [
      80
      443
    ];
  };

  services.k3s = {
    enable = true;
    # The same on all boards, put there by hand: it is not part of the fleet.
    tokenFile = "/etc/rancher/k3s/token";
    openFirewall = true;
  };
}
