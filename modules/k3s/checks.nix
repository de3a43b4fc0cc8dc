# What k3s refuses when it starts, and what cannot work, said before it is sent to a host.
{ config, lib, ... }:

let
  inherit (lib)
    all
    concatMap
    concatStringsSep
    elem
    filter
    hasInfix
    hasPrefix
    mkIf
    optional
    optionalString
    splitString
    unique
    ;

  flags = import ./settings.nix { inherit lib; };

  cfg = config.services.k3s;
  set = flags.given cfg.settings;

  isAgent = cfg.role == "agent";

  # A configuration that is not Cairn's may hold what is missing here.
  unknown = cfg.configPath != null || cfg.environmentFile != null;

  has = name: set ? ${name} && set.${name} != false;

  server = set.server or "";

  isDebian = package: package.kind == "debian" && package.name == "k3s";

  agentless = [
    "pod"
    "cluster"
  ];

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
      key = builtins.head (splitString "=" label);
      prefix = builtins.head (splitString "/" key);
    in
    prefix != key
    && builtins.match "(.*\\.)?(kubernetes|k8s)\\.io" prefix != null
    && builtins.match "(.*\\.)?(kubelet|node)\\.kubernetes\\.io" prefix == null
    && !(elem key [
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

  # A message is one line, however it is wrapped here.
  sentence = text: concatStringsSep " " (filter (line: line != "") (splitString "\n" text));

  require = assertion: message: {
    inherit assertion;
    message = "services.k3s: ${sentence message}";
  };

  warn = condition: message: optional condition "services.k3s: ${sentence message}";

  excludes =
    one: others:
    map (other: require (!(has one && has other)) "`${one}` and `${other}` exclude each other.") others;

  needs = one: other: require (!(has one) || has other) "`${one}` has no meaning without `${other}`.";

  list = concatStringsSep ", ";
in
{
  config = mkIf cfg.enable {
    assertions =
      map (
        flag:
        require false ''
          `settings.${flag.name}` is a flag of the role "${flag.scope}", and this host's role is
          "${cfg.role}": move it to a ${flag.scope}.
        ''
      ) foreign
      ++ map (
        label:
        require (!(reserved label)) ''
          the label "${label}" is reserved, and k3s does not start with it: use a prefix of your own, or
          give it with kubectl.
        ''
      ) (set.node-label or [ ])
      ++ excludes "datastore-endpoint" [
        "disable-apiserver"
        "disable-etcd"
      ]
      ++ excludes "cluster-reset" [ "server" ]
      ++ excludes "embedded-registry" [
        "docker"
        "container-runtime-endpoint"
      ]
      ++ [
        (needs "cluster-reset-restore-path" "cluster-reset")
        (needs "disable-etcd" "server")
        (needs "datastore-certfile" "datastore-keyfile")
        (needs "datastore-keyfile" "datastore-certfile")
        (require (!(isAgent && cfg.disableAgent)) ''
          `disableAgent` is for servers: a host with the role "agent" would run nothing.
        '')
        (require (!(isAgent && cfg.clusterInit)) ''
          `clusterInit` is for the first server: an agent cannot begin a cluster. Set `role = "server"`, or
          leave `clusterInit` out.
        '')
        (require (!isAgent || has "server" || unknown) ''
          an agent needs a server to join: set `serverAddr`, such as "https://192.168.1.40:6443".
        '')
        (require (!isAgent || has "token" || has "token-file" || has "vpn-auth" || unknown) ''
          an agent needs the cluster's token: set `tokenFile`.
        '')
        (require (cfg.package == null || !isDebian cfg.package) ''
          Debian has no k3s. Add it to the fleet (`outputs.packages.k3s = lib.fetchPackage { … }`), or set
          `package = null` if the host has /usr/local/bin/k3s.
        '')
        (require (!(set ? config)) ''
          give the configuration file as `configPath`, not by the flag `config`.
        '')
        (require (server == "" || hasPrefix "https://" server) ''
          `serverAddr` is "${server}": it must begin with https://, and end with the port, such as
          "https://192.168.1.40:6443".
        '')
        (require (pods == unique pods && services == unique services) ''
          `cluster-cidr` and `service-cidr` take at most one range of each family.
        '')
        (require (pods == [ ] || services == [ ] || pods == services) ''
          `cluster-cidr` has the families ${list pods}, and `service-cidr` ${list services}: they must be
          the same, in the same order.
        '')
        (require (addresses == [ ] || all (family: elem family addresses) pods) ''
          `cluster-cidr` has the families ${list pods}, but `node-ip` only ${list addresses}: give the node
          an address of each.
        '')
      ];

    warnings =
      warn (has "token" || has "agent-token") ''
        the token stands in the generation, where every user of the host can read it. Put it into a file
        and use `tokenFile`.
      ''
      ++ warn (isAgent && (cfg.agentToken != "" || cfg.agentTokenFile != null)) ''
        `agentToken` has no effect on an agent: give it the token by `tokenFile`.
      ''
      ++ warn (set.flannel-backend or "" == "none" && !(has "disable-network-policy")) ''
        with `flannel-backend` "none", set `disable-network-policy` too.
      ''
      ++ warn (cfg.disableAgent && !(elem (set.egress-selector-mode or "") agentless)) ''
        a server without an agent wants `egress-selector-mode` "pod" or "cluster".
      ''
      ++ concatMap (
        flag:
        warn true (
          "the flag `${flag.name}` is deprecated" + optionalString (flag ? use) ": use `${flag.use}`" + "."
        )
      ) deprecated;
  };
}
