# Options of a unit -> the text of its file.
{ lib }:

let
  inherit (lib)
    concatLists
    concatMap
    concatStringsSep
    filter
    filterAttrs
    isBool
    mapAttrsToList
    optional
    optionalAttrs
    toList
    unique
    ;

  # A path, or a package, becomes the place where the host has it.
  atom =
    value:
    if isBool value then
      (if value then "true" else "false")
    else if builtins.isInt value || builtins.isFloat value then
      toString value
    else
      "${value}";

  line = name: value: "${name}=${atom value}\n";

  # An empty section is left out: in a drop-in it would only be noise.
  section =
    name: settings: more:
    let
      present = filterAttrs (_: value: value != null) settings;
      lines = concatLists (mapAttrsToList (key: value: map (line key) (toList value)) present) ++ more;
    in
    optional (lines != [ ]) "[${name}]\n${concatStringsSep "" lines}";

  # A file without a line would be a masked unit.
  file = sections: if sections == [ ] then "[Unit]\n" else concatStringsSep "\n" sections;

  words = name: list: optionalAttrs (list != [ ]) { ${name} = concatStringsSep " " list; };

  number = name: value: optionalAttrs (value != null) { ${name} = value; };

  unitSection =
    unit:
    section "Unit" (
      optionalAttrs (unit.description != "") { Description = unit.description; }
      // words "Documentation" unit.documentation
      // words "Requires" unit.requires
      // words "Wants" unit.wants
      // words "Upholds" unit.upholds
      // words "After" unit.after
      // words "Before" unit.before
      // words "BindsTo" unit.bindsTo
      // words "PartOf" unit.partOf
      // words "Conflicts" unit.conflicts
      // words "Requisite" unit.requisite
      // words "OnFailure" unit.onFailure
      // words "OnSuccess" unit.onSuccess
      // number "StartLimitBurst" unit.startLimitBurst
      // number "StartLimitIntervalSec" unit.startLimitIntervalSec
      // unit.unitConfig
    ) [ ];

  usualPath = [
    "/usr/local/sbin"
    "/usr/local/bin"
    "/usr/sbin"
    "/usr/bin"
    "/sbin"
    "/bin"
  ];

  searchPath =
    packages:
    concatStringsSep ":" (
      unique (
        concatMap (prefix: [
          "${prefix}/bin"
          "${prefix}/sbin"
        ]) (filter (prefix: prefix != "/usr") (map (package: "${package}") packages))
        ++ usualPath
      )
    );

  # systemd reads a quoted assignment as C does, and expands its own specifiers in it.
  assignment =
    name: value:
    "Environment="
    + builtins.toJSON "${name}=${builtins.replaceStrings [ "%" ] [ "%%" ] "${value}"}"
    + "\n";

  environment =
    service:
    let
      variables =
        optionalAttrs (service.path != [ ]) { PATH = searchPath service.path; } // service.environment;
      present = filterAttrs (_: value: value != null) variables;
    in
    mapAttrsToList assignment present;

  # A step of a service that its options give as a script, after those that `serviceConfig` gives.
  withScripts =
    service: scripts:
    let
      step =
        key: name:
        optionalAttrs (scripts ? ${name}) {
          ${key} = toList (service.serviceConfig.${key} or [ ]) ++ [ scripts.${name} ];
        };
    in
    service.serviceConfig
    // step "ExecStart" "start"
    // step "ExecStartPre" "pre-start"
    // step "ExecStartPost" "post-start"
    // step "ExecReload" "reload"
    // step "ExecStop" "pre-stop"
    // step "ExecStopPost" "post-stop";
in
# Each kind of unit gives a list of sections; `file` makes a text of them.
{
  inherit atom file;

  # `scripts` holds the command line of each script of the service.
  service =
    scripts: service:
    unitSection service ++ section "Service" (withScripts service scripts) (environment service);

  timer = timer: unitSection timer ++ section "Timer" timer.timerConfig [ ];

  socket =
    socket:
    unitSection socket
    ++ section "Socket" socket.socketConfig (
      map (line "ListenStream") socket.listenStreams
      ++ map (line "ListenDatagram") socket.listenDatagrams
    );

  path = path: unitSection path ++ section "Path" path.pathConfig [ ];

  target = unitSection;

  slice = slice: unitSection slice ++ section "Slice" slice.sliceConfig [ ];
}
