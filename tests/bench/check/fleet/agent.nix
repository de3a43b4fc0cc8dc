# A worker of its site's cluster.
{
  config,
  lib,
  nodes,
  ...
}:

let
  net = import ../lib/net.nix { inherit lib; };
  server = nodes."server-${toString config.acme.site}-0".config;
in
{
  services.k3s = {
    enable = true;
    role = "agent";
    serverAddr = net.endpoint server.deployment.targetHost 6443;
    tokenFile = "/etc/rancher/k3s/token";
    openFirewall = true;
    nodeLabel = [
      "example.org/site=${toString config.acme.site}"
      "example.org/rack=${config.acme.rack}"
    ];
    extraFlags = "--kubelet-arg=max-pods=110";
  };

  boot.kernel.sysctl."net.ipv4.ip_forward" = true;

  acme.service0.enable = true;
}
