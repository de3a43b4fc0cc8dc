# The SSH server that the host has: a drop-in comes before its own configuration, and it is reloaded.
{ config, lib, pkgs, ... }:

let
  inherit (lib)
    concatMapStrings
    concatStringsSep
    elem
    filterAttrs
    isBool
    isList
    mapAttrsToList
    mkEnableOption
    mkIf
    mkMerge
    mkOption
    optional
    optionalString
    types
    ;

  cfg = config.services.openssh;
  inherit (config) deployment;

  dropin = "/etc/ssh/sshd_config.d/10-cairn.conf";

  setting =
    type: description:
    mkOption {
      type = types.nullOr type;
      default = null;
      inherit description;
    };

  strings = setting (types.listOf types.str);

  # Lists of patterns are separated by blanks, lists of algorithms by commas.
  patterns = [
    "AcceptEnv"
    "AllowGroups"
    "AllowUsers"
    "DenyGroups"
    "DenyUsers"
  ];

  valueOf =
    name: value:
    if isBool value then
      (if value then "yes" else "no")
    else if isList value then
      concatStringsSep (if elem name patterns then " " else ",") value
    else
      toString value;

  line = name: value: "${name} ${valueOf name value}\n";

  text =
    optionalString cfg.enable (
      concatMapStrings (line "Port") cfg.ports
      + concatMapStrings (
        { addr, port }:
        line "ListenAddress" (if port == null then addr else "${bracketed addr}:${toString port}")
      ) cfg.listenAddresses
    )
    + line "AuthorizedKeysFile" (concatStringsSep " " cfg.authorizedKeysFiles)
    + optionalString cfg.enable (
      concatStringsSep "" (
        mapAttrsToList line (filterAttrs (_: value: value != null) cfg.settings)
      )
      + cfg.extraConfig
    );

  bracketed = address: if builtins.match ".*:.*" address != null then "[${address}]" else address;
in
{
  options.services.openssh = {
    enable = mkEnableOption "the OpenSSH server, configured by Cairn";

    ports = mkOption {
      type = types.listOf types.port;
      default = [ 22 ];
      description = "Ports that the server listens on.";
    };

    listenAddresses = mkOption {
      type = types.listOf (
        types.submodule {
          options = {
            addr = mkOption {
              type = types.str;
              description = "Address, or name.";
            };
            port = mkOption {
              type = types.nullOr types.port;
              default = null;
              description = "Port; null stands for `ports`.";
            };
          };
        }
      );
      default = [ ];
      description = "Addresses that the server listens on; all if there are none.";
    };

    openFirewall = mkOption {
      type = types.bool;
      default = true;
      description = "Open the ports in the firewall.";
    };

    authorizedKeysFiles = mkOption {
      type = types.listOf types.str;
      default = [
        "%h/.ssh/authorized_keys"
        "/etc/ssh/authorized_keys.d/%u"
      ];
      description = "Files of keys, for sshd to read; the second holds those of `users.users`.";
    };

    readsManagedKeys = mkOption {
      type = types.bool;
      default = cfg.enable;
      defaultText = lib.literalExpression "config.services.openssh.enable";
      internal = true;
      description = "Whether the server is told of the keys of `users.users`.";
    };

    settings = mkOption {
      default = { };
      example = {
        PasswordAuthentication = false;
        PermitRootLogin = "no";
      };
      description = ''
        Lines of sshd_config(5), which come before those of the host's own file and so win over them.
        What is null stays as the host has it: unlike on NixOS, no default loosens it.
      '';
      type = types.submodule {
        freeformType = types.attrsOf (
          types.nullOr (
            types.oneOf [
              types.bool
              types.int
              types.str
              (types.listOf types.str)
            ]
          )
        );
        options = {
          LogLevel = setting (types.enum [
            "QUIET"
            "FATAL"
            "ERROR"
            "INFO"
            "VERBOSE"
            "DEBUG"
            "DEBUG1"
            "DEBUG2"
            "DEBUG3"
          ]) "How much is logged.";
          PermitRootLogin = setting (types.enum [
            "yes"
            "without-password"
            "prohibit-password"
            "forced-commands-only"
            "no"
          ]) "Whether root may log in.";
          PasswordAuthentication = setting types.bool "Whether passwords are accepted.";
          KbdInteractiveAuthentication =
            setting types.bool "Whether keyboard-interactive authentication is accepted.";
          X11Forwarding = setting types.bool "Whether X11 may be forwarded.";
          UseDns = setting types.bool "Whether names of clients are looked up.";
          StrictModes = setting types.bool "Whether modes of files of keys are checked.";
          PrintMotd = setting types.bool "Whether sshd prints /etc/motd.";
          GatewayPorts = setting types.str "Whether others may connect to forwarded ports.";
          Ciphers = strings "Ciphers.";
          Macs = strings "Message authentication codes.";
          KexAlgorithms = strings "Key exchange algorithms.";
          AllowUsers = strings "Users that may log in; all others may not.";
          DenyUsers = strings "Users that may not log in.";
          AllowGroups = strings "Groups that may log in; all others may not.";
          DenyGroups = strings "Groups that may not log in.";
        };
      };
    };

    extraConfig = mkOption {
      type = types.lines;
      default = "";
      description = "Lines of sshd_config(5), as they stand.";
    };
  };

  config = mkMerge [
    (mkIf cfg.readsManagedKeys {
      resources.files.${dropin}.text = text;

      # Debian's own unit: a reload keeps sessions, and takes new ports too.
      resources.units."ssh.service" = {
        text = null;
        reloadTriggers = [ (builtins.hashString "sha256" text) ];
      };
    })

    (mkIf cfg.enable {
      environment.packages = [ pkgs.debian.openssh-server ];
      networking.firewall.allowedTCPPorts = mkIf cfg.openFirewall cfg.ports;

      assertions = [
        {
          assertion = cfg.ports != [ ];
          message = "services.openssh.ports is empty: name at least one port.";
        }
      ];

      warnings =
        optional (deployment.targetUser == "root" && cfg.settings.PermitRootLogin == "no") (
          "services.openssh.settings.PermitRootLogin is \"no\", but deployments log in as root: "
          + "set deployment.targetUser to a user with sudo."
        )
        ++ optional (!(elem deployment.targetPort cfg.ports)) (
          "services.openssh.ports lacks deployment.targetPort, ${toString deployment.targetPort}: "
          + "the next deployment needs another port."
        );
    })
  ];
}
