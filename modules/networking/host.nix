# The host's name, and the names that it knows of others.
{ config, lib, ... }:

let
  inherit (lib)
    concatStringsSep
    elem
    mapAttrsToList
    mkIf
    mkOption
    optional
    types
    ;

  cfg = config.networking;

  line = address: names: "${address} ${concatStringsSep " " names}\n";

  named = cfg.hostName != "";

  hostName = types.strMatching "([a-zA-Z0-9]([a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)?" // {
    description = "host name (at most 63 letters, digits and inner `-`, no dots)";
  };

  declared = builtins.concatLists (builtins.attrValues cfg.hosts);

  # As Debian has it: the host's name leads to itself, without a network.
  usual = [
    (line "127.0.0.1" [ "localhost" ])
    (line "::1" [
      "localhost"
      "ip6-localhost"
      "ip6-loopback"
    ])
    (line "ff02::1" [ "ip6-allnodes" ])
    (line "ff02::2" [ "ip6-allrouters" ])
  ]
  ++ optional (named && !(elem cfg.hostName declared)) (
    line "127.0.1.1" [ cfg.hostName ]
  );
in
{
  options.networking = {
    hostName = mkOption {
      type = hostName;
      default = "";
      example = "alpha";
      description = "Name of the host. Empty leaves the name that it has.";
    };

    hosts = mkOption {
      type = types.attrsOf (types.listOf types.str);
      default = { };
      example = {
        "192.168.1.10" = [ "alpha" ];
      };
      description = ''
        Names by address, for /etc/hosts, beside those of the host itself. If there are none, the
        host keeps its own /etc/hosts.
      '';
    };

    extraHosts = mkOption {
      type = types.lines;
      default = "";
      description = "Lines that are added to /etc/hosts as they stand.";
    };
  };

  config = {
    # The kernel has the name from now on, the file at every boot.
    resources.kernel.hostname = mkIf named cfg.hostName;
    environment.etc.hostname = mkIf named { text = "${cfg.hostName}\n"; };

    environment.etc.hosts = mkIf (cfg.hosts != { } || cfg.extraHosts != "") {
      text = concatStringsSep "" (usual ++ mapAttrsToList line cfg.hosts) + cfg.extraHosts;
    };

    assertions = map (address: {
      assertion = types.ip.check address;
      message =
        "networking.hosts.\"${address}\" is no IP address: "
        + "the address comes first, as in `networking.hosts.\"192.168.1.10\" = [ \"alpha\" ]`.";
    }) (builtins.attrNames cfg.hosts);

    # Every host has these files; whoever declares their content means to replace them.
    deployment.replaces =
      optional named "/etc/hostname"
      ++ optional (cfg.hosts != { } || cfg.extraHosts != "") "/etc/hosts";
  };
}
