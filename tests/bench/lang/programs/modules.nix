# A configuration of as many options, half of them set by a second module.
{ lib, count }:
let
  numbers = builtins.genList (number: number) count;
  each =
    f:
    builtins.listToAttrs (
      map (number: {
        name = "service${toString number}";
        value = f number;
      }) numbers
    );
  declarations = {
    options.services = each (number: {
      enable = lib.mkOption {
        type = lib.types.bool;
        default = false;
      };
      port = lib.mkOption {
        type = lib.types.int;
        default = number;
      };
      users = lib.mkOption {
        type = lib.types.listOf lib.types.str;
        default = [ ];
      };
      settings = lib.mkOption {
        type = lib.types.attrsOf lib.types.str;
        default = { };
      };
    });
  };
  definitions =
    { config, ... }:
    {
      config.services = each (
        number:
        lib.mkIf (number / 2 * 2 == number) {
          enable = true;
          port = lib.mkForce (number + 1);
          users = [ "user${toString number}" ] ++ lib.optional config.services.service1.enable "other";
          settings.name = lib.mkDefault "the name";
          settings.other = "text ${toString number}";
        }
      );
    };
in
(lib.evalModules {
  modules = [
    declarations
    definitions
  ];
}).config.services
