# The running kernel.
{ config, lib, ... }:

let
  inherit (lib)
    filterAttrs
    isBool
    mapAttrs
    mkOption
    types
    unique
    ;

  cfg = config.boot;

  rendered = mapAttrs (
    _: value: if isBool value then (if value then "1" else "0") else toString value
  ) (filterAttrs (_: value: value != null) cfg.kernel.sysctl);
in
{
  options.boot = {
    kernel.sysctl = mkOption {
      type = types.attrsOf (
        types.nullOr (
          types.oneOf [
            types.bool
            types.int
            types.str
          ]
        )
      );
      default = { };
      example = {
        "net.ipv4.ip_forward" = true;
        "vm.swappiness" = 10;
      };
      description = "Kernel parameters. Null leaves one alone.";
    };

    kernelModules = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "br_netfilter" ];
      description = "Kernel modules that are loaded, now and at each boot.";
    };
  };

  config.resources.kernel = {
    sysctl = rendered;
    modules = unique cfg.kernelModules;
  };
}
