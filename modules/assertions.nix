# What a module can say about a configuration as a whole.
{ lib, ... }:

let
  inherit (lib) mkOption types;

  assertion = {
    assertion = mkOption {
      type = types.bool;
      description = "What must hold.";
    };
    message = mkOption {
      type = types.str;
      description = "What is said if it does not.";
    };
  };
in
{
  options = {
    assertions = mkOption {
      type = types.listOf (types.submodule { options = assertion; });
      default = [ ];
      example = [
        {
          assertion = false;
          message = "you can't enable this for that reason";
        }
      ];
      description = "Conditions that must hold for the host; each that does not is an error.";
    };

    warnings = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "The `foo` service is deprecated and will go away soon!" ];
      description = "Warnings that are shown when the host is built.";
    };
  };
}
