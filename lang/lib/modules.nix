# What modules are made with. The properties and `evalModules` are native.
lib: native:
let
  inherit (lib)
    attrByPath
    getAttrFromPath
    hasAttrByPath
    setAttrByPath
    showOption
    ;
in
rec {
  inherit (native)
    evalModules
    mkAfter
    mkBefore
    mkDefault
    mkForce
    mkIf
    mkMerge
    mkOptionDefault
    mkOrder
    mkOverride
    ;

  mkImageMediaOverride = native.mkOverride 60;
  mkVMOverride = native.mkOverride 10;
  defaultPriority = 100;
  defaultOverridePriority = 100;
  defaultOrderPriority = 1000;
  mkFixStrictness = x: x;
  mkAssert = assertion: message: native.mkIf (assertion || throw "\nFailed assertion: ${message}");
  mkDerivedConfig =
    option: f:
    mkAliasAndWrapDefsWithPriority f option;
  mkAliasIfDef = option: native.mkIf (option.isDefined or false);
  mkAliasOptionModuleMD = mkAliasOptionModule;
  mkRenamedOptionModuleWith =
    {
      sinceRelease ? null,
      from,
      to,
    }:
    mkRenamedOptionModule from to;
  mkDefinition = args: args // { _type = "definition"; };

  setDefaultModuleLocation = file: m: {
    _file = file;
    imports = [ m ];
  };

  importApply = modulePath: staticArgs: setDefaultModuleLocation modulePath (import modulePath staticArgs);

  mkAliasDefinitions = mkAliasAndWrapDefinitions (x: x);
  mkAliasAndWrapDefinitions =
    wrap: option: native.mkIf (option.isDefined or false) (wrap (native.mkMerge option.definitions));
  mkAliasAndWrapDefsWithPriority =
    wrap: option:
    mkAliasAndWrapDefinitions (defs: wrap (native.mkOverride (option.highestPrio or 100) defs)) option;

  # The old option goes to the new one, without a word.
  mkAliasOptionModule =
    from: to:
    doRename {
      inherit from to;
      visible = true;
      warn = false;
      use = x: x;
    };

  # As mkAliasOptionModule, with a warning where the old name is still used.
  mkRenamedOptionModule =
    from: to:
    doRename {
      inherit from to;
      visible = false;
      warn = true;
      use = x: x;
    };

  mkRemovedOptionModule =
    path: replacement:
    { options, ... }:
    {
      options = setAttrByPath path (
        native.mkOption {
          visible = false;
          apply = _: throw "The option `${showOption path}' can no longer be used since it's been removed. ${replacement}";
        }
      );
      config.assertions =
        let
          option = getAttrFromPath path options;
        in
        [
          {
            assertion = !option.isDefined;
            message = "The option `${showOption path}' has been removed and no longer has any effect; please remove it. ${replacement}";
          }
        ];
    };

  mkMergedOptionModule =
    from: to: mergeFn:
    { config, options, ... }:
    {
      options = lib.foldl' lib.recursiveUpdate { } (
        map (
          path:
          setAttrByPath path (
            native.mkOption {
              visible = false;
              default = "_mkMergedOptionModule";
            }
          )
        ) from
      );
      config = setAttrByPath to (
        native.mkMerge (
          lib.optional (builtins.any (path: getAttrFromPath path config != "_mkMergedOptionModule") from) (
            mergeFn config
          )
        )
      );
    };

  mkChangedOptionModule =
    from: to: changeFn:
    mkMergedOptionModule [ from ] to changeFn;

  doRename =
    {
      from,
      to,
      visible,
      warn,
      use,
      withPriority ? true,
      condition ? true,
    }:
    { config, options, ... }:
    let
      old = getAttrFromPath from options;
      toType = (attrByPath to { } options).type or null;
    in
    {
      options = setAttrByPath from (
        native.mkOption (
          {
            inherit visible;
            description = "Alias of `${showOption to}`.";
            apply = x: use (getAttrFromPath to config);
          }
          // (if toType == null then { } else { type = toType; })
        )
      );
      config = native.mkIf condition (
        native.mkMerge [
          (
            if warn && hasAttrByPath [ "warnings" ] options then
              {
                warnings = lib.optional old.isDefined "The option `${showOption from}' has been renamed to `${showOption to}'.";
              }
            else
              { }
          )
          (setAttrByPath to (
            (if withPriority then mkAliasAndWrapDefsWithPriority else mkAliasAndWrapDefinitions) (x: x) old
          ))
        ]
      );
    };
}
