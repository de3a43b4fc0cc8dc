# The options that units of each kind have, with NixOS's names.
{ lib }:

let
  inherit (lib) mkOption types;

  atom = types.oneOf [
    types.bool
    types.int
    types.float
    types.path
    types.package
    types.str
  ];

  # The settings of a unit file's section: a list gives one line for each element, null none.
  section =
    name: example:
    mkOption {
      type = types.attrsOf (types.nullOr (types.either atom (types.listOf atom)));
      default = { };
      inherit example;
      description = ''
        Each attribute is a line of the section `[${name}]` of the unit; a list gives one line for
        each of its elements.
      '';
    };

  units =
    description:
    mkOption {
      type = types.listOf types.str;
      default = [ ];
      inherit description;
    };

  lines =
    description:
    mkOption {
      type = types.lines;
      default = "";
      inherit description;
    };

  flag =
    default: description:
    mkOption {
      type = types.bool;
      inherit default description;
    };

  triggers =
    verb:
    mkOption {
      type = types.listOf atom;
      default = [ ];
      description = "Values that ${verb} the unit when they changed, such as files that it reads.";
    };

  shared = {
    enable = flag true "If false, the unit cannot be started: it is masked.";
    wantedBy = units "Units that want this one: starting them starts it.";
    requiredBy = units "Units that require this one.";
    restartTriggers = triggers "restart";
    reloadTriggers = triggers "reload";
  };

  common = shared // {
    description = mkOption {
      type = types.str;
      default = "";
      description = "Description of the unit.";
    };
    documentation = units "URIs of the unit's documentation.";
    requires = units "Units that are started with this one, and whose end stops it.";
    wants = units "Units that are started with this one.";
    upholds = units "Units that are kept running as long as this one runs.";
    after = units "Units that are started before this one, if both are.";
    before = units "Units that are started after this one, if both are.";
    bindsTo = units "Like `requires`, and this unit stops when they stop for any reason.";
    partOf = units "Units whose stop or restart stops or restarts this one.";
    conflicts = units "Units that cannot run beside this one.";
    requisite = units "Units that must run already when this one is started.";
    onFailure = units "Units that are started when this one fails.";
    onSuccess = units "Units that are started when this one ends well.";
    startLimitBurst = mkOption {
      type = types.nullOr types.int;
      default = null;
      description = "How often the unit may be started within `startLimitIntervalSec`.";
    };
    startLimitIntervalSec = mkOption {
      type = types.nullOr types.int;
      default = null;
      description = "Seconds within which starts are counted.";
    };
    unitConfig = section "Unit" { RequiresMountsFor = "/data"; };
    overrideStrategy = mkOption {
      type = types.enum [
        "asDropinIfExists"
        "asDropin"
      ];
      default = "asDropinIfExists";
      description = ''
        `asDropin` writes a drop-in beside the unit that the host already has, instead of a whole
        unit. `asDropinIfExists` does so for an instance of a template that is declared here.
      '';
    };
  };

  script =
    when:
    lines "Shell commands (bash, ending at the first that fails) that run ${when}.";
in
{
  unit = shared // {
    text = mkOption {
      type = types.nullOr types.str;
      default = null;
      description = "Text of the unit file; null for a unit that the host already has.";
    };
    restartIfChanged = flag true "Restart the unit when it changed.";
    reloadIfChanged = flag false "Reload the unit, instead of restarting it, when it changed.";
    stopIfChanged = flag true "Restart as a stop under the old unit and a start under the new one.";
    stopOnRemoval = flag true "Stop the unit when it leaves the configuration.";
    onlyManualStart = flag false "Never start or stop the unit in a switch.";
  };

  service = common // {
    serviceConfig = section "Service" {
      RestartSec = 5;
      StateDirectory = "app";
    };
    environment = mkOption {
      type = types.attrsOf (
        types.nullOr (
          types.oneOf [
            types.str
            types.path
            types.package
          ]
        )
      );
      default = { };
      example = {
        LANG = "C.UTF-8";
      };
      description = "Environment of the service's processes.";
    };
    path = mkOption {
      type = types.listOf (types.either types.package types.str);
      default = [ ];
      description = ''
        Packages (or directories) whose `bin` and `sbin` are put before the usual `PATH` of the
        service. The packages are installed.
      '';
    };
    script = script "as the service's main process";
    scriptArgs = mkOption {
      type = types.str;
      default = "";
      example = "%i";
      description = "Arguments of the script; systemd's specifiers are expanded.";
    };
    preStart = script "before the main process";
    postStart = script "after the main process was started";
    reload = script "when the service is reloaded";
    preStop = script "before the service is stopped";
    postStop = script "after the service ended";
    startAt = mkOption {
      type = types.either types.str (types.listOf types.str);
      default = [ ];
      example = "Sun 14:00:00";
      description = "Times, as in systemd.time(7), at which a timer starts the service.";
    };
    restartIfChanged = flag true "Restart the service when its unit changed.";
    reloadIfChanged = flag false "Reload the service, instead of restarting it, when its unit changed.";
    stopIfChanged = flag true ''
      Restart by stopping under the old unit and starting under the new one. If false, the service is
      restarted in one step under the new unit.
    '';
  };

  timer = common // {
    timerConfig = section "Timer" {
      OnCalendar = "daily";
      Persistent = true;
    };
  };

  socket = common // {
    listenStreams = units "Addresses on which the socket takes streams: each is a `ListenStream=`.";
    listenDatagrams = units "Addresses on which the socket takes datagrams: each is a `ListenDatagram=`.";
    socketConfig = section "Socket" { Accept = true; };
  };

  path = common // {
    pathConfig = section "Path" { PathChanged = "/etc/app.conf"; };
  };

  target = common;

  slice = common // {
    sliceConfig = section "Slice" { MemoryMax = "2G"; };
  };
}
