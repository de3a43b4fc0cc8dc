# Where a host is and how a deployer gets there. None of this is part of a generation.
{ config, lib, ... }:

let
  inherit (lib) mkOption types;

  cfg = config.deployment;
in
{
  options.deployment = {
    targetHost = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = ''
        Address or name to connect to, or a `Host` of `~/.ssh/config`. Null takes the host's name in
        the fleet.
      '';
    };

    targetPort = mkOption {
      type = types.port;
      default = 22;
      description = ''
        Port of the host's SSH server. Where the fleet does not set it, `~/.ssh/config` may name
        another.
      '';
    };

    targetUser = mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "root";
      description = ''
        User to log in as. Null takes the one of `~/.ssh/config`, or else your own login name. Any
        other than root needs `sudo` without a password.
      '';
    };

    openFirewall = mkOption {
      type = types.bool;
      default = true;
      description = ''
        Whether `networking.firewall` leaves `deployment.targetPort` open, so that a
        switch cannot lock its deployer out.
      '';
    };

    hostKey = mkOption {
      type = types.nullOr types.str;
      default = null;
      example = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI…";
      description = ''
        Public host key that the server must show. No other is accepted then; `known_hosts` is
        asked for revocations alone.
      '';
    };

    tags = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Tags by which hosts can be chosen on the command line, as `@tag`.";
    };

    groups = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Groups of the fleet that the host is in. A result: groups list their hosts.";
    };

    confirmTimeout = mkOption {
      type = types.ints.positive;
      default = 30;
      description = ''
        Seconds that the deployer has to confirm a switch over a new connection. Otherwise the host
        goes back by itself.
      '';
    };

    allowLockout = mkOption {
      type = types.bool;
      default = false;
      description = ''
        Whether a switch may shut out the login that deploys. Otherwise the host refuses a generation
        after which that login surely has no way in: no authorized key and no password, no `sudo`, the
        SSH port shut. A switch that cannot be confirmed still goes back.
      '';
    };

    adopt = mkOption {
      type = types.either types.bool (types.listOf types.str);
      default = false;
      apply =
        adopt:
        if adopt == true then true else (if adopt == false then [ ] else adopt) ++ cfg.replaces;
      example = [ "/etc/motd" ];
      description = ''
        Files of the host, not made by Cairn, that a switch may replace: paths, or `true` for all.
        They are kept in generation 0 and come back when the fleet lets go of them.
      '';
    };

    replaces = mkOption {
      type = types.listOf types.str;
      default = [ ];
      internal = true;
      description = "Files that every host has: whoever declares their content means to replace them.";
    };
  };
}
