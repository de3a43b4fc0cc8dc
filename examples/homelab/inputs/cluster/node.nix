{
  config,
  lib,
  name,
  nodes,
  ...
}:

let
  cfg = config.cluster;
  isServer = cfg.server == name;
  server = nodes.${cfg.server}.config;
in
{
  options.cluster = {
    server = lib.mkOption {
      type = lib.types.nonEmptyStr;
      example = "prod0";
      description = "The host of the fleet that is the cluster's server; all others are agents of it.";
    };

    tokenFile = lib.mkOption {
      type = lib.types.path;
      default = "/etc/rancher/k3s/token";
      description = "File on each host with the cluster's token.";
    };
  };

  config = {
    services.k3s = {
      enable = true;
      role = if isServer then "server" else "agent";
      serverAddr = lib.mkIf (!isServer) "https://${server.lan.address}:6443";
      nodeIP = config.lan.address;
      inherit (cfg) tokenFile;
      openFirewall = true;
    };

    networking.firewall.enable = true;

    # A switch after which k3s does not stay up goes back by itself.
    healthChecks.k3s.unit = if isServer then "k3s.service" else "k3s-agent.service";
  };
}
