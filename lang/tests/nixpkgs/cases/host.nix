# A host as modules describe one: some fifty options of most types, defined in several modules.
lib:
let
  inherit (lib) mkOption mkEnableOption mkIf mkMerge mkForce mkDefault types;

  users = { config, lib, ... }: {
    options.users = {
      mutable = mkOption { type = types.bool; default = true; };
      users = mkOption {
        default = { };
        type = types.attrsOf (types.submodule ({ name, config, ... }: {
          options = {
            name = mkOption { type = types.passwdEntry types.str; };
            uid = mkOption { type = types.nullOr types.ints.u32; default = null; };
            group = mkOption { type = types.str; apply = x: assert builtins.stringLength x < 32; x; default = "users"; };
            extraGroups = mkOption { type = types.listOf types.str; default = [ ]; };
            home = mkOption { type = types.path; default = "/var/empty"; };
            shell = mkOption { type = types.nullOr (types.either types.path types.str); default = "/bin/sh"; };
            isNormalUser = mkOption { type = types.bool; default = false; };
            isSystemUser = mkOption { type = types.bool; default = false; };
            keys = mkOption { type = types.listOf types.singleLineStr; default = [ ]; };
            packages = mkOption { type = types.listOf types.str; default = [ ]; };
          };
          config = mkMerge [
            {
              name = mkDefault name;
              shell = mkIf (name == "root") "/bin/bash";
            }
            (mkIf config.isNormalUser {
              group = mkDefault "users";
              home = mkDefault "/home/${config.name}";
              extraGroups = [ "video" ];
            })
          ];
        }));
      };
      groups = mkOption {
        type = types.attrsOf (types.submodule { options.gid = mkOption { type = types.nullOr types.int; default = null; }; options.members = mkOption { type = types.listOf types.str; default = [ ]; apply = lib.unique; }; });
        default = { };
      };
    };
    config.users.groups = lib.mapAttrs' (n: u: lib.nameValuePair u.group { members = [ u.name ]; }) config.users.users
      // { wheel.gid = 1; };
    config.assertions = lib.mapAttrsToList (n: u: {
      assertion = u.isNormalUser != u.isSystemUser || n == "root";
      message = "user ${n} is neither";
    }) config.users.users;
  };

  assertions = {
    options.assertions = mkOption { type = types.listOf types.unspecified; internal = true; default = [ ]; };
    options.warnings = mkOption { type = types.listOf types.str; default = [ ]; internal = true; };
  };

  networking = { config, options, lib, ... }: let cfg = config.networking; in {
    imports = [
      (lib.mkRenamedOptionModule [ "networking" "name" ] [ "networking" "hostName" ])
      (lib.mkAliasOptionModule [ "networking" "ports" ] [ "networking" "firewall" "allowedTCPPorts" ])
      (lib.mkRemovedOptionModule [ "networking" "wicd" ] "Use something else.")
      (lib.mkChangedOptionModule [ "networking" "oldMtu" ] [ "networking" "mtu" ] (config: lib.toInt config.networking.oldMtu))
      (lib.mkMergedOptionModule [ [ "networking" "dnsA" ] [ "networking" "dnsB" ] ] [ "networking" "nameservers" ] (config: [ (toString config.networking.dnsA) (toString config.networking.dnsB) ]))
    ];
    options.networking = {
      hostName = mkOption { type = types.strMatching "^$|^[[:alnum:]]([[:alnum:]_-]{0,61}[[:alnum:]])?$"; default = "host"; example = "box"; };
      domain = mkOption { type = types.nullOr types.str; default = null; };
      fqdn = mkOption { type = types.str; readOnly = true; default = if cfg.domain == null then cfg.hostName else "${cfg.hostName}.${cfg.domain}"; defaultText = "x"; };
      mtu = mkOption { type = types.ints.between 68 65535; default = 1500; };
      nameservers = mkOption { type = types.listOf types.str; default = [ ]; };
      extraHosts = mkOption { type = types.lines; default = ""; };
      search = mkOption { type = types.separatedString " "; default = ""; };
      firewall = {
        enable = mkEnableOption "the firewall" // { default = true; };
        allowedTCPPorts = mkOption { type = types.listOf types.port; default = [ ]; apply = ports: lib.unique (builtins.sort builtins.lessThan ports); };
        ranges = mkOption { type = types.listOf (types.attrsOf types.port); default = [ ]; };
        interfaces = mkOption {
          default = { };
          type = with types; attrsOf (submodule [ { options.allowedTCPPorts = mkOption { type = listOf port; default = [ ]; }; } ]);
        };
        rule = mkOption { type = types.functionTo types.str; default = port: "accept ${toString port}"; };
      };
      hosts = mkOption { type = types.attrsOf (types.listOf types.str); default = { }; };
    };
    config = mkIf cfg.firewall.enable {
      networking.firewall.allowedTCPPorts = [ 22 ];
      networking.hosts = { "127.0.0.1" = [ "localhost" ]; "::1" = lib.mkBefore [ "ip6-localhost" ]; };
    };
  };

  service = { lib, name, config, ... }: {
    freeformType = types.attrsOf types.anything;
    options = {
      enable = mkOption { type = types.bool; default = true; };
      description = mkOption { type = types.str; default = "service ${name}"; };
      wantedBy = mkOption { type = types.listOf types.str; default = [ ]; };
      serviceConfig = mkOption { type = types.attrsOf (types.oneOf [ types.str types.int types.bool types.path (types.listOf types.str) ]); default = { }; };
      environment = mkOption { type = types.attrsOf (types.nullOr (types.oneOf [ types.str types.path types.int ])); default = { }; };
      script = mkOption { type = types.lines; default = ""; };
      text = mkOption { type = types.str; internal = true; };
      priority = mkOption { type = types.float; default = 0.5; };
    };
    config = {
      text = lib.generators.toINI { listsAsDuplicateKeys = true; } { Unit.Description = config.description; Service = config.serviceConfig; };
      serviceConfig.ExecStart = mkIf (config.script != "") (mkDefault "/run/${name}");
    };
  };

  systemd = { config, lib, ... }: {
    options.systemd = {
      services = mkOption { type = types.attrsOf (types.submodule service); default = { }; };
      package = mkOption { type = types.package; default = { type = "derivation"; name = "systemd"; outPath = "/usr"; }; };
      level = mkOption { type = types.enum [ "debug" "info" "warning" ]; default = "info"; };
      sysctl = mkOption {
        default = { };
        type = types.submodule {
          freeformType = types.attrsOf (types.oneOf [ types.bool types.str types.int ]);
          options."net.core.rmem_max" = mkOption {
            default = null;
            type = types.nullOr types.ints.unsigned // { merge = loc: defs: lib.foldl (a: b: if b.value == null then null else lib.max a b.value) 0 (lib.filterOverrides defs); };
          };
        };
      };
      timeout = mkOption { type = types.coercedTo types.int (n: "${toString n}s") types.str; default = 90; };
      raw = mkOption { type = types.raw; default = x: x; };
      one = mkOption { type = types.uniq types.str; default = "one"; };
    };
    config.systemd.services.tick = { wantedBy = [ "multi-user.target" ]; script = lib.mkAfter "after"; };
  };

  base = { config, pkgs, ... }: {
    _file = "base.nix";
    imports = [ users assertions networking systemd ];
    config = {
      networking.hostName = mkDefault "unnamed";
      systemd.services.tick.script = "middle";
      systemd.services.sshd = mkMerge [
        { serviceConfig = { Restart = "always"; RestartSec = 5; ExecStart = "/usr/sbin/sshd -D"; }; }
        (mkIf (pkgs ? openssh) { environment.SSH = pkgs.openssh; })
        (mkIf false { description = throw "never"; })
      ];
    };
  };

  host = { config, lib, name, ... }: {
    _file = "host.nix";
    networking.name = "web";
    networking.domain = "example.org";
    networking.ports = [ 443 80 443 ];
    networking.extraHosts = "10.0.0.1 a";
    networking.search = "x";
    networking.hosts."::1" = [ name ];
    networking.oldMtu = "9000";
    networking.firewall.ranges = [ { from = 1; to = 2; } ];
    networking.firewall.interfaces.eth0.allowedTCPPorts = [ 1 ];
    users.users.alice = { isNormalUser = true; uid = 1000; keys = [ "ssh-ed25519 AAAA" ]; extraGroups = mkForce [ "wheel" ]; };
    users.users.root.home = "/root";
    users.users.svc = { isSystemUser = true; group = "svc"; };
    systemd.level = mkForce "debug";
    systemd.timeout = 5;
    systemd.sysctl = { "net.ipv4.ip_forward" = true; "vm.swappiness" = 10; "net.core.rmem_max" = 100; };
    systemd.services.tick = { script = lib.mkBefore "before"; Extra.nested = [ 1 { a = null; } ]; };
    systemd.services.sshd.serviceConfig.Restart = mkForce "on-failure";
  };

  more = { config, ... }: {
    networking.extraHosts = "10.0.0.2 b";
    networking.search = "y";
    systemd.sysctl."net.core.rmem_max" = 50;
    users.users.alice.packages = lib.optional config.users.mutable "vim";
    systemd.services = lib.genAttrs [ "a" "b" ] (n: { script = "run ${n}"; });
  };

  result = lib.evalModules {
    specialArgs.name = "web-1";
    modules = [ base host more { _module.args.pkgs = { openssh = "/usr"; }; } ];
  };
  # What `mkRemovedOptionModule` leaves throws when it is read.
  kept = result.config // { networking = builtins.removeAttrs result.config.networking [ "wicd" ]; };
  plain = lib.filterAttrsRecursive (n: v: !builtins.isFunction v) kept;
in
{
  config = builtins.removeAttrs plain [ "assertions" ];
  failed = map (x: x.message) (builtins.filter (x: !x.assertion) result.config.assertions);
  rule = result.config.networking.firewall.rule 80;
  raw = result.config.systemd.raw 3;
  text = result.config.systemd.services.sshd.text;
  order = map (d: d.file) result.options.networking.extraHosts.definitionsWithLocations;
  highest = result.options.systemd.level.highestPrio;
  defined = result.options.networking.mtu.isDefined;
  types = lib.mapAttrs (n: o: o.type.description) (lib.filterAttrs (n: lib.isOption) result.options.networking);
  json = builtins.toJSON plain.users;
}
