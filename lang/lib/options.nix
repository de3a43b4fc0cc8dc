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
          { }
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

  getValues = map (x: x.value);
  getFiles = map (x: x.file);
  showOption = path: lib.concatMapStringsSep "." lib.escapeNixIdentifier path;
  mkOptionType = native.types.mkOptionType;
}
