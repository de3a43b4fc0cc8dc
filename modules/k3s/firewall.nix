# Ports of k3s. NixOS's module opens none; `openFirewall` opens those that nodes need of each other.
# Traffic for NodePorts and load balancers is forwarded, not input: it needs none of them.
{ config, lib, ... }:

let
  inherit (lib)
    mkIf
    mkOption
    optional
    optionals
    types
    ;

  cfg = config.services.k3s;
  inherit (cfg) settings;

  isServer = cfg.role == "server";

  or' = value: default: if value == null then default else value;

  # Agents take the backend from their server; vxlan is its default.
  backend = or' settings.flannel-backend "vxlan";
  apiPort = or' settings.https-listen-port 6443;
  hasEtcd =
    isServer
    && (settings.cluster-init == true || settings.server != null)
    && settings.disable-etcd != true;
  hasRegistry = settings.embedded-registry == true;

  # With the embedded registry, every node answers there.
  api = optional (isServer || hasRegistry) apiPort;

  ports = {
    allowedTCPPorts = [ 10250 ] ++ optionals hasRegistry [ 5001 ];
    allowedUDPPorts =
      optional (backend == "vxlan") 8472
      ++ optionals (backend == "wireguard-native") [
        51820
        51821
      ];
    allowedTCPPortRanges = optional hasEtcd {
      from = 2379;
      to = 2380;
    };
  };
in
{
  options.services.k3s.openFirewall = mkOption {
    type = types.bool;
    default = false;
    description = ''
      Open the ports that the nodes of the cluster need: the API server's on servers, etcd's where it
      runs, the kubelet's, and flannel's. All but the first are opened only on the interface
      `settings.flannel-iface`, if that is set. Interfaces of pods are trusted.
    '';
  };

  config = mkIf (cfg.enable && cfg.openFirewall) {
    networking.firewall =
      {
        trustedInterfaces = [
          "cni0"
          "flannel.1"
          "flannel-v6.1"
          "flannel-wg"
          "flannel-wg-v6"
        ];
      }
      // (
        if settings.flannel-iface == null then
          ports // { allowedTCPPorts = api ++ ports.allowedTCPPorts; }
        else
          {
            interfaces.${settings.flannel-iface} = ports;
            allowedTCPPorts = api;
          }
      );
  };
}
