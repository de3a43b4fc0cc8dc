# Texts of common formats. Names and meaning are nixpkgs'.
lib: native:
let
  inherit (lib) concatStrings escape mapAttrsToList;
  inherit (builtins) concatStringsSep isAttrs isList;
in
rec {
  toJSON = { }: builtins.toJSON;
  # JSON is YAML.
  toYAML = toJSON;

  mkValueStringDefault =
    { }:
    value:
    let
      unfit = what: throw "mkValueString: ${what} has no form here: ${toPretty { } value}";
    in
    if builtins.isString value || builtins.isInt value || builtins.isFloat value || lib.isDerivation value then
      toString value
    else if builtins.isBool value then
      lib.boolToString value
    else if value == null then
      "null"
    else if isAttrs value && (value ? outPath || value ? __toString) then
      toString value
    else
      unfit (if isList value then "a list" else "a ${builtins.typeOf value}");
  mkKeyValueDefault =
    {
      mkValueString ? mkValueStringDefault { },
    }:
    separator: key: value:
    escape [ separator ] key + separator + mkValueString value;

  toKeyValue =
    {
      mkKeyValue ? mkKeyValueDefault { } "=",
      listsAsDuplicateKeys ? false,
      indent ? "",
    }:
    let
      lines =
        key: value:
        map (value: "${indent}${mkKeyValue key value}\n") (
          if listsAsDuplicateKeys then lib.toList value else [ value ]
        );
    in
    values: concatStrings (builtins.concatLists (mapAttrsToList lines values));
  toINI =
    {
      mkSectionName ? escape [
        "["
        "]"
      ],
      mkKeyValue ? mkKeyValueDefault { } "=",
      listsAsDuplicateKeys ? false,
    }:
    let
      pairs = toKeyValue { inherit mkKeyValue listsAsDuplicateKeys; };
      section = name: values: "[${mkSectionName name}]\n${pairs values}";
    in
    sections: concatStringsSep "\n" (mapAttrsToList section sections);
  toINIWithGlobalSection =
    style@{
      mkKeyValue ? mkKeyValueDefault { } "=",
      listsAsDuplicateKeys ? false,
      ...
    }:
    {
      globalSection,
      sections ? { },
    }:
    lib.optionalString (globalSection != { }) (
      toKeyValue { inherit mkKeyValue listsAsDuplicateKeys; } globalSection + "\n"
    )
    + toINI style sections;

  # `[section "sub.section"]` of sets two and more deep.
  toGitINI =
    let
      quote =
        value:
        "\"${builtins.replaceStrings [ "\\" "\"" "\n" "\t" ] [ "\\\\" "\\\"" "\\n" "\\t" ] value}\"";
      shown = value: if builtins.isString value then quote value else mkValueStringDefault { } value;
      heading =
        path:
        let
          parts = lib.splitString "." (concatStringsSep "." path);
          sub = concatStringsSep "." (builtins.tail parts);
        in
        if sub == "" then builtins.head parts else ''${builtins.head parts} "${sub}"'';
      # The plain values of each set, by heading.
      sections =
        path: set:
        let
          plain = lib.filterAttrs (_: value: !isAttrs value) set;
          inner = mapAttrsToList (name: sections (path ++ [ name ])) (lib.filterAttrs (_: isAttrs) set);
        in
        lib.mergeAttrsList (inner ++ lib.optional (plain != { }) { ${heading path} = plain; });
    in
    values:
    toINI {
      mkSectionName = name: name;
      mkKeyValue = key: value: "\t${key} = ${shown value}";
      listsAsDuplicateKeys = true;
    } (lib.mergeAttrsList (mapAttrsToList (name: sections [ name ]) values));

  # Cuts a value off where it is too deep, so that showing one that contains itself ends.
  withRecursion =
    {
      depthLimit,
      throwOnDepthLimit ? true,
    }:
    assert builtins.isInt depthLimit;
    let
      kept = [ "__functor" "__functionArgs" "__toString" "__pretty" ];
      end =
        if throwOnDepthLimit then
          throw "withRecursion: the value is more than ${toString depthLimit} levels deep"
        else
          "<unevaluated>";
      go =
        depth: value:
        let
          inner = if depth + 1 > depthLimit then _: end else go (depth + 1);
        in
        if isAttrs value then
          builtins.mapAttrs (name: if builtins.elem name kept then lib.id else inner) value
        else if isList value then
          map inner value
        else
          value;
    in
    go 0;

  # A value as a reader would write it.
  toPretty =
    {
      multiline ? true,
      indent ? "",
      allowPrettyValues ? false,
    }:
    let
      show =
        indent: value:
        let
          open = if multiline then "\n${indent}  " else " ";
          close = if multiline then "\n${indent}" else " ";
          inner = show (indent + "  ");
          lines = lib.splitString "\n" value;
          oneLine = "\"" + concatStringsSep "\\n" (map (escape [ "\\" "\"" "\${" ]) lines) + "\"";
          quoted = map (builtins.replaceStrings [ "\${" "''" ] [ "''\${" "'''" ]) lines;
          last = lib.last quoted;
          manyLines =
            "''"
            + concatStrings (map (line: open + line) (lib.init quoted))
            + (if last == "" then close else open + last)
            + "''";
          arguments = lib.functionArgs value;
          shownArguments = concatStringsSep ", " (
            mapAttrsToList (name: optional: name + lib.optionalString optional "?") arguments
          );
          attribute =
            name: value:
            "${lib.escapeNixIdentifier name} = ${
              builtins.addErrorContext "while showing the attribute `${name}`" (inner value)
            };";
        in
        if builtins.isInt value then
          toString value
        else if builtins.isFloat value || builtins.isBool value || value == null then
          builtins.toJSON value
        else if builtins.isString value then
          if multiline && builtins.length lines > 1 then manyLines else oneLine
        else if builtins.isPath value then
          toString value
        else if isList value then
          if value == [ ] then "[ ]" else "[" + open + concatStringsSep open (map inner value) + close + "]"
        else if lib.isFunction value then
          if arguments == { } then "<function>" else "<function, args: {${shownArguments}}>"
        else if allowPrettyValues && value ? __pretty && value ? val then
          value.__pretty value.val
        else if value == { } then
          "{ }"
        else if lib.isDerivation value then
          "<derivation ${value.name or "???"}>"
        else
          "{" + open + concatStringsSep open (mapAttrsToList attribute value) + close + "}";
    in
    show indent;

  mkLuaInline = expr: {
    _type = "lua-inline";
    inherit expr;
  };
  toLua =
    {
      multiline ? true,
      indent ? "",
      asBindings ? false,
    }:
    let
      show =
        indent: value:
        let
          open = if multiline then "\n${indent}  " else " ";
          close = if multiline then "\n${indent}" else " ";
          inner = show (indent + "  ");
          table = items: "{" + open + concatStringsSep ",${open}" items + close + "}";
          entry = name: value: "[${builtins.toJSON name}] = ${inner value}";
        in
        if value == null then
          "nil"
        else if lib.isType "lua-inline" value then
          "(${value.expr})"
        else if
          builtins.isInt value || builtins.isFloat value || builtins.isString value || builtins.isBool value
        then
          builtins.toJSON value
        else if builtins.isPath value || lib.isDerivation value then
          builtins.toJSON "${value}"
        else if value == [ ] || value == { } then
          "{}"
        else if isList value then
          table (map inner value)
        else if isAttrs value then
          table (mapAttrsToList entry value)
        else
          throw "toLua: a ${builtins.typeOf value} has no form in Lua";
      binding =
        name: value:
        if builtins.match "[A-Za-z_][A-Za-z0-9_]*" name != null then
          "${indent}${name} = ${show indent value}\n"
        else
          throw "toLua: `${name}` cannot be the name of a variable";
    in
    value: if asBindings then concatStrings (mapAttrsToList binding value) else show indent value;
}
