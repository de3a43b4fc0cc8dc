# k3s: NixOS's options, and every flag of k3s as a typed option of its own. Which flags there are is
# data, in flags.json.
{
  config,
  lib,
  pkgs,
  ...
}:

let
  inherit (lib)
    concatStringsSep
    filter
    head
    mkEnableOption
    mkIf
    mkMerge
    mkOption
    optional
    splitString
    types
    ;

  flags = import ./settings.nix { inherit lib; };

  cfg = config.services.k3s;
  inherit (cfg) settings;

  isServer = cfg.role == "server";
  unit = if isServer then "k3s" else "k3s-agent";

  # Options

  optionalOf =
    type: description:
    mkOption {
      type = types.nullOr type;
      default = null;
      inherit description;
    };

  strings =
    description:
    mkOption {
      type = types.listOf types.str;
      default = [ ];
      inherit description;
    };

  flag =
    description:
    mkOption {
      type = types.bool;
      default = false;
      inherit description;
    };

  addresses = types.either types.ip (types.strMatching "[0-9a-fA-F.:]+,[0-9a-fA-F.:]+");

  components = (head (filter (flag: flag.name == "disable") flags.current)).values;

  # Where what is set here goes to. A file of one's own comes first, and what is set here over it.
  base =
    if cfg.configPath == null || builtins.isPath cfg.configPath then
      "/etc/rancher/k3s/config.yaml"
    else
      cfg.configPath;

  target = if cfg.configPath == null then base else "${base}.d/90-cairn.yaml";

  command = [
    program
    cfg.role
  ]
  ++ optional (cfg.configPath != null) "--config=${base}";

  program = if cfg.package == null then "/usr/local/bin/k3s" else "${cfg.package}/bin/k3s";

  # Flags that are secrets, and those of them that k3s reads from files of their own.
  secrets = filter (flag: settings.${flag.name} != null) (filter flags.isSecret flags.current);
  isFile = flag: builtins.elem "${flag.name}-file" (map (other: other.name) flags.current);

  # The host knows their values: they are in the configuration as places of files, or placeholders.
  known = builtins.foldl' (
    known: flag:
    let
      inherit (settings.${flag.name}) name;
    in
    removeAttrs known [ flag.name ]
    // (
      if isFile flag then
        { "${flag.name}-file" = config.sops.secrets.${name}.path; }
      else
        { ${flag.name} = config.sops.placeholder.${name}; }
    )
  ) settings secrets;

  yaml = flags.toYAML known;
  isTemplate = !(lib.all isFile secrets);

  kubeletConfig =
    cfg.extraKubeletConfig
    // lib.optionalAttrs cfg.gracefulNodeShutdown.enable {
      inherit (cfg.gracefulNodeShutdown) shutdownGracePeriod shutdownGracePeriodCriticalPods;
    };

  # JSON is YAML.
  component =
    kind: apiVersion: settings:
    builtins.toJSON ({ inherit kind apiVersion; } // settings) + "\n";

  componentFiles =
    lib.optionalAttrs (kubeletConfig != { }) {
      "/etc/rancher/k3s/kubelet.json" =
        component "KubeletConfiguration" "kubelet.config.k8s.io/v1beta1"
          kubeletConfig;
    }
    // lib.optionalAttrs (cfg.extraKubeProxyConfig != { }) {
      "/etc/rancher/k3s/kube-proxy.json" =
        component "KubeProxyConfiguration" "kubeproxy.config.k8s.io/v1alpha1"
          cfg.extraKubeProxyConfig;
    };
in
{
  imports = [
    ./checks.nix
    ./content.nix
    ./firewall.nix
    ./registries.nix
  ];

  options.services.k3s = {
    enable = mkEnableOption "k3s";

    package = mkOption {
      type = types.nullOr types.package;
      default = pkgs.k3s;
      defaultText = lib.literalExpression "pkgs.k3s";
      description = ''
        The k3s package. The catalogue has several: `pkgs.k3s.version "v1.32.1+k3s1"` is another version.
        Null runs the `/usr/local/bin/k3s` that the host has by other means.
      '';
    };

    role = mkOption {
      type = types.enum [
        "server"
        "agent"
      ];
      default = "server";
      description = "Whether the host runs the control plane, or work only.";
    };

    serverAddr = mkOption {
      type = types.str;
      default = "";
      example = "https://10.0.0.10:6443";
      description = "Server to join. Empty on the first server.";
    };

    token = optionalOf types.secret "Token of the cluster: one of `config.sops.secrets`.";
    tokenFile = optionalOf types.path ''
      File on the host with the token of the cluster, where no secret of the fleet is to hold it.
    '';
    agentToken = optionalOf types.secret "Token for agents: one of `config.sops.secrets`.";
    agentTokenFile = optionalOf types.path "File on the host with the token for agents.";

    settings = mkOption {
      type = types.submodule { inherit (flags) options; };
      default = { };
      example = {
        flannel-backend = "host-gw";
        kubelet-arg = [ "max-pods=200" ];
      };
      description = "Flags of k3s, each by its long name. They make k3s' configuration file.";
    };

    extraFlags = mkOption {
      type = types.flags {
        flags = flags.table;
        scope = cfg.role;
      };
      default = [ ];
      example = [
        "--flannel-backend=host-gw"
        "--kubelet-arg=max-pods=200"
      ];
      description = "Flags as on k3s' command line: a list, or one string. They become `settings`.";
    };

    environmentFile = optionalOf types.path "File on the host with variables of the service.";

    configPath = optionalOf types.path ''
      Configuration file of your own: one of the fleet, or one that the host has. What is set here wins
      over it.
    '';

    disable = mkOption {
      type = types.listOf (types.enum components);
      default = [ ];
      description = "Packaged components that are left out.";
    };
    nodeName = optionalOf types.str "Name of the node; the host's name if null.";
    nodeLabel = strings "Labels of the node, as `key=value`.";
    nodeTaint = strings "Taints that the node registers with, as `key=value:Effect`.";
    nodeIP = optionalOf addresses "Address of the node, or one of each family, separated by a comma.";
    nodeExternalIP = optionalOf addresses "External address of the node, or one of each family.";
    selinux = flag "SELinux support in containerd.";
    clusterInit = flag "Begin a cluster with embedded etcd (servers only).";
    disableAgent = flag "A server that runs no work (servers only).";

    gracefulNodeShutdown = {
      enable = flag "Let the kubelet end pods in order when the host shuts down.";
      shutdownGracePeriod = mkOption {
        type = types.str;
        default = "30s";
        description = "Time that all pods have to end.";
      };
      shutdownGracePeriodCriticalPods = mkOption {
        type = types.str;
        default = "10s";
        description = "Part of that time that is kept for critical pods.";
      };
    };

    extraKubeletConfig = mkOption {
      type = types.attrsOf types.anything;
      default = { };
      example = {
        podsPerCore = 3;
      };
      description = "Fields of the kubelet's KubeletConfiguration.";
    };

    extraKubeProxyConfig = mkOption {
      type = types.attrsOf types.anything;
      default = { };
      example = {
        mode = "nftables";
      };
      description = "Fields of kube-proxy's KubeProxyConfiguration.";
    };
  };

  config = mkIf cfg.enable {
    services.k3s.settings = mkMerge [
      cfg.extraFlags
      {
        server = mkIf (cfg.serverAddr != "") cfg.serverAddr;
        token = mkIf (cfg.token != null) cfg.token;
        token-file = mkIf (cfg.tokenFile != null) cfg.tokenFile;
        agent-token = mkIf (isServer && cfg.agentToken != null) cfg.agentToken;
        agent-token-file = mkIf (isServer && cfg.agentTokenFile != null) cfg.agentTokenFile;
        disable = mkIf (cfg.disable != [ ]) cfg.disable;
        node-name = mkIf (cfg.nodeName != null) cfg.nodeName;
        node-label = mkIf (cfg.nodeLabel != [ ]) cfg.nodeLabel;
        node-taint = mkIf (cfg.nodeTaint != [ ]) cfg.nodeTaint;
        node-ip = mkIf (cfg.nodeIP != null) (splitString "," cfg.nodeIP);
        node-external-ip = mkIf (cfg.nodeExternalIP != null) (splitString "," cfg.nodeExternalIP);
        selinux = mkIf cfg.selinux true;
        cluster-init = mkIf (isServer && cfg.clusterInit) true;
        disable-agent = mkIf (isServer && cfg.disableAgent) true;
        kubelet-arg = mkIf (kubeletConfig != { }) [ "config=/etc/rancher/k3s/kubelet.json" ];
        kube-proxy-arg = mkIf (cfg.extraKubeProxyConfig != { }) [
          "config=/etc/rancher/k3s/kube-proxy.json"
        ];
      }
    ];

    environment.systemPackages = optional (cfg.package != null) cfg.package;

    sops.templates = mkIf isTemplate {
      "k3s.yaml" = {
        content = yaml;
        # A value of it is a JSON string.
        escape = "json";
        path = target;
        restartUnits = [ "${unit}.service" ];
      };
    };

    resources.secrets.values = lib.listToAttrs (
      map (
        flag: lib.nameValuePair settings.${flag.name}.name { restartUnits = [ "${unit}.service" ]; }
      ) secrets
    );

    resources.files = mkMerge [
      (mkIf (!isTemplate) {
        ${target} = {
          text = yaml;
          mode = "0600";
        };
      })
      (mkIf (cfg.configPath != null && builtins.isPath cfg.configPath) {
        ${base} = {
          source = cfg.configPath;
          mode = "0600";
        };
      })
      (builtins.mapAttrs (_: text: { inherit text; }) componentFiles)
    ];

    systemd.services.${unit} = {
      description = if isServer then "k3s server" else "k3s agent";
      documentation = [ "https://k3s.io" ];
      wants = [ "network-online.target" ];
      after = [ "network-online.target" ];
      wantedBy = [ "multi-user.target" ];

      restartTriggers =
        map (builtins.hashString "sha256") ([ yaml ] ++ builtins.attrValues componentFiles)
        ++ optional (cfg.configPath != null) cfg.configPath;

      serviceConfig = {
        Type = if isServer then "notify" else "exec";
        EnvironmentFile = [
          "-/etc/default/%N"
          "-/etc/sysconfig/%N"
        ]
        ++ optional (cfg.environmentFile != null) cfg.environmentFile;
        ExecStartPre = [
          "-/sbin/modprobe br_netfilter"
          "-/sbin/modprobe overlay"
        ];
        ExecStart = concatStringsSep " " command;
        # Pods outlive a restart of k3s.
        KillMode = "process";
        Delegate = true;
        LimitNOFILE = 1048576;
        LimitNPROC = "infinity";
        LimitCORE = "infinity";
        TasksMax = "infinity";
        TimeoutStartSec = 0;
        Restart = "always";
        RestartSec = "5s";
      };
    };
  };
}
