# WireGuard interfaces, with NixOS's options. What is private is a secret of the fleet, or a file that the
# host has: it is never written here.
{ config, lib, pkgs, ... }:

let
  inherit (lib)
    concatLists
    concatMap
    concatMapStrings
    concatStringsSep
    escapeShellArg
    filter
    listToAttrs
    mapAttrsToList
    mkIf
    mkMerge
    mkOption
    nameValuePair
    optional
    optionalString
    types
    unique
    ;

  cfg = config.networking.wireguard;
  interfaces = if cfg.enable then cfg.interfaces else { };

  # Options

  key = types.strMatching "[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=" // {
    description = "WireGuard key (32 bytes in base64)";
  };

  # Unlike that of a network, the address of a host in it has bits beyond the prefix.
  address = types.strMatching "[0-9a-fA-F.:]+/[0-9]{1,3}" // {
    description = "IP address with the length of its network (10.100.0.1/24)";
  };

  isAddress =
    text:
    let
      parts = lib.splitString "/" text;
      length = lib.toInt (lib.last parts);
    in
    types.ip.check (builtins.head parts) && length <= (if lib.hasInfix ":" text then 128 else 32);

  endpoint = types.strMatching ".+:[0-9]{1,5}" // {
    description = "address or name, and a port (vpn.example.org:51820)";
  };

  optionalOf =
    type: description:
    mkOption {
      type = types.nullOr type;
      default = null;
      inherit description;
    };

  commands =
    when:
    mkOption {
      type = types.lines;
      default = "";
      description = "Shell commands that run ${when}.";
    };

  peer =
    { config, ... }:
    {
      options = {
        name = mkOption {
          type = types.strMatching "[A-Za-z0-9_-]+";
          default = builtins.replaceStrings [ "/" "+" "=" ] [ "_" "-" "" ] config.publicKey;
          defaultText = "made of the public key";
          example = "laptop";
          description = "Name of the peer: part of its unit's name.";
        };
        publicKey = mkOption {
          type = key;
          example = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
          description = "Public key of the peer: what `wg pubkey` printed.";
        };
        presharedKey = optionalOf types.secret ''
          Key that both sides have besides, which keeps traffic of today from quantum computers: one of
          `config.sops.secrets`, made by `wg genpsk`.
        '';
        presharedKeyFile = optionalOf types.path "File on the host with such a key, where no secret of the fleet is to hold it.";
        allowedIPs = mkOption {
          type = types.listOf types.cidr;
          default = [ ];
          example = [ "10.100.0.2/32" ];
          description = "Networks that the peer is sent, and may send from.";
        };
        endpoint = mkOption {
          type = types.nullOr endpoint;
          default = null;
          example = "vpn.example.org:51820";
          description = "Where the peer is. Null for one that comes by itself.";
        };
        persistentKeepalive = mkOption {
          type = types.nullOr (types.ints.between 1 65535);
          default = null;
          example = 25;
          description = "Seconds between packets that keep a way through NAT open.";
        };
      };
    };

  interface = {
    options = {
      ips = mkOption {
        type = types.listOf address;
        default = [ ];
        example = [ "10.100.0.1/24" ];
        description = "Addresses of the interface, each with its network.";
      };
      privateKey = optionalOf types.secret ''
        Private key: one of `config.sops.secrets`, made by `wg genkey`.
      '';
      privateKeyFile = optionalOf types.path ''
        File on the host with the private key, where no secret of the fleet is to hold it.
      '';
      listenPort = optionalOf types.port ''
        UDP port that peers find the host at; any free one if null. The firewall does not open it by itself.
      '';
      fwMark = optionalOf types.ints.u32 "Mark of the packets that carry the tunnel.";
      mtu = optionalOf (types.ints.between 576 65535) "Largest packet of the interface, in bytes.";
      table = mkOption {
        type = types.str;
        default = "main";
        description = "Routing table of the peers' networks.";
      };
      metric = optionalOf types.ints.u32 "Metric of those routes.";
      allowedIPsAsRoutes = mkOption {
        type = types.bool;
        default = true;
        description = "Whether the peers' networks become routes.";
      };
      userspace = mkOption {
        type = types.bool;
        default = false;
        description = ''
          Run the tunnel in a program, wireguard-go: for a kernel that has no WireGuard, such as that of some
          containers. It needs /dev/net/tun.
        '';
      };
      preSetup = commands "before the interface is made";
      postSetup = commands "when it is up";
      preShutdown = commands "before it is taken down";
      postShutdown = commands "when it is gone";
      peers = mkOption {
        type = types.listOf (types.submodule peer);
        default = [ ];
        description = "Peers of the interface.";
      };
    };
  };

  # Units

  unitOf = name: "wireguard-${name}.service";
  peerUnitOf = name: peer: "wireguard-${name}-peer-${peer.name}.service";
  stem = lib.removeSuffix ".service";

  # Where a key is found: that of the fleet, or the host's.
  place = secret: file: if secret != null then config.sops.secrets.${secret.name}.path else file;

  familyOf = network: if lib.hasInfix ":" network then "-6" else "-4";

  interfaceUnit =
    name: it:
    let
      setting = word: value: optionalString (value != null) " ${word} ${toString value}";
    in
    {
      description = "WireGuard interface ${name}";
      documentation = [ "man:wg(8)" ];
      wantedBy = [ "multi-user.target" ];
      wants = [ "network.target" ];
      after = [ "network-pre.target" ];
      path = [
        pkgs.debian.iproute2
        pkgs.debian.wireguard-tools
      ]
      ++ optional it.userspace pkgs.debian.wireguard-go;
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
      };
      script = ''
        ${it.preSetup}
        ${
          if it.userspace then
            "wireguard-go ${name}"
          else
            ''
              modprobe wireguard 2>/dev/null || true
              ip link add dev ${name} type wireguard''
        }
        ${optionalString (it.mtu != null) "ip link set dev ${name} mtu ${toString it.mtu}"}
        ${concatMapStrings (ip: "ip address add ${ip} dev ${name}\n") it.ips}
        wg set ${name} private-key ${escapeShellArg (place it.privateKey it.privateKeyFile)}${setting "listen-port" it.listenPort}${setting "fwmark" it.fwMark}
        ip link set up dev ${name}
        ${it.postSetup}
      '';
      postStop = ''
        ${it.preShutdown}
        ip link delete dev ${name} 2>/dev/null || true
        ${it.postShutdown}
      '';
    };

  peerUnit =
    name: it: peer:
    let
      route =
        verb: network:
        "ip ${familyOf network} route ${verb} ${network} dev ${name} table ${escapeShellArg it.table}"
        + optionalString (it.metric != null) " metric ${toString it.metric}";
      routes = if it.allowedIPsAsRoutes then peer.allowedIPs else [ ];
      preshared = place peer.presharedKey peer.presharedKeyFile;
    in
    {
      description = "WireGuard peer ${peer.name} of ${name}";
      requires = [ (unitOf name) ];
      after = [
        (unitOf name)
        "network-online.target"
      ];
      wants = [ "network-online.target" ];
      # The interface comes back alone after it was stopped, and brings its peers.
      wantedBy = [
        "multi-user.target"
        (unitOf name)
      ];
      path = [
        pkgs.debian.iproute2
        pkgs.debian.wireguard-tools
      ];
      serviceConfig = {
        Type = "oneshot";
        RemainAfterExit = true;
      };
      script = ''
        wg set ${name} peer ${peer.publicKey}${
          optionalString (preshared != null) " preshared-key ${escapeShellArg preshared}"
        }${optionalString (peer.endpoint != null) " endpoint ${escapeShellArg peer.endpoint}"}${
          optionalString (
            peer.persistentKeepalive != null
          ) " persistent-keepalive ${toString peer.persistentKeepalive}"
        } allowed-ips ${escapeShellArg (concatStringsSep "," peer.allowedIPs)}
        ${concatMapStrings (network: "${route "replace" network}\n") routes}
      '';
      # Both are gone already where the interface is.
      postStop = ''
        wg set ${name} peer ${peer.publicKey} remove 2>/dev/null || true
        ${concatMapStrings (network: "${route "delete" network} 2>/dev/null || true\n") routes}
      '';
    };

  unitsOf =
    name: it:
    [ (nameValuePair (stem (unitOf name)) (interfaceUnit name it)) ]
    ++ map (peer: nameValuePair (stem (peerUnitOf name peer)) (peerUnit name it peer)) it.peers;

  # Who is told when a key is another.
  readersOf =
    name: it:
    optional (it.privateKey != null) { ${it.privateKey.name}.restartUnits = [ (unitOf name) ]; }
    ++ map (peer: { ${peer.presharedKey.name}.restartUnits = [ (peerUnitOf name peer) ]; }) (
      filter (peer: peer.presharedKey != null) it.peers
    );

  # What cannot work

  claim = path: assertion: message: {
    inherit assertion;
    message = "networking.wireguard.interfaces.${path}: ${message}";
  };

  twice = values: unique (filter (value: lib.count (other: other == value) values > 1) values);

  claimsOf =
    name: it:
    let
      networks = concatMap (peer: unique peer.allowedIPs) it.peers;
      keys = map (peer: peer.publicKey) it.peers;
      names = map (peer: peer.name) it.peers;
    in
    [
      (claim name (builtins.match "[A-Za-z0-9_.-]{1,15}" name != null)
        "an interface's name has at most 15 letters, digits, `_`, `-` and `.`."
      )
      (claim "${name}.privateKey" ((it.privateKey == null) != (it.privateKeyFile == null)) (
        "set this to a secret, or `privateKeyFile` to a file that the host has; not both."
      ))
      (claim "${name}.peers" (twice keys == [ ]) (
        "two peers have the key ${concatStringsSep ", " (twice keys)}: WireGuard tells peers apart by it."
      ))
      (claim "${name}.peers" (twice keys != [ ] || twice names == [ ]) (
        "two peers are named ${concatStringsSep ", " (twice names)}."
      ))
      (claim "${name}.peers" (twice networks == [ ]) (
        "two peers are sent ${concatStringsSep ", " (twice networks)}: only the last of them would be."
      ))
    ]
    ++ map (
      ip:
      claim "${name}.ips" (isAddress ip) (
        "${ip} is no IP address with the length of its network, such as 10.100.0.1/24."
      )
    ) it.ips
    ++ map (
      peer:
      claim "${name}.peers" (peer.presharedKey == null || peer.presharedKeyFile == null) (
        "the peer ${peer.name} has both `presharedKey` and `presharedKeyFile`: leave one out."
      )
    ) it.peers;
in
{
  options.networking.wireguard = {
    enable = mkOption {
      type = types.bool;
      default = cfg.interfaces != { };
      defaultText = "whether there are interfaces";
      description = "Whether the interfaces are made.";
    };

    interfaces = mkOption {
      type = types.attrsOf (types.submodule interface);
      default = { };
      example = lib.literalExpression ''
        {
          wg0 = {
            ips = [ "10.100.0.1/24" ];
            listenPort = 51820;
            privateKey = config.sops.secrets."wg0/key";
            peers = [
              {
                name = "laptop";
                publicKey = "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=";
                allowedIPs = [ "10.100.0.2/32" ];
              }
            ];
          };
        }
      '';
      description = ''
        WireGuard interfaces, by name. Each is a unit, `wireguard-<name>`, and so is each of its peers: a change
        of one peer disturbs no other.
      '';
    };
  };

  config = mkIf (interfaces != { }) {
    systemd.services = listToAttrs (concatLists (mapAttrsToList unitsOf interfaces));
    resources.secrets.values = mkMerge (concatLists (mapAttrsToList readersOf interfaces));
    assertions = concatLists (mapAttrsToList claimsOf interfaces);
  };
}
