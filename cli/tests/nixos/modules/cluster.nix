{ config, lib, site, ... }:

let
  cfg = config.cluster;
in
{
  options.cluster = {
    enable = lib.mkEnableOption "a node of the cluster";
    server = lib.mkOption {
      type = lib.types.str;
      default = "alpha";
    };
  };

  config = lib.mkIf cfg.enable {
    services.k3s = {
      enable = true;
      role = if cfg.server == config.networking.hostName then "server" else "agent";
      serverAddr = lib.mkIf (cfg.server != config.networking.hostName) "https://${site.addresses.${cfg.server}}:6443";
      tokenFile = "/etc/rancher/k3s/token";
    };
    networking.firewall.allowedTCPPorts = [ 6443 10250 ];
    networking.firewall.allowedUDPPorts = [ 8472 ];
  };
}
