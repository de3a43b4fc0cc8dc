# The firewall: one nftables table, `inet cairn-fw`, with the chains that NixOS gives it.
#
# Two things differ from NixOS, since a host that Cairn takes over has a life of its own: the firewall
# is on when something is asked of it, and the port that deployments use is left open.
{ config, lib, ... }:

let
  inherit (lib)
    concatLists
    concatMapStringsSep
    concatStringsSep
    filter
    mapAttrsToList
    mkIf
    mkOption
    optional
    optionals
    sort
    splitString
    types
    unique
    ;

  cfg = config.networking.firewall;
  inherit (config) deployment;

  # One order, so that one set of ports has one text.
  inOrder = ports: sort (a: b: a < b) (unique ports);

  # Options

  ports =
    description:
    mkOption {
      type = types.listOf types.port;
      default = [ ];
      apply = inOrder;
      example = [
        22
        80
      ];
      inherit description;
    };

  ranges =
    description:
    mkOption {
      type = types.listOf types.portRange;
      default = [ ];
      example = [
        {
          from = 8999;
          to = 9003;
        }
      ];
      inherit description;
    };

  rules =
    chain:
    mkOption {
      type = types.lines;
      default = "";
      description = "Rules in nft's syntax, appended to the chain `${chain}`.";
    };

  flag =
    default: description:
    mkOption {
      type = types.bool;
      inherit default description;
    };

  openings = where: {
    allowedTCPPorts = ports "TCP ports that are open ${where}.";
    allowedUDPPorts = ports "UDP ports that are open ${where}.";
    allowedTCPPortRanges = ranges "Ranges of TCP ports that are open ${where}.";
    allowedUDPPortRanges = ranges "Ranges of UDP ports that are open ${where}.";
  };

  interfaces =
    where:
    mkOption {
      type = types.attrsOf (types.submodule { options = openings where; });
      default = { };
      description = "Ports that are open ${where}, by the interface's name.";
    };

  trusted =
    description:
    mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "cni0" ];
      inherit description;
    };

  # Rendering

  indent = line: if line == "" then "" else "  ${line}";

  linesOf = text: filter (line: line != "") (splitString "\n" text);

  # nft 1.0.6 wants every statement on a line of its own, and the brace on the next.
  chain =
    name: lines:
    concatStringsSep "\n" ([ "chain ${name} {" ] ++ map indent lines ++ [ "}" ]) + "\n";

  quoted = names: concatMapStringsSep ", " (name: "\"${name}\"") names;

  accept =
    condition: protocol: numbers: spans:
    let
      set = map toString numbers ++ map (span: "${toString span.from}-${toString span.to}") spans;
    in
    optional (set != [ ]) "${condition}${protocol} dport { ${concatStringsSep ", " set} } accept";

  opened =
    condition: openings:
    accept condition "tcp" openings.allowedTCPPorts openings.allowedTCPPortRanges
    ++ accept condition "udp" openings.allowedUDPPorts openings.allowedUDPPortRanges;

  openedAll =
    key: all: byInterface:
    opened "" all
    ++ concatLists (mapAttrsToList (name: opened "${key} \"${name}\" ") byInterface);

  byState = target: [
    "ct state vmap {"
    "  invalid : drop,"
    "  established : accept,"
    "  related : accept,"
    "  new : jump ${target},"
    # Some ICMPv6, such as neighbour discovery, is untracked.
    "  untracked : jump ${target},"
    "}"
  ];

  # The port of the deployer joins the others in one set.
  everywhere = cfg // {
    allowedTCPPorts = inOrder (
      cfg.allowedTCPPorts ++ optional deployment.openFirewall deployment.targetPort
    );
  };

  rpfilter =
    chain "rpfilter" (
      [
        "type filter hook prerouting priority mangle + 10; policy drop;"
        "meta nfproto ipv4 udp sport . udp dport { 67 . 68, 68 . 67 } accept comment \"DHCPv4\""
        "fib saddr . mark${
          if cfg.checkReversePath == "loose" then "" else " . iif"
        } oif exists accept"
        "jump rpfilter-allow"
      ]
      ++ optional cfg.logReversePathDrops "log level info prefix \"rpfilter drop: \""
    )
    + chain "rpfilter-allow" (linesOf cfg.extraReversePathFilterRules);

  input =
    chain "input" (
      [
        "type filter hook input priority filter; policy drop;"
        "iifname { ${quoted (unique ([ "lo" ] ++ cfg.trustedInterfaces))} } accept comment \"trusted\""
      ]
      ++ byState "input-allow"
      ++ optional cfg.logRefusedConnections (
        "tcp flags & (fin | syn | rst | ack) == syn log level info prefix \"refused connection: \""
      )
      ++ optionals (cfg.logRefusedPackets && !cfg.logRefusedUnicastsOnly) [
        "meta pkttype broadcast log level info prefix \"refused broadcast: \""
        "meta pkttype multicast log level info prefix \"refused multicast: \""
      ]
      ++ optional cfg.logRefusedPackets "meta pkttype host log level info prefix \"refused packet: \""
      ++ optionals cfg.rejectPackets [
        "meta l4proto tcp reject with tcp reset"
        "reject"
      ]
    )
    + chain "input-allow" (
      openedAll "iifname" everywhere cfg.interfaces
      ++ [ "meta l4proto . th dport @temp-ports accept" ]
      ++ optional cfg.allowPing (
        "icmp type echo-request ${
          if cfg.pingLimit == null then "" else "limit rate ${cfg.pingLimit} "
        }accept comment \"ping\""
      )
      ++ [
        # RFC 4890, section 4.4: all but redirects and node information queries.
        "icmpv6 type != { nd-redirect, 139 } accept"
        "ip6 daddr fe80::/64 udp dport 546 accept comment \"DHCPv6\""
      ]
      ++ linesOf cfg.extraInputRules
    );

  # For `nft add element inet cairn-fw temp-ports '{ tcp . 8080 }'`, until the next switch.
  temporary = ''
    set temp-ports {
      type inet_proto . inet_service
      flags interval
      auto-merge
      comment "opened by hand until the next switch"
    }
  '';

  forward =
    chain "forward" (
      [ "type filter hook forward priority filter; policy drop;" ] ++ byState "forward-allow"
    )
    + chain "forward-allow" (
      [
        # RFC 4890, section 4.3: all but router renumbering and node information queries.
        "icmpv6 type != { router-renumbering, 139 } accept"
        "ct status dnat accept comment \"forwarded ports\""
      ]
      ++ linesOf cfg.extraForwardRules
    );

  out = cfg.filterOutput;

  output =
    chain "output" (
      [
        "type filter hook output priority filter; policy drop;"
        "oifname { ${quoted (unique ([ "lo" ] ++ out.trustedInterfaces))} } accept comment \"trusted\""
      ]
      ++ byState "output-allow"
    )
    + chain "output-allow" (
      openedAll "oifname" out out.interfaces
      ++ [
        "icmp type echo-request accept"
        "icmpv6 type != { nd-redirect, 139 } accept"
        "udp sport . udp dport { 68 . 67, 546 . 547 } accept comment \"DHCP\""
      ]
      ++ linesOf out.extraRules
    );

  asked =
    openings:
    openings.allowedTCPPorts != [ ]
    || openings.allowedUDPPorts != [ ]
    || openings.allowedTCPPortRanges != [ ]
    || openings.allowedUDPPortRanges != [ ];

  sshPorts = optionals config.services.openssh.enable config.services.openssh.ports;

  # An SSH server alone asks nothing: its port is open either way.
  wanted =
    asked (cfg // { allowedTCPPorts = lib.subtractLists sshPorts cfg.allowedTCPPorts; })
    || cfg.interfaces != { }
    || cfg.trustedInterfaces != [ ]
    || cfg.extraInputRules != ""
    || cfg.filterForward
    || out.enabled;
in
{
  options.networking.firewall = openings "on every interface" // {
    enable = mkOption {
      type = types.bool;
      default = wanted;
      defaultText = "whether ports, interfaces or rules are declared";
      description = ''
        Whether to have a stateful firewall that drops what is not allowed. A host that says nothing
        of its firewall keeps the one that it was found with. The port of
        `deployment.targetPort` is left open unless `deployment.openFirewall` is false.
      '';
    };

    backend = mkOption {
      type = types.enum [ "nftables" ];
      default = "nftables";
      description = "What implements the firewall.";
    };

    interfaces = interfaces "on one interface";

    trustedInterfaces = trusted "Interfaces from which everything is accepted, beside `lo`.";

    rejectPackets = flag false "Refuse packets with an answer, instead of dropping them.";

    allowPing = flag true "Answer ICMPv4 echo requests. Those of ICMPv6 are always answered.";

    pingLimit = mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "2/second";
      description = "Rate above which echo requests are not answered, in nft's syntax.";
    };

    logRefusedConnections = flag false "Log TCP connections that are refused.";
    logRefusedPackets = flag false "Log all packets that are refused.";
    logRefusedUnicastsOnly = flag true "With `logRefusedPackets`: only those sent to this host alone.";
    logReversePathDrops = flag false "Log packets that the reverse path filter drops.";

    checkReversePath = mkOption {
      type = types.either types.bool (
        types.enum [
          "strict"
          "loose"
        ]
      );
      default = true;
      description = ''
        Drop packets whose answer would not leave by the interface that they came in by (`true` or
        `"strict"`), or by no interface at all (`"loose"`, for hosts with several ways out).
      '';
    };

    filterForward = flag false ''
      Drop forwarded packets that are not allowed. Networks of containers and pods then need rules in
      `extraForwardRules`: an accept in another table does not stop a drop in this one.
    '';

    filterOutput = openings "for connections of this host" // {
      enabled = flag false "Drop packets of this host that are not allowed.";
      interfaces = interfaces "for connections that leave by one interface";
      trustedInterfaces = trusted "Interfaces to which everything is allowed, beside `lo`.";
      extraRules = rules "output-allow";
    };

    extraInputRules = rules "input-allow";
    extraForwardRules = rules "forward-allow";
    extraReversePathFilterRules = rules "rpfilter-allow";

    connectionTrackingModules = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "ftp" ];
      description = "Helpers for connection tracking: the module `nf_conntrack_<name>` of each is loaded.";
    };

    autoLoadConntrackHelpers = flag false ''
      Let the kernel use the helpers by itself, by their well-known ports. Kernels from 6.0 on ignore it.
    '';

    extraPackages = mkOption {
      type = types.listOf types.package;
      default = [ ];
      description = "Packages that rules need.";
    };

    extraCommands = mkOption {
      type = types.lines;
      default = "";
      description = "Of NixOS's iptables firewall; has no place here and must be empty.";
    };

    extraStopCommands = mkOption {
      type = types.lines;
      default = "";
      description = "Of NixOS's iptables firewall; has no place here and must be empty.";
    };
  };

  config = mkIf cfg.enable {
    networking.nftables.tables.cairn-fw = {
      family = "inet";
      content = concatStringsSep "\n" (
        [ temporary ]
        ++ optional (cfg.checkReversePath != false) rpfilter
        ++ [ input ]
        ++ optional cfg.filterForward forward
        ++ optional out.enabled output
      );
    };

    boot.kernelModules = map (name: "nf_conntrack_${name}") cfg.connectionTrackingModules;

    environment.etc."modprobe.d/cairn-conntrack.conf" = mkIf cfg.autoLoadConntrackHelpers {
      text = "options nf_conntrack nf_conntrack_helper=1\n";
    };

    environment.packages = cfg.extraPackages;

    assertions = [
      {
        assertion = cfg.extraCommands == "" && cfg.extraStopCommands == "";
        message =
          "networking.firewall.extraCommands and extraStopCommands are for iptables: "
          + "write nft rules in extraInputRules, extraForwardRules or networking.nftables.tables.";
      }
      {
        assertion = cfg.extraForwardRules == "" || cfg.filterForward;
        message = "networking.firewall.extraForwardRules has no effect while filterForward is false.";
      }
      {
        assertion = cfg.extraReversePathFilterRules == "" || cfg.checkReversePath != false;
        message =
          "networking.firewall.extraReversePathFilterRules has no effect while checkReversePath is false.";
      }
      {
        assertion = lib.all (range: range.from <= range.to) (
          cfg.allowedTCPPortRanges ++ cfg.allowedUDPPortRanges
        );
        message = "networking.firewall: a range of ports ends before it begins.";
      }
    ];
  };
}
