# systemd units, as NixOS declares them.
{ config, lib, ... }:

let
  inherit (lib)
    concatMap
    filterAttrs
    hasSuffix
    mapAttrs
    mapAttrs'
    mapAttrsToList
    mkMerge
    mkOption
    nameValuePair
    optionalString
    splitString
    types
    ;

  options = import ./options.nix { inherit lib; };
  render = import ./render.nix { inherit lib; };

  cfg = config.systemd;

  entries =
    options: description:
    mkOption {
      type = types.attrsOf (types.submodule { inherit options; });
      default = { };
      inherit description;
    };

  # Scripts

  scriptPath = unit: step: "/etc/cairn/scripts/${unit}/${step}";

  # A script is a file of its own, named in the unit's text; its hash restarts the unit.
  scriptsOf =
    service:
    filterAttrs (_: text: text != "") {
      start = service.script;
      pre-start = service.preStart;
      post-start = service.postStart;
      reload = service.reload;
      pre-stop = service.preStop;
      post-stop = service.postStop;
    };

  commands =
    unit: service:
    mapAttrs (
      step: _:
      scriptPath unit step
      + (if step == "start" && service.scriptArgs != "" then " ${service.scriptArgs}" else "")
    ) (scriptsOf service);

  scriptHashes =
    service: mapAttrsToList (_: text: builtins.hashString "sha256" text) (scriptsOf service);

  scriptFiles =
    unit: service:
    mapAttrs' (
      step: text:
      nameValuePair (scriptPath unit step) {
        text = "#!/bin/bash -e\n${text}${optionalString (!(hasSuffix "\n" text)) "\n"}";
        mode = "0755";
      }
    ) (scriptsOf service);

  # Units

  # `foo@` of `foo@bar`, or null for what is no instance of a template that is declared here.
  templateOf =
    siblings: name:
    let
      parts = splitString "@" name;
      template = "${builtins.head parts}@";
    in
    if builtins.length parts == 2 && name != template && siblings ? ${template} then
      template
    else
      null;

  shared = unit: {
    inherit (unit) enable wantedBy requiredBy;
    restartTriggers = map render.atom unit.restartTriggers;
    reloadTriggers = map render.atom unit.reloadTriggers;
  };

  # The rules of NixOS that stand in the unit's text under names that systemd skips.
  rules = unit: {
    stopOnRemoval = unit.unitConfig.X-StopOnRemoval or true;
    onlyManualStart = unit.unitConfig.X-OnlyManualStart or false;
  };

  # An instance is its template's text followed by its own, as systemd would read a drop-in.
  textOf =
    siblings: sections: name:
    let
      template = templateOf siblings name;
    in
    render.file ((if template == null then [ ] else sections template) ++ sections name);

  # What restarts a template's unit restarts its instances.
  inherited =
    siblings: extra: name:
    let
      template = templateOf siblings name;
    in
    if template == null then
      { }
    else
      {
        restartTriggers =
          (shared siblings.${template}).restartTriggers
          ++ (extra siblings.${template}).restartTriggers or [ ];
      };

  unitsOf =
    kind: siblings: sections: extra:
    mapAttrs' (
      name: unit:
      nameValuePair "${name}.${kind}" (
        mkMerge [
          (shared unit)
          (rules unit)
          (extra unit)
          (inherited siblings extra name)
          (
            if unit.overrideStrategy == "asDropin" then
              # The host's own unit: what changes is a file beside it.
              { restartTriggers = [ (builtins.hashString "sha256" (render.file (sections name))) ]; }
            else
              { text = textOf siblings sections name; }
          )
        ]
      )
    ) siblings;

  dropinsOf =
    kind: siblings: sections:
    mapAttrs' (
      name: _:
      nameValuePair "/etc/systemd/system/${name}.${kind}.d/50-cairn.conf" {
        text = render.file (sections name);
      }
    ) (filterAttrs (_: unit: unit.overrideStrategy == "asDropin") siblings);

  plain = siblings: format: name: format siblings.${name};

  serviceSections =
    name: render.service (commands name cfg.services.${name}) cfg.services.${name};

  ofService = service: {
    inherit (service) restartIfChanged reloadIfChanged stopIfChanged;
    restartTriggers = scriptHashes service;
  };

  # Every kind of unit: its name, its units, the sections of one, and what it adds to the resource.
  kinds = [
    {
      kind = "service";
      siblings = cfg.services;
      sections = serviceSections;
      extra = ofService;
    }
    {
      kind = "timer";
      siblings = cfg.timers;
      sections = plain cfg.timers render.timer;
      extra = _: { };
    }
    {
      kind = "socket";
      siblings = cfg.sockets;
      sections = plain cfg.sockets render.socket;
      extra = _: { };
    }
    {
      kind = "path";
      siblings = cfg.paths;
      sections = plain cfg.paths render.path;
      extra = _: { };
    }
    {
      kind = "target";
      siblings = cfg.targets;
      sections = plain cfg.targets render.target;
      extra = _: { };
    }
    {
      kind = "slice";
      siblings = cfg.slices;
      sections = plain cfg.slices render.slice;
      extra = _: { };
    }
  ];

  started = filterAttrs (_: service: service.enable && service.startAt != [ ]) cfg.services;
in
{
  options.systemd = {
    units = entries options.unit "Units by full name, as text.";
    services = entries options.service "Services.";
    timers = entries options.timer "Timers.";
    sockets = entries options.socket "Sockets.";
    paths = entries options.path "Paths that are watched.";
    targets = entries options.target "Targets.";
    slices = entries options.slice "Slices.";

    tmpfiles.rules = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "d /var/lib/app 0750 app app -" ];
      description = "Lines of tmpfiles.d(5): directories and files that are made, cleaned or removed.";
    };
  };

  config = {
    systemd.timers = mapAttrs (_: service: {
      wantedBy = [ "timers.target" ];
      timerConfig.OnCalendar = service.startAt;
    }) started;

    systemd.units = mkMerge (
      map (each: unitsOf each.kind each.siblings each.sections each.extra) kinds
    );

    resources = {
      inherit (cfg) units;
      directories = cfg.tmpfiles.rules;
      files = mkMerge (
        map (each: dropinsOf each.kind each.siblings each.sections) kinds
        ++ mapAttrsToList scriptFiles cfg.services
      );
    };

    # What a service's `path` names must be there.
    environment.packages = concatMap (
      service: builtins.filter (entry: !(builtins.isString entry)) service.path
    ) (builtins.attrValues cfg.services);

    assertions =
      mapAttrsToList (name: service: {
        assertion = service.script == "" || !(service.serviceConfig ? ExecStart);
        message = "systemd.services.${name} sets both `script` and `serviceConfig.ExecStart`: keep one.";
      }) cfg.services
      ++ concatMap (
        { kind, siblings, ... }:
        map (name: {
          assertion = !(hasSuffix ".${kind}" name);
          message = "systemd.${kind}s.\"${name}\": leave out `.${kind}`.";
        }) (builtins.attrNames siblings)
      ) kinds;
  };
}
