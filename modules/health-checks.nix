# What must hold for a switch to stand: a host that fails a check goes back by itself.
{ config, lib, ... }:

let
  inherit (lib)
    count
    filterAttrs
    mapAttrs
    mapAttrsToList
    mkOption
    types
    ;

  cfg = config.healthChecks;

  optional =
    type: example: description:
    mkOption {
      type = types.nullOr type;
      default = null;
      inherit example description;
    };

  check = {
    enable = mkOption {
      type = types.bool;
      default = true;
      description = "Whether the check is made.";
    };
    unit = optional types.str "app.service" "Unit that must be active.";
    port = optional types.port 8080 "TCP port that must accept a connection.";
    host = mkOption {
      type = types.str;
      default = "127.0.0.1";
      description = "Address of `port`, as the host itself sees it.";
    };
    url = optional types.str "http://127.0.0.1:8080/health" ''
      URL (`http:`) that must answer with a status from 200 to 399.
    '';
    command = optional types.str "test -S /run/app.sock" "Shell command that must exit with 0.";
    interval = mkOption {
      type = types.ints.positive;
      default = 1;
      description = "Seconds between two attempts.";
    };
    retries = mkOption {
      type = types.ints.unsigned;
      default = 30;
      description = "How often an attempt may fail and be made again.";
    };
    deadline = mkOption {
      type = types.ints.positive;
      default = 30;
      description = "Seconds after which the check has failed, whatever the retries.";
    };
  };

  isOne =
    check:
    1 == count (given: given != null) [
      check.unit
      check.port
      check.url
      check.command
    ];

  kindOf =
    check:
    if check.unit != null then
      "unit"
    else if check.port != null then
      "tcp"
    else if check.url != null then
      "http"
    else
      "command";
in
{
  options.healthChecks = mkOption {
    type = types.attrsOf (types.submodule { options = check; });
    default = { };
    example = {
      app.url = "http://127.0.0.1:8080/health";
    };
    description = "Health checks. Each looks at one of `unit`, `port`, `url` and `command`.";
  };

  config = {
    resources.checks = mapAttrs (_: check: {
      inherit (check)
        unit
        url
        command
        port
        interval
        retries
        deadline
        ;
      host = if check.port == null then null else check.host;
      kind = kindOf check;
    }) (filterAttrs (_: check: check.enable && isOne check) cfg);

    assertions = mapAttrsToList (name: check: {
      assertion = isOne check;
      message = "healthChecks.${name} needs exactly one of `unit`, `port`, `url` and `command`.";
    }) cfg;
  };
}
