# What k3s refuses when it starts, and what cannot work, said before it is sent to a host.
{ config, lib, ... }:

let
  inherit (lib)
    concatStringsSep
    filter
    hasInfix
    hasPrefix
    mkIf
    optional
    unique
    ;

  flags = import ./settings.nix { inherit lib; };

  cfg = config.services.k3s;
  set = flags.given cfg.settings;

  isAgent = cfg.role == "agent";

  # A configuration that is not Cairn's may hold what is missing here.
  unknown = cfg.configPath != null || cfg.environmentFile != null;

  has = name: set ? ${name} && set.${name} != false;

  families = cidrs: map (cidr: if hasInfix ":" cidr then "IPv6" else "IPv4") cidrs;
  pods = families (set.cluster-cidr or [ ]);
  services = families (set.service-cidr or [ ]);
  addresses = unique (families (set.node-ip or [ ]));

  foreign = filter (
    flag: set ? ${flag.name} && flag.scope != "both" && flag.scope != cfg.role
  ) flags.current;

  deprecated = filter (flag: set ? ${flag.name} && (flag.deprecated or false)) flags.current;

  # Labels of these prefixes are the cluster's own; only a few may be given by a node.
  reserved =
    label:
    let
      key = builtins.head (lib.splitString "=" label);
      prefix = builtins.head (lib.splitString "/" key);
    in
    prefix != key
    && builtins.match "(.*\\.)?(kubernetes|k8s)\\.io" prefix != null
    && builtins.match "(.*\\.)?(kubelet|node)\\.kubernetes\\.io" prefix == null
    && !(builtins.elem key [
      "beta.kubernetes.io/arch"
      "beta.kubernetes.io/instance-type"
      "beta.kubernetes.io/os"
      "failure-domain.beta.kubernetes.io/region"
      "failure-domain.beta.kubernetes.io/zone"
      "kubernetes.io/arch"
      "kubernetes.io/hostname"
      "kubernetes.io/os"
      "topology.kubernetes.io/region"
      "topology.kubernetes.io/zone"
    ]);

  require = assertion: message: { inherit assertion message; };

  excludes =
    one: others:
    map (
      other: require (!(has one && has other)) "services.k3s: `${one}` and `${other}` exclude each other."
    ) others;

  needs =
    one: other: require (!(has one) || has other) "services.k3s: `${one}` has no meaning without `${other}`.";
in
{
  config = mkIf cfg.enable {
    assertions =
      map (
        flag:
        require false "services.k3s.settings.${flag.name} is a flag of the role \"${flag.scope}\", and this host's role is \"${cfg.role}\": move it to a ${flag.scope}."
      ) foreign
      ++ excludes "datastore-endpoint" [
        "disable-apiserver"
        "disable-etcd"
      ]
      ++ excludes "cluster-reset" [ "server" ]
      ++ excludes "embedded-registry" [
        "docker"
        "container-runtime-endpoint"
      ]
      ++ map (
        label:
        require (!(reserved label)) "services.k3s: the label \"${label}\" is reserved, and k3s does not start with it: use a prefix of your own, or give it with kubectl."
      ) (set.node-label or [ ])
      ++ [
        (needs "cluster-reset-restore-path" "cluster-reset")
        (needs "disable-etcd" "server")
        (needs "datastore-certfile" "datastore-keyfile")
        (needs "datastore-keyfile" "datastore-certfile")
        (require (!(isAgent && cfg.disableAgent)) "services.k3s.disableAgent is for servers: a host with the role \"agent\" would run nothing.")
        (require (!(isAgent && cfg.clusterInit)) "services.k3s.clusterInit is for the first server: an agent cannot begin a cluster. Set services.k3s.role = \"server\", or leave clusterInit out.")
        (require (!isAgent || has "server" || unknown) "services.k3s: an agent needs a server to join: set services.k3s.serverAddr, such as \"https://192.168.1.40:6443\".")
        (require (!isAgent || has "token" || has "token-file" || has "vpn-auth" || unknown) "services.k3s: an agent needs the cluster's token: set services.k3s.tokenFile.")
        (require (cfg.package == null || !(cfg.package.kind == "debian" && cfg.package.name == "k3s")) "services.k3s.package: Debian has no k3s. Add it to the fleet's packages (`outputs.packages.k3s = lib.fetchPackage { … }`), or set services.k3s.package = null if the host has /usr/local/bin/k3s.")
        (require (!(set ? config)) "services.k3s: give `config` as services.k3s.configPath.")
        (require (set.server or "" == "" || hasPrefix "https://" set.server) "services.k3s.serverAddr is \"${set.server or ""}\": it must begin with https://, and end with the port, such as \"https://192.168.1.40:6443\".")
        (require (pods == unique pods && services == unique services) "services.k3s: `cluster-cidr` and `service-cidr` take at most one range of each family.")
        (require (pods == [ ] || services == [ ] || pods == services) "services.k3s: `cluster-cidr` has the families ${concatStringsSep ", " pods}, and `service-cidr` ${concatStringsSep ", " services}: they must be the same, in the same order.")
        (require (addresses == [ ] || lib.all (family: builtins.elem family addresses) pods) "services.k3s: `cluster-cidr` has the families ${concatStringsSep ", " pods}, but `node-ip` only ${concatStringsSep ", " addresses}: give the node an address of each.")
      ];

    warnings =
      optional (has "token" || has "agent-token") "services.k3s: the token stands in the generation, where every user of the host can read it. Put it into a file and use tokenFile."
      ++ optional (isAgent && (cfg.agentToken != "" || cfg.agentTokenFile != null)) "services.k3s.agentToken has no effect on an agent: give it the token by tokenFile."
      ++ optional (set.flannel-backend or "" == "none" && !(has "disable-network-policy")) "services.k3s: with `flannel-backend` \"none\", set `disable-network-policy` too."
      ++ optional (cfg.disableAgent && !(builtins.elem (set.egress-selector-mode or "") [ "pod" "cluster" ])) "services.k3s: a server without an agent wants `egress-selector-mode` \"pod\" or \"cluster\"."
      ++ map (
        flag:
        "services.k3s: the flag `${flag.name}` is deprecated"
        + lib.optionalString (flag ? use) ": use `${flag.use}`"
        + "."
      ) deprecated;
  };
}
