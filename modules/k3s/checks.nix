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
    optionalString
    optionals
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
  backend = set.flannel-backend or "";
  egress = set.egress-selector-mode or "";

  isDebian = package: package.kind == "debian" && package.name == "k3s";

  agentless = [
    "pod"
    "cluster"
  ];

  families = cidrs: map (cidr: if hasInfix ":" cidr then "IPv6" else "IPv4") cidrs;
  pods = families (set.cluster-cidr or [ ]);
  services = families (set.service-cidr or [ ]);
  addresses = unique (families (set.node-ip or [ ]));

  # The flags that are set.
  chosen = map (name: flags.named.${name}) (builtins.attrNames set);
  foreign = filter (flag: flag.scope != "both" && flag.scope != cfg.role) chosen;
  deprecated = filter (flag: flag.deprecated or false) chosen;

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

  # The option comes first, so that the message stands at its definition.
  require =
    option: condition: message:
    mkIf (!condition) {
      assertion = false;
      message = "services.k3s.${option}: ${sentence message}";
    };

  warn =
    option: condition: message:
    optionals condition [ "services.k3s.${option}: ${sentence message}" ];

  excludes =
    one: others:
    map (
      other:
      require "settings.${one}" (!(has one && has other)) "it cannot be set beside `settings.${other}`."
    ) others;

  needs =
    one: other:
    require "settings.${one}" (
      !(has one) || has other
    ) "it has no meaning without `settings.${other}`.";

  list = concatStringsSep ", ";
in
{
  config = mkIf cfg.enable {
    assertions =
      map (
        flag:
        require "settings.${flag.name}" false ''
          this is a flag of the role "${flag.scope}", and the host's role is "${cfg.role}": move it to
          a host with that role.
        ''
      ) foreign
      ++ map (
        label:
        require "settings.node-label" (!(reserved label)) ''
          the label "${label}" is reserved, and k3s does not start with it: use a prefix of your own, or
          give it with kubectl.
        ''
      ) (set.node-label or [ ])
      ++ excludes "datastore-endpoint" [
        "disable-apiserver"
        "disable-etcd"
      ]
      ++ excludes "token" [ "token-file" ]
      ++ excludes "agent-token" [ "agent-token-file" ]
      ++ excludes "vpn-auth" [ "vpn-auth-file" ]
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
        (require "disableAgent" (!(isAgent && cfg.disableAgent)) ''
          this is for servers: a host with the role "agent" would run nothing.
        '')
        (require "clusterInit" (!(isAgent && cfg.clusterInit)) ''
          this is for the first server: an agent cannot begin a cluster. Set `role = "server"`, or leave
          `clusterInit` out.
        '')
        (require "role" (!isAgent || has "server" || unknown) ''
          an agent needs a server to join: set `serverAddr`, such as "https://192.168.1.40:6443".
        '')
        (require "enable" (!isAgent || has "token" || has "token-file" || has "vpn-auth" || unknown) ''
          an agent needs the cluster's token: set `token` to a secret, or `tokenFile`.
        '')
        (require "enable" (cfg.package == null || !isDebian cfg.package) ''
          Debian has no k3s. Take `pkgs.k3s`, or set `package = null` if the host has /usr/local/bin/k3s.
        '')
        (require "settings.config" (!(set ? config)) ''
          give the configuration file as `configPath`.
        '')
        (require "serverAddr" (server == "" || hasPrefix "https://" server) ''
          "${server}" must begin with https://, and end with the port, such as
          "https://192.168.1.40:6443".
        '')
        (require "settings.cluster-cidr" (pods == unique pods) ''
          there is at most one range of each family.
        '')
        (require "settings.service-cidr" (services == unique services) ''
          there is at most one range of each family.
        '')
        (require "settings.service-cidr" (pods == [ ] || services == [ ] || pods == services) ''
          the ranges of services are ${list services}, and those of pods ${list pods}: they must have the
          same families, in the same order.
        '')
        (require "settings.node-ip" (addresses == [ ] || all (family: elem family addresses) pods) ''
          the node has only ${list addresses}, but the ranges of pods are ${list pods}: give it an address
          of each family.
        '')
      ];

    warnings =
      warn "agentToken" (isAgent && (cfg.agentToken != null || cfg.agentTokenFile != null)) ''
        it has no effect on an agent, which takes the token by `token` or `tokenFile`.
      ''
      ++ warn "settings.flannel-backend" (backend == "none" && !(has "disable-network-policy")) ''
        with "none", set `settings.disable-network-policy` too.
      ''
      ++ warn "disableAgent" (!isAgent && cfg.disableAgent && !(elem egress agentless)) ''
        a server without an agent wants `settings.egress-selector-mode` to be "pod" or "cluster".
      ''
      ++ concatMap (
        flag:
        warn "settings.${flag.name}" true (
          "the flag is deprecated" + optionalString (flag ? use) ": use `${flag.use}`" + "."
        )
      ) deprecated;
  };
}
