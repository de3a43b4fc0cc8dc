# Declaring options. `mkOption` itself, the types and the properties are native.
lib: native:
rec {
  inherit (native) mkOption;

  isOption = x: builtins.isAttrs x && (x._type or null) == "option";

  mkEnableOption =
    name:
    native.mkOption {
      default = false;
      example = true;
      description = "Whether to enable ${if builtins.isString name then name else name.text}.";
      type = native.types.bool;
    };

  mkPackageOption =
    pkgs: name:
    {
      nullable ? false,
      default ? name,
      example ? null,
      extraDescription ? "",
      pkgsText ? "pkgs",
    }:
    let
      path = if builtins.isList name then name else [ name ];
      from = if builtins.isList default then default else [ default ];
    in
    native.mkOption (
      {
        type = if nullable then native.types.nullOr native.types.package else native.types.package;
        description = "The ${builtins.concatStringsSep "." path} package to use. ${extraDescription}";
      }
      // (
        if default == null then
          (if nullable then { inherit default; } else { })
        else
          {
            default = lib.attrByPath from (throw "${pkgsText} has no package ${
              builtins.concatStringsSep "." from
            }") pkgs;
            defaultText = literalExpression "${pkgsText}.${builtins.concatStringsSep "." from}";
          }
      )
      // (if example == null then { } else { inherit example; })
    );

  literalExpression = text: {
    _type = "literalExpression";
    inherit text;
  };
  literalExample = literalExpression;
  literalMD = text: {
    _type = "literalMD";
    inherit text;
  };
  mdDoc = text: text;

  mkSinkUndeclaredOptions =
    attrs:
    native.mkOption (
      {
        internal = true;
        visible = false;
        default = false;
        description = "Sink for option definitions that nobody declares.";
        type = native.types.unspecified;
        apply = _: throw "This option is for settings only, and cannot be read.";
      }
      // attrs
    );

  # How the definitions of an option become its value, for `mkOptionType`'s `merge`: `loc` is the option's path,
  # a definition `{ file; value; }`.
  mergeOneOption = mergeUniqueOption { message = ""; };
  mergeUniqueOption =
    {
      message,
      merge ? loc: defs: (builtins.head defs).value,
    }:
    loc: defs:
    if builtins.length defs == 1 then
      merge loc defs
    else
      throw "The option `${showOption loc}' is defined ${
        if defs == [ ] then "nowhere" else "more than once"
      }. ${message}${showDefs defs}";
  mergeEqualOption =
    loc: defs:
    let
      first = builtins.head defs;
      other = lib.findFirst (def: def.value != first.value) null defs;
    in
    if defs == [ ] then
      throw "The option `${showOption loc}' is defined nowhere."
    else if other == null || (builtins.length defs == 1) then
      first.value
    else
      throw "The option `${showOption loc}' has different definitions:${
        showDefs [
          first
          other
        ]
      }";
  # By what the values are: lists and strings one after the other, sets as one, `true` where any is.
  mergeDefaultOption =
    loc: defs:
    let
      values = getValues defs;
      are = test: builtins.all test values;
    in
    if builtins.length values == 1 then
      builtins.head values
    else if are lib.isFunction then
      x: mergeDefaultOption loc (map (def: def // { value = def.value x; }) defs)
    else if are builtins.isList then
      builtins.concatLists values
    else if are builtins.isAttrs then
      lib.mergeAttrsList values
    else if are builtins.isBool then
      builtins.any lib.id values
    else if are builtins.isString then
      lib.concatStrings values
    else if are builtins.isInt && are (value: value == builtins.head values) then
      builtins.head values
    else
      throw "The option `${showOption loc}' has definitions that cannot be merged:${showDefs defs}";

  isOptionType = lib.isType "option-type";
  mkPackageOptionMD = mkPackageOption;
  getValues = map (x: x.value);
  getFiles = map (x: x.file);
  # An option's path; `<name>` and `*` stand for any name in one.
  showOption =
    let
      shown =
        part:
        if builtins.match "<.*>|\\*" part != null then part else lib.escapeNixIdentifier part;
    in
    lib.concatMapStringsSep "." shown;
  unknownModule = "<unknown-file>";
  showFiles = files: lib.concatMapStringsSep " and " (file: "`${file}'") files;
  showDefs =
    let
      text =
        value:
        lib.generators.toPretty { } (
          lib.generators.withRecursion {
            depthLimit = 10;
            throwOnDepthLimit = false;
          } value
        );
      shown =
        def:
        let
          lines = lib.splitString "\n" (text def.value);
          short = lib.take 5 lines ++ lib.optional (builtins.length lines > 5) "...";
        in
        if def ? value then
          "\n- In `${def.file}'"
          + (
            if builtins.length lines == 1 then
              ": ${builtins.head lines}"
            else
              ":\n    " + builtins.concatStringsSep "\n    " short
          )
        else
          "\n- In `${def.file}'";
    in
    lib.concatMapStrings shown;
  mkOptionType = native.types.mkOptionType;
}
