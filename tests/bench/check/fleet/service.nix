# What services have in common.
{ lib }:

let
  inherit (lib) mkOption types;
in
{
  options = number: {
    enable = lib.mkEnableOption "service ${toString number}";

    port = mkOption {
      type = types.port;
      default = 8000 + number;
      description = "Port that the service listens on.";
    };

    peers = mkOption {
      type = types.listOf types.str;
      default = [ ];
      description = "Addresses of the others.";
    };

    settings = mkOption {
      type = types.attrsOf (
        types.oneOf [
          types.bool
          types.int
          types.str
        ]
      );
      default = { };
      description = "What stands in the configuration file.";
    };

    limits = {
      memory = mkOption {
        type = types.nullOr types.size;
        default = null;
        description = "Memory that the service may take.";
      };
      tasks = mkOption {
        type = types.ints.positive;
        default = 512;
        description = "Tasks that the service may have.";
      };
    };
  };

  render =
    settings:
    lib.concatStrings (
      lib.mapAttrsToList (
        name: value:
        "${name} = ${if lib.isBool value then lib.boolToString value else toString value}\n"
      ) settings
    );
}
