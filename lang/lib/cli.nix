# Command lines made of sets. Names and meaning are nixpkgs'.
lib: native: rec {
  toGNUCommandLine =
    {
      mkOptionName ? (name: if builtins.stringLength name == 1 then "-${name}" else "--${name}"),
      mkBool ? (name: on: lib.optional on (mkOptionName name)),
      mkList ? (name: values: builtins.concatMap (mkOption name) values),
      mkOption ? (
        name: value:
        if value == null then
          [ ]
        else if optionValueSeparator == null then
          [
            (mkOptionName name)
            (lib.generators.mkValueStringDefault { } value)
          ]
        else
          [ "${mkOptionName name}${optionValueSeparator}${lib.generators.mkValueStringDefault { } value}" ]
      ),
      optionValueSeparator ? null,
    }:
    let
      option =
        name: value:
        if builtins.isBool value then
          mkBool name value
        else if builtins.isList value then
          mkList name value
        else
          mkOption name value;
    in
    options: builtins.concatLists (lib.mapAttrsToList option options);
  toGNUCommandLineShell = style: options: lib.escapeShellArgs (toGNUCommandLine style options);
}
