# What modules are made with. The properties and `evalModules` are native.
lib: native:
let
  inherit (lib)
    attrByPath
    getAttrFromPath
    setAttrByPath
    showFiles
    showOption
    ;
  inherit (native.inner) optionPath;
  # An option's definitions for another option, each still that of the module which made it.
  handedOn =
    option:
    map native.inner.handedOn (
      option.definitionsWithLocations or (map (value: { inherit value; }) option.definitions)
    );
  # A path that is none is one mistake, where the function is called.
  renamed =
    function: how: optionPath function how.from (optionPath function how.to (lib.doRename how));
in
rec {
  inherit (native)
    evalModules
    mergeDefinitions
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
  # A definition made of another option's value, and as strong as that.
  mkDerivedConfig =
    option: f: native.mkOverride (option.highestPrio or defaultOverridePriority) (f option.value);
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
    wrap: option: mkAliasIfDef option (wrap (native.mkMerge (handedOn option)));
  mkAliasAndWrapDefsWithPriority =
    wrap: option:
    let
      strength = native.mkOverride (option.highestPrio or defaultOverridePriority);
    in
    mkAliasIfDef option (wrap (native.mkMerge (map strength (handedOn option))));

  fixMergeModules =
    modules: args:
    native.evalModules {
      inherit modules args;
      check = false;
    };

  # The old option goes to the new one, without a word.
  mkAliasOptionModule =
    from: to:
    renamed "mkAliasOptionModule" {
      inherit from to;
      visible = true;
      warn = false;
      use = x: x;
    };

  # As mkAliasOptionModule, with a warning where the old name is still used.
  mkRenamedOptionModule =
    from: to:
    renamed "mkRenamedOptionModule" {
      inherit from to;
      visible = false;
      warn = true;
      use = x: x;
    };

  mkRemovedOptionModule =
    path: replacement:
    optionPath "mkRemovedOptionModule" path (
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
              message = "The option `${showOption path}' in ${showFiles option.files} has been removed and no longer has any effect; please remove it. ${replacement}";
            }
          ];
      }
    );

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
      config =
        let
          isUsed = path: getAttrFromPath path config != "_mkMergedOptionModule";
          used = builtins.filter isUsed from;
          warning =
            path:
            "The option `${showOption path}' defined in ${
              showFiles (getAttrFromPath path options).files
            } has been changed to `${showOption to}' that has a different type. Please read `${showOption to}' documentation and update your configuration accordingly.";
        in
        native.mkMerge [
          (lib.optionalAttrs (options ? warnings) { warnings = map warning used; })
          (setAttrByPath to (native.mkMerge (lib.optional (used != [ ]) (mergeFn config))))
        ];
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
      # What is no option has no type: a set of options is taken as one submodule.
      type = (attrByPath to { } options).type or (native.types.submodule { });
      alias = if withPriority then mkAliasAndWrapDefsWithPriority else mkAliasAndWrapDefinitions;
    in
    {
      options = setAttrByPath from (
        native.mkOption {
          inherit visible type;
          description = "Alias of {option}`${showOption to}`.";
          apply =
            _:
            use (attrByPath to (throw "Renaming error: option `${showOption to}' does not exist.") config);
        }
      );
      config = native.mkIf condition (
        native.mkMerge [
          (lib.optionalAttrs (options ? warnings) {
            warnings = lib.optional (
              warn && old.isDefined
            ) "The option `${showOption from}' defined in ${showFiles old.files} has been renamed to `${showOption to}'.";
          })
          (alias (setAttrByPath to) old)
        ]
      );
    };
}
