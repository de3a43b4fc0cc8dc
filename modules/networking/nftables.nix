# nftables tables that Cairn owns whole. All are replaced in one transaction; other tables on the
# host, such as those of kube-proxy or docker, are never touched.
{ config, lib, pkgs, ... }:

let
  inherit (lib)
    filterAttrs
    mapAttrs'
    mkIf
    mkOption
    nameValuePair
    types
    ;

  cfg = config.networking.nftables;

  tables = filterAttrs (_: table: table.enable) cfg.tables;

  table =
    { name, ... }:
    {
      options = {
        enable = mkOption {
          type = types.bool;
          default = true;
          description = "Whether the table is made.";
        };
        name = mkOption {
          type = types.str;
          default = name;
          defaultText = "the attribute's name";
          description = "Name of the table.";
        };
        family = mkOption {
          type = types.enum [
            "ip"
            "ip6"
            "inet"
            "arp"
            "bridge"
            "netdev"
          ];
          description = "Family of the table.";
        };
        content = mkOption {
          type = types.lines;
          description = "What stands between the table's braces, in nft's syntax.";
        };
      };
    };
in
{
  options.networking.nftables = {
    enable = mkOption {
      type = types.bool;
      default = true;
      description = "Whether the declared tables are made.";
    };

    tables = mkOption {
      type = types.attrsOf (types.submodule table);
      default = { };
      example = {
        limits = {
          family = "inet";
          content = ''
            chain input {
              type filter hook input priority filter; policy accept;
              tcp dport 22 ct state new limit rate over 10/minute drop
            }
          '';
        };
      };
      description = "Tables. A switch replaces them in one transaction, and removes those that went.";
    };
  };

  config = mkIf (cfg.enable && tables != { }) {
    resources.nftables = mapAttrs' (
      _: table:
      nameValuePair "${table.family} ${table.name}" {
        inherit (table) family name;
        body = table.content;
      }
    ) tables;

    environment.packages = [ pkgs.debian.nftables ];
  };
}
