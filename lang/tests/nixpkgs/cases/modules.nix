# What can be done with modules themselves.
lib:
let
  inherit (lib) mkOption types evalModules mkIf mkMerge mkForce mkDefault mkOverride mkOrder;
  int = mkOption { type = types.int; };
  config = modules: (evalModules { inherit modules; }).config;
  fails = value: !(builtins.tryEval (builtins.deepSeq value value)).success;
  list = mkOption { type = types.listOf types.int; default = [ ]; };
in
{
  shorthand = config [ { options.a = int; } { a = 1; } ];
  function = config [ ({ ... }: { options.a = int; config.a = 1; }) ];
  args = config [ ({ extra, ... }: { options.a = int; config.a = extra; }) { _module.args.extra = 7; } ];
  argsDefault = config [ ({ lib, extra ? 3, ... }: { options.a = int; config.a = if false then extra else 4; }) ];
  argsGiven = config [ ({ extra ? "default", other ? "${extra}!", ... }: { options.a = mkOption { default = [ extra other ]; }; }) { _module.args.extra = "given"; _module.args.other = "too"; } ];
  special = (evalModules { specialArgs.n = 5; modules = [ ({ n, ... }: { imports = [ { options.a = int; } ]; a = n; }) ]; }).config;
  imports = config [ { imports = [ { imports = [ { options.a = int; } ]; } { a = 3; } ]; } ];
  keyed = config [ { key = "k"; options.a = int; } { key = "k"; options.a = int; } { a = 1; } ];
  disabled = config [ { imports = [ { key = "off"; a = 2; } { a = 1; } ]; disabledModules = [ { key = "off"; } ]; } { options.a = int; } ];
  priorities = config [ { options.a = int; } { a = mkDefault 1; } { a = 2; } { a = mkForce 3; } { a = mkOverride 60 4; } ];
  optionDefault = config [ { options.a = mkOption { type = types.int; default = 1; }; } { a = lib.mkOptionDefault 1; } ];
  forceNested = config [ { options.a.b = list; } { a.b = [ 1 ]; } { a = mkForce { b = [ 2 ]; }; } ];
  orders = config [ { options.a = list; } { a = mkOrder 2000 [ 9 ]; } { a = [ 2 ]; } { a = lib.mkBefore [ 1 ]; } { a = mkOrder 100 [ 0 ]; } { a = mkMerge [ [ 3 ] (lib.mkAfter [ 5 ]) (mkIf false [ 7 ]) ]; } ];
  conditions = config [ { options.a = list; options.on = mkOption { type = types.bool; default = false; }; } ({ config, ... }: { config = mkMerge [ (mkIf config.on { a = [ 1 ]; }) (mkIf (!config.on) { a = [ 2 ]; }) { a = mkIf config.on [ 3 ]; } ]; }) { on = true; } ];
  freeform = config [ { freeformType = types.attrsOf types.int; options.a = int; } { a = 1; b = 2; } { c = mkDefault 3; } ];
  freeformLate = (config [ { options.a = mkOption { type = types.int; default = 1; }; options.k.b = mkOption { default = 1; }; freeformType = types.lazyAttrsOf types.int; } { k.c = 3; } ]).a;
  freeformLazy = config [ { freeformType = types.lazyAttrsOf types.int; } ({ config, ... }: { a = 1; b = config.a + 1; }) ];
  freeformNested = config [ { freeformType = types.attrsOf types.anything; options.a.b = int; } { a.b = 1; a.c = 2; x.y.z = 1; } { x.y.z = 1; x.y.w = [ 1 ]; } ];
  anything = config [ { options.a = mkOption { type = types.anything; }; } { a = { x = 1; y = [ 1 ]; z.w = null; }; } { a = { x = 1; y = [ 1 ]; z.v = true; }; } { a.f = x: { g = x; }; } ] // { a = null; };
  attrs = config [ { options.a = mkOption { type = types.attrs; default = { }; }; } { a.x = 1; } { a = { y.z = 2; }; } ];
  functionTo = (config [ { options.f = mkOption { type = types.functionTo (types.listOf types.int); }; } { f = x: [ x ]; } { f = x: [ (x + 1) ]; } ]).f 1;
  functionToModule = ((config [ { options.f = mkOption { type = types.functionTo (types.submodule { options.a = int; options.b = int; }); }; } { f = x: { a = x; }; } { f = x: { b = x + 1; }; } ]).f 1);
  deferred = let
    c = config [ { options.defaults = mkOption { type = types.deferredModule; default = { }; }; options.nodes = mkOption { type = types.lazyAttrsOf types.deferredModule; default = { }; }; } { defaults = { options.a = list; }; } { defaults.a = [ 1 ]; } { nodes.x = { name ? "y", ... }: { a = [ 2 ]; }; } ];
  in (evalModules { modules = [ c.defaults c.nodes.x ]; }).config;
  submoduleWith = config [ { options.a = mkOption { type = types.submoduleWith { modules = [ { options.x = int; } ({ n, ... }: { x = n; }) ]; specialArgs.n = 4; }; default = { }; }; } ];
  submoduleShorthand = config [ { options.a = mkOption { type = types.submoduleWith { shorthandOnlyDefinesConfig = true; modules = [ { options.config = int; } ]; }; }; } { a.config = 3; } ];
  submoduleFunction = config [ { options.a = mkOption { type = types.attrsOf (types.submodule ({ name, ... }: { options.x = mkOption { type = types.str; default = name; }; })); }; } { a.one = { }; a.two.x = "2"; a.three = { name, ... }: { x = "=${name}"; }; } ];
  submoduleList = config [ { options.a = mkOption { type = types.listOf (types.submodule { options.x = int; options.y = mkOption { type = types.int; default = 0; }; }); }; } { a = [ { x = 1; } ]; } { a = [ { x = 2; y = 3; } ]; } ];
  nestedSubmodules = config [ { options.a = mkOption { type = types.attrsOf (types.submodule { options.b = mkOption { type = types.attrsOf (types.submodule ({ name, ... }: { options.c = mkOption { default = name; }; })); default = { }; }; }); }; } { a.x.b.y = { }; } { a.x.b.z.c = 1; a.w = { }; } ];
  submoduleImports = config [ { options.a = mkOption { type = types.submodule { imports = [ { options.x = int; } ]; options.y = int; }; }; } { a = { ... }: { imports = [ { y = 2; } ]; x = 1; }; } ];
  extended = let
    base = evalModules { modules = [ { options.a = int; options.b = list; config.a = mkDefault 1; config.b = [ 1 ]; } ]; };
    more = base.extendModules { modules = [ { a = 2; b = [ 2 ]; } ]; specialArgs.z = 1; };
    again = more.extendModules { modules = [ ({ z, ... }: { a = mkForce z; }) ]; };
  in [ base.config more.config again.config ];
  configurationType = let
    inner = evalModules { modules = [ { options.a = int; } ]; };
  in config [ { options.x = mkOption { type = inner.type; }; options.y = mkOption { type = types.attrsOf inner.type; default = { }; }; } { x.a = 1; y.k.a = 2; } ];
  moduleType = config [ ({ moduleType, ... }: { options.a = mkOption { type = types.int; default = 1; }; options.variants = mkOption { type = types.attrsOf moduleType; default = { }; }; config.variants.x.a = 2; }) ] // { variants = null; };
  extendedType = config [ { options.a = mkOption { type = types.submodule { options.x = int; }; }; } { options.a = mkOption { type = types.submodule { options.y = int; }; }; } { a = { x = 1; y = 2; }; } ];
  enumMerge = config [ { options.a = mkOption { type = types.enum [ "x" ]; }; } { options.a = mkOption { type = types.enum [ "y" ]; }; } { a = "y"; } ];
  sameType = config [ { options.a = mkOption { type = types.listOf types.int; }; } { options.a = mkOption { default = [ 4 ]; }; } ];
  untyped = config [ { options.a = mkOption { }; } { a = [ 1 ]; } { a = [ 2 ]; } ];
  untypedSets = config [ { options.a = mkOption { default = { }; }; } { a.x = 1; } { a.y = 2; } ];
  untypedFunctions = (config [ { options.a = mkOption { }; } { a = x: [ x ]; } ]).a 1;
  apply = config [ { options.a = mkOption { type = types.int; apply = x: x * 2; }; } { a = 4; } ];
  applyMerged = config [ { options.a = mkOption { type = types.attrsOf types.int; apply = lib.attrNames; }; } { a.x = 1; } { a.y = 2; } ];
  coerced = config [ { options.a = mkOption { type = types.coercedTo (types.listOf types.str) (lib.concatStringsSep ":") types.str; }; } { a = [ "x" "y" ]; } ];
  coercedNested = config [ { options.a = mkOption { type = types.attrsOf (types.coercedTo types.str (x: { v = x; }) (types.submodule { options.v = mkOption { type = types.str; }; options.w = mkOption { default = 1; }; })); }; } { a.x = "1"; a.y.v = "2"; } ];
  oneOf = config [ { options.a = mkOption { type = types.listOf (types.oneOf [ types.int types.str (types.listOf types.int) (types.attrsOf types.int) ]); }; } { a = [ 1 "x" [ 2 ] { y = 3; } ]; } ];
  nullable = config [ { options.a = mkOption { type = types.nullOr (types.submodule { options.x = int; }); default = null; }; options.b = mkOption { type = types.nullOr (types.submodule { options.x = int; }); }; } { b.x = 1; } ];
  uniqueType = config [ { options.a = mkOption { type = types.unique { message = "one"; } types.int; }; } { a = 1; } ];
  lazy = (config [ { options.a = mkOption { type = types.lazyAttrsOf types.int; }; } { a = { x = 1; y = throw "not asked for"; z = mkIf true 2; }; } ]).a.x;
  attrsOfConditional = config [ { options.a = mkOption { type = types.attrsOf types.int; }; } { a = { x = 1; y = mkIf false 2; z = mkForce 3; }; } { a.z = 4; } ];
  commas = config [ { options.a = mkOption { type = types.commas; }; options.b = mkOption { type = types.lines; }; options.c = mkOption { type = types.envVar; }; } { a = "x"; b = "l1"; c = "p"; } { a = "y"; b = "l2\n"; c = "q"; } { b = lib.mkBefore "l0"; } ];
  str = config [ { options.a = mkOption { type = types.str; }; } { a = "x"; } { a = mkDefault "y"; } ];
  same = config [ { options.a = mkOption { type = types.int; }; } { a = 1; } { a = 1; } ];
  emptyValue = config [ { options.a = mkOption { type = types.submodule { options.x = mkOption { default = 1; }; }; default = { }; }; options.b = mkOption { type = types.listOf types.int; default = [ ]; }; options.c = mkOption { type = types.attrsOf types.int; default = { }; }; options.d = mkOption { type = types.nullOr types.int; default = null; }; } ];
  dependent = config [ { options.kind = mkOption { type = types.enum [ "i" "s" ]; default = "s"; }; } ({ config, ... }: { options.a = mkOption { type = if config.kind == "i" then types.int else types.str; }; }) { a = "x"; } ];
  optionsUsed = config [ ({ options, ... }: { options.a = mkOption { type = types.int; default = 1; }; options.seen = mkOption { default = options.a.isDefined; }; }) { a = 2; } ];
  optionAttributes = let o = (evalModules { prefix = [ "p" ]; modules = [ { _file = "m.nix"; options.a = mkOption { type = types.int; default = 1; description = "d"; example = 2; }; } { _file = "n.nix"; a = 3; } ]; }).options.a; in { inherit (o) value loc isDefined files definitions declarations description default example highestPrio definitionsWithLocations; string = "${o}"; type = o.type.name; };
  graph = (evalModules { modules = [ { options.a = int; config.a = 1; } ]; })._module.args ? extendModules;
  unchecked = config [ { _module.check = false; } { options.a = int; } { a = 1; zzz = 2; } ];
  aliasPriority = config [ { options.warnings = mkOption { type = types.listOf types.str; default = [ ]; }; options.new = mkOption { type = types.int; default = 0; }; imports = [ (lib.mkAliasOptionModule [ "old" ] [ "new" ]) ]; } { old = mkForce 1; } { new = 2; } ];
  renamed = config [ { options.warnings = mkOption { type = types.listOf types.str; default = [ ]; }; options.new = mkOption { type = types.listOf types.int; default = [ ]; }; imports = [ (lib.mkRenamedOptionModule [ "old" "a" ] [ "new" ]) ]; } { old.a = [ 1 ]; } { new = [ 2 ]; } ];
  optionsFirst = (evalModules { modules = [ (lib.mkRenamedOptionModule [ "old" ] [ "new" ]) { options.new = mkOption { default = 1; }; } ]; }).options.new.value;
  optionsAsked = (evalModules { modules = [ ({ options, ... }: { options.n = mkOption { default = 1; }; config = lib.optionalAttrs (options ? z) { z = 1; }; }) ]; }).options.n.value;
  optionsBelow = ((types.submodule { imports = [ (lib.mkAliasOptionModule [ "o" ] [ "n" ]) ]; options.n = int; }).getSubOptions [ ]).n.loc;
  meta = map config [
    [ { options.meta = mkOption { default = 1; }; } { meta = 2; } ]
    [ { options.meta = mkOption { default = 1; }; meta = 2; } ]
    [ { options.meta = mkOption { default = 1; }; options.a = int; config.a = 1; meta = mkForce 2; } { meta = 3; } ]
  ];
  readOnlyMerged = config [ { options.a = mkOption { type = types.listOf types.int; readOnly = true; }; } { a = mkMerge [ [ 1 ] [ 2 ] ]; } ];
  mkDerived = config [ { options.a = int; options.b = int; } ({ options, ... }: { a = 1; b = lib.mkDerivedConfig options.a (x: x + 1); }) ];
  aliasDefinitions = config [ { options.a = list; options.b = list; } ({ options, ... }: { a = [ 1 ]; b = lib.mkAliasDefinitions options.a; }) { a = [ 2 ]; } ];
  sink = config [ { options.a = int; options._extra = lib.mkSinkUndeclaredOptions { }; } { a = 1; } ] ? a;
  packageOption = (config [ ({ pkgs, ... }: { options.p = lib.mkPackageOption pkgs "hello" { }; options.q = lib.mkPackageOption pkgs [ "a" "b" ] { nullable = true; default = null; }; }) { _module.args.pkgs.hello = { type = "derivation"; name = "hello"; outPath = "/usr"; }; } ]);
  setDefault = (evalModules { modules = [ (lib.setDefaultModuleLocation "here" { options.a = int; config.a = 1; }) ]; }).options.a.files;
  class = (evalModules { class = "nixos"; modules = [ { _class = "nixos"; options.a = int; config.a = 1; } ]; }).class;
  pathIn = config [ { options.a = mkOption { type = types.path; }; } { a = "/x/y"; } ];

  failing = map fails [
    (config [ { options.a = int; } { a = "x"; } ])
    (config [ { options.a = int; } { a = 1; } { a = 2; } ])
    (config [ { options.a = int; } ])
    (config [ { options.a = int; } { b = 1; } ])
    (config [ { options.a = int; } { options.a.b = int; } ])
    (config [ { options.a = mkOption { type = types.int; readOnly = true; default = 1; }; } { a = 1; } { a = mkForce 1; } ])
    (config [ { options.a = mkOption { type = types.int; readOnly = true; }; } { a = 1; } { a = mkIf false 2; } ])
    (config [ { options.a = int; config.a = 1; meta = { }; } ])
    (config [ { options = { a = mkIf true int; }; } { a = 1; } ])
    (config [ { options = mkIf true { a = int; }; } { a = 1; } ])
    (config [ { options.a = mkOption { type = types.enum [ 1 2 ]; }; } { a = 3; } ])
    (config [ { options.a = mkOption { type = types.submodule { options.x = int; }; }; } { a.y = 1; } ])
    (config [ { options.a = int; } { options.a = mkOption { type = types.str; }; } ])
    (config [ { options.a = mkOption { type = types.uniq types.int; }; } { a = 1; } { a = 1; } ])
    (config [ { options.a = mkOption { type = types.package; }; } { a = "hello"; } ])
    (config [ { options.a = mkOption { type = types.nonEmptyListOf types.int; }; } { a = [ ]; } ])
    (config [ { options.a = mkOption { type = types.ints.u8; }; } { a = 256; } ])
    (evalModules { class = "nixos"; modules = [ { _class = "darwin"; } ]; }).config
  ];
}
