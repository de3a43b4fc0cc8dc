# The table of k3s' flags -> typed options, and their values -> k3s' configuration file.
{ lib }:

let
  inherit (lib)
    concatMapStrings
    concatStringsSep
    filter
    filterAttrs
    isBool
    isInt
    isList
    listToAttrs
    mapAttrsToList
    mkOption
    nameValuePair
    optionalString
    types
    ;

  table = builtins.fromJSON (builtins.readFile ./flags.json);

  current = filter (flag: !(flag.removed or false)) table;

  formats = {
    cidr = types.cidr;
    ip = types.ip;
    path = types.path;
    port = types.port;
    ports = types.strMatching "[0-9]+-[0-9]+";
  };

  element =
    flag:
    if flag ? values then
      types.enum flag.values
    else if flag ? format then
      formats.${flag.format}
    else
      types.str;

  # What opens something is named, never written. Of the rest, an endpoint may be no secret at all.
  isSecret =
    flag: (flag.secret or false) && !(flag ? format) && flag.name != "datastore-endpoint";

  typeOf =
    flag:
    if isSecret flag then
      types.secret
    else
    {
      bool = types.bool;
      int = if flag ? format then formats.${flag.format} else types.int;
      list = types.listOf (element flag);
      string = element flag;
      duration = types.strMatching "([0-9]+(h|m|s|ms))+";
    }
    .${flag.type};

  # A first word that is no name of a program or such begins like any sentence.
  sentence =
    text:
    if builtins.match "[a-z]+ .*" text == null then
      text
    else
      lib.toUpper (builtins.substring 0 1 text) + builtins.substring 1 (-1) text;

  describe =
    flag:
    "${sentence flag.description}."
    + optionalString (flag.scope != "both") " Only for the role `${flag.scope}`."
    + optionalString (flag ? default) " k3s' default: ${flag.default}."
    + optionalString (flag ? since) " Since ${flag.since}."
    + optionalString (flag.deprecated or false) (
      " Deprecated" + optionalString (flag ? use) ": use `${flag.use}`" + "."
    );

  # k3s reads YAML 1.1, where `no` and 0644 are no strings: JSON's spelling is always a string.
  scalar =
    value:
    if isBool value then
      (if value then "true" else "false")
    else if isInt value then
      toString value
    else
      builtins.toJSON "${value}";

  entry =
    key: value:
    if isList value then
      "${key}:\n" + concatMapStrings (item: "  - ${scalar item}\n") value
    else
      "${key}: ${scalar value}\n";

  # What is not set is left to k3s.
  given = filterAttrs (_: value: value != null && value != [ ]);
in
{
  inherit
    table
    current
    given
    isSecret
    ;

  # The flags by name.
  named = listToAttrs (map (flag: nameValuePair flag.name flag) current);

  # An option for every flag.
  options = listToAttrs (
    map (
      flag:
      nameValuePair flag.name (mkOption {
        type = types.nullOr (typeOf flag);
        default = null;
        description = describe flag;
      })
    ) current
  );

  toYAML = settings: concatStringsSep "" (mapAttrsToList entry (given settings));
}
