# The first server of a dual-stack cluster, bare: no ingress, no load balancer, no helm controller.
# What differs between clusters is an option of its own.
{ config, lib, pkgs, ... }:

let
  inherit (lib)
    mapAttrsToList
    mkEnableOption
    mkIf
    mkOption
    optionals
    types
    ;

  cfg = config.dualStack;
in
{
  options.dualStack = {
    enable = mkEnableOption "the first server of a dual-stack cluster";

    nodeIP = {
      v4 = mkOption {
        type = types.ipv4;
        example = "192.168.1.10";
        description = "IPv4 address of the node.";
      };
      v6 = mkOption {
        type = types.ipv6;
        example = "2001:db8::10";
        description = "IPv6 address of the node.";
      };
    };

    tlsSan = mkOption {
      type = types.str;
      example = "k8s.example.org";
      description = "Name by which the cluster is reached; its certificate holds it.";
    };

    nodeLabels = mkOption {
      type = types.attrsOf types.str;
      default = { };
      example = {
        "example.org/zone" = "north";
      };
      description = "Labels of the node.";
    };

    nodeTaints = mkOption {
      type = types.listOf (types.strMatching "[^=:]+(=[^:]*)?:(NoSchedule|PreferNoSchedule|NoExecute)");
      default = [ ];
      example = [ "example.org/dedicated=control:NoSchedule" ];
      description = "Taints of the node.";
    };

    kubeletArgs = mkOption {
      type = types.attrsOf types.str;
      default = { };
      example = {
        max-pods = "200";
      };
      description = "Arguments of the kubelet.";
    };

    tokenFile = mkOption {
      type = types.path;
      default = "/etc/rancher/k3s/token";
      description = "File on the host with the cluster's token.";
    };

    tools = mkOption {
      type = types.bool;
      default = true;
      description = "Install k9s, kubectl and helm.";
    };
  };

  config = mkIf cfg.enable {
    services.k3s = {
      enable = true;
      role = "server";
      clusterInit = true;
      inherit (cfg) tokenFile;

      disable = [
        "traefik"
        "servicelb"
      ];

      nodeLabel = mapAttrsToList (key: value: "${key}=${value}") cfg.nodeLabels;
      nodeTaint = cfg.nodeTaints;

      settings = {
        cluster-cidr = [
          "10.42.0.0/16"
          "2001:cafe:42::/56"
        ];
        service-cidr = [
          "10.43.0.0/16"
          "2001:cafe:43::/112"
        ];
        node-ip = [
          cfg.nodeIP.v4
          cfg.nodeIP.v6
        ];
        disable-helm-controller = true;
        # The pods' IPv6 range is routed nowhere: they leave with the node's address.
        flannel-ipv6-masq = true;
        tls-san = [ cfg.tlsSan ];
        kubelet-arg = mapAttrsToList (key: value: "${key}=${value}") cfg.kubeletArgs;
      };
    };

    networking.firewall = {
      enable = true;
      allowedTCPPorts = [ 6443 ];
      allowedUDPPorts = [ 8472 ];
      # Pods reach the node through these; the firewall would drop them.
      trustedInterfaces = [
        "cni0"
        "flannel.1"
        "flannel-v6.1"
      ];
    };

    boot.kernel.sysctl = {
      "net.ipv4.conf.all.forwarding" = true;
      "net.ipv6.conf.all.forwarding" = true;
    };

    environment.systemPackages = optionals cfg.tools [
      pkgs.clusterctl
      pkgs.istioctl
      pkgs.k9s
      pkgs.kubecolor
      pkgs.kubectl
      pkgs.kubernetes-helm
    ];
  };
}
