# Types and options, each by itself: what they take, how they merge, what can be asked of them.
lib:
let
  inherit (lib)
    evalModules
    mkAfter
    mkBefore
    mkDefault
    mkForce
    mkIf
    mkMerge
    mkOption
    mkOptionDefault
    mkOrder
    mkOverride
    types
    ;
  option = type: mkOption { inherit type; };
  config = modules: (evalModules { inherit modules; }).config;
  # The value of one option of a type, with these definitions, each in a module of its own.
  merged = type: values: (config ([ { options.a = option type; } ] ++ map (a: { inherit a; }) values)).a;
  fails = value: !(builtins.tryEval (builtins.deepSeq value value)).success;
  # Which of many values a type takes, by number.
  samples = [
    null true false 0 1 (-1) 255 256 65535 65536 70000 1.5 (-0.5) "" " " "x" "x y" "a:b" "two\nlines" "line\n" "/etc/x" "etc/x"
    [ ] [ 1 ] [ "x" ] [ null ] { } { x = 1; } { x = "y"; } (x: x) ({ a }: a) { __functor = _: x: x; } { outPath = "/x"; }
    types.int (mkOption { })
  ];
  takes = type: map type.check samples;
  # The options below a type, by path.
  below = type: lib.collect builtins.isString (lib.mapAttrsRecursiveCond (o: !(lib.isOption o)) (_: o: lib.showOption o.loc) (removeAttrs (type.getSubOptions [ "at" ]) [ "_module" ]));
  sub = types.submodule { options.x = option types.int; };
  list = option (types.listOf types.int) // { default = [ ]; };
in
{
  checks = lib.mapAttrs (_: takes) {
    inherit (types)
      anything attrs bool commas envVar float int lines nonEmptyStr number optionType path port raw singleLineStr str
      unspecified deferredModule
      ;
    inherit (types.ints) positive s16 s32 s8 u16 u32 u8 unsigned;
    numberPositive = types.numbers.positive;
    numberNonnegative = types.numbers.nonnegative;
    numberBetween = types.numbers.between (-0.5) 1;
    between = types.ints.between 0 255;
    matching = types.strMatching "[a-z]+";
    separated = types.separatedString "; ";
    enum = types.enum [ 1 "x" null true ];
    empty = types.enum [ ];
    nullOr = types.nullOr types.int;
    listOf = types.listOf types.int;
    nonEmpty = types.nonEmptyListOf types.str;
    attrsOf = types.attrsOf types.int;
    lazyAttrsOf = types.lazyAttrsOf types.int;
    either = types.either types.int types.str;
    oneOf = types.oneOf [ types.int types.bool (types.listOf types.str) ];
    uniq = types.uniq types.int;
    functionTo = types.functionTo types.int;
    passwd = types.passwdEntry types.str;
    added = types.addCheck types.int (x: x > 10);
    coerced = types.coercedTo types.int toString types.str;
    coercedChecked = types.coercedTo types.str builtins.stringLength (types.ints.between 0 1);
  };

  matching = [
    ((types.strMatching ".+").check "two\nlines")
    ((types.strMatching "[[]+").check "[")
    ((types.strMatching "a|ab").check "ab")
    ((types.strMatching "").check "x")
  ];
  oneLine = map types.singleLineStr.check [ "" "\n" "a\n" "a\n\n" "\n\n" "a\r" "a\r\n" ];
  kinds = [ (types.isOptionType types.int) (types.isOptionType { }) (types.isType "x" { _type = "x"; }) ];
  descriptions = map (t: builtins.isString t.description) [ types.int (types.listOf types.str) (types.attrsOf sub) ];
  descriptionsOverridden = (types.int // { description = "mine"; }).description;
  names = map (t: t.name) [
    types.bool types.int types.str types.lines types.path types.attrs types.anything types.raw types.unspecified
    (types.listOf types.int) (types.attrsOf types.int) (types.lazyAttrsOf types.int) (types.nullOr types.int)
    (types.enum [ 1 ]) (types.either types.int types.str) (types.coercedTo types.int toString types.str) sub
    (types.functionTo types.int) types.optionType types.package types.deferredModule
  ];
  emptyValues = map (t: t.emptyValue) [
    types.int types.str types.attrs (types.listOf types.int) (types.nonEmptyListOf types.int) (types.attrsOf types.int)
    (types.lazyAttrsOf types.int) (types.nullOr types.int) (types.uniq (types.listOf types.int)) sub
    (types.coercedTo types.int toString (types.listOf types.str)) (types.functionTo types.int)
  ];
  nested = map (t: lib.mapAttrs (_: t: t.name) t.nestedTypes) [
    types.int (types.listOf types.int) (types.attrsOf types.str) (types.nullOr types.bool) (types.either types.int types.str)
    (types.coercedTo types.int toString types.str) (types.functionTo types.int) (types.oneOf [ types.bool types.int types.str ])
  ] == [ { } { elemType = "int"; } { elemType = "str"; } { elemType = "bool"; } { left = "int"; right = "str"; }
    { coercedType = "int"; finalType = "str"; } { elemType = "int"; } { left = "either"; right = "str"; } ];
  nestedDeep = (types.attrsOf (types.listOf (types.nullOr types.int))).nestedTypes.elemType.nestedTypes.elemType.nestedTypes.elemType.name;
  subOptions = map below [
    types.int sub (types.attrsOf sub) (types.listOf sub) (types.nullOr sub) (types.attrsOf (types.listOf sub)) (types.uniq sub)
    (types.functionTo sub) (types.coercedTo types.str (x: { inherit x; }) sub)
    (types.submodule { options.y.z = option types.int; options.s = option sub; })
    (types.submodule { imports = [ { options.i = option types.int; } ]; })
  ];
  subModules = map (t: t.getSubModules == null) [ types.int sub (types.attrsOf sub) (types.listOf types.int) ];
  substituted = below ((types.attrsOf sub).substSubModules [ { options.other = option types.int; } ]);
  mergeCalled = [
    (types.int.merge [ "a" ] [ { file = "f"; value = 1; } { file = "g"; value = 1; } ])
    ((types.listOf types.int).merge [ "a" ] [ { file = "f"; value = [ 1 ]; } { file = "g"; value = [ 2 ]; } ])
    (types.lines.merge [ "a" ] [ { file = "f"; value = "x"; } { file = "g"; value = "y"; } ])
    (sub.merge [ "a" ] [ { file = "f"; value.x = 1; } ])
  ];
  typeMerges = map (pair: let both = pair.a.typeMerge pair.b.functor; in if both == null then null else both.name) [
    { a = types.int; b = types.int; }
    { a = types.int; b = types.str; }
    { a = types.listOf types.int; b = types.listOf types.int; }
    { a = types.listOf types.int; b = types.listOf types.str; }
    { a = types.listOf types.int; b = types.attrsOf types.int; }
    { a = types.attrsOf sub; b = types.attrsOf sub; }
    { a = types.nullOr (types.enum [ 1 ]); b = types.nullOr (types.enum [ 2 ]); }
    { a = types.lines; b = types.commas; }
    { a = types.lines; b = types.lines; }
    { a = types.either types.int types.str; b = types.either types.int types.str; }
    { a = types.either types.int types.str; b = types.either types.str types.int; }
    { a = sub; b = sub; }
    { a = types.functionTo types.int; b = types.functionTo types.int; }
    { a = types.uniq types.int; b = types.int; }
  ];
  enumMerged = map (types.nullOr (types.enum [ 1 ])).nestedTypes.elemType.check [ 1 2 ];
  enumBoth = map ((types.enum [ 1 2 ]).typeMerge (types.enum [ 2 3 ]).functor).check [ 1 2 3 4 ];
  functorName = (types.listOf types.int).functor.name;
  functorWrapped = (types.listOf types.int).functor.wrapped.name;

  lists = merged (types.listOf types.int) [ [ 1 ] (mkAfter [ 9 ]) [ 2 ] (mkBefore [ 0 ]) (mkIf false [ 7 ]) (mkOrder 1400 [ 8 ]) ];
  listsOfProperties = merged (types.listOf types.int) [ [ 1 (mkIf false 2) (mkIf true 3) ] (mkMerge [ [ 4 ] [ (mkIf true 5) ] ]) ];
  listsForced = merged (types.listOf types.int) [ [ 1 ] (mkForce [ 2 ]) (mkForce [ 3 ]) ];
  listsForcedInOrder = merged (types.listOf types.int) [ (mkForce (mkAfter [ 1 ])) (mkForce [ 2 ]) (mkForce (mkBefore [ 3 ])) [ 4 ] ];
  listsEmpty = merged (types.listOf types.int) [ [ ] [ ] ];
  listsOfLists = merged (types.listOf (types.listOf types.int)) [ [ [ 1 ] ] [ [ ] [ 2 3 ] ] ];
  linesOrdered = merged types.lines [ "b" (mkAfter "c") (mkBefore "a") (mkMerge [ "b2" (mkIf false "no") ]) ];
  separatedStrings = merged (types.separatedString "; ") [ "a" "b" "" ];
  commaStrings = merged types.commas [ "a" "b,c" ];
  singleLine = merged types.singleLineStr [ "x\n" "x\n" ];
  attrsShallow = merged types.attrs [ { x.y = 1; } { x.z = 2; } ];
  attrsOfDeep = merged (types.attrsOf (types.attrsOf types.int)) [ { x.y = 1; } { x.z = 2; w = { }; } ];
  attrsOfOverride = merged (types.attrsOf types.int) [ { x = 1; y = mkDefault 1; } { y = 2; z = mkOverride 10 3; } { z = mkForce 4; } ];
  attrsOfWhole = merged (types.attrsOf types.int) [ { x = 1; y = 1; } (mkForce { x = 2; }) ];
  attrsOfConditions = merged (types.attrsOf types.int) [ (mkIf false { x = 1; }) (mkIf true { y = mkIf false 1; z = mkIf true 2; }) ];
  attrsOfMerge = merged (types.attrsOf types.int) [ (mkMerge [ { x = 1; } (mkIf true { y = 2; }) ]) ];
  attrsOfLists = merged (types.attrsOf (types.listOf types.int)) [ { x = mkAfter [ 2 ]; } { x = [ 1 ]; } { x = mkIf false [ 3 ]; } ];
  lazyConditions = let v = merged (types.lazyAttrsOf types.int) [ { x = mkIf false 1; y = 2; } ]; in { names = lib.attrNames v; inherit (v) y; };
  lazyEmpty = (merged (types.lazyAttrsOf (types.nullOr types.int)) [ { x = mkIf false 1; } ]).x;
  lazyEmptyList = (merged (types.lazyAttrsOf (types.listOf types.int)) [ { x = mkIf false [ 1 ]; } ]).x;
  lazySelf = (config [ ({ config, ... }: { options.a = option (types.lazyAttrsOf types.int); config.a = { x = 1; y = config.a.x + 1; }; }) ]).a;
  anythingLists = fails (merged types.anything [ [ 1 ] [ 2 ] ]);
  anythingNested = merged types.anything [ { x.y = { a = 1; }; } { x.y = { b = mkIf false 1; c = mkForce 2; }; } { x.y.c = 3; x.w = mkMerge [ { p = 1; } { q = 2; } ]; } ];
  anythingListProperties = merged types.anything [ [ (mkIf true 1) (mkIf false 2) ] ];
  anythingEqual = merged types.anything [ "x" "x" ];
  anythingConflict = fails (merged types.anything [ 1 2 ]);
  anythingKinds = fails (merged types.anything [ 1 { } ]);
  anythingFunctions = (merged types.anything [ (x: { a = x; }) (x: { b = x; }) ]) 3;
  anythingTagged = merged types.anything [ { _type = "foo"; a = 1; } { _type = "foo"; b = 1; } ];
  anythingPackages = merged types.anything [ { p = { outPath = "/x"; type = "derivation"; }; } { q = 1; } ] ? p;
  unspecifiedLists = merged types.unspecified [ [ 1 ] [ 2 ] ];
  unspecifiedSets = merged types.unspecified [ { x.y = 1; } { x.z = 2; } ];
  unspecifiedStrings = merged types.unspecified [ "a" "b" ];
  unspecifiedBools = [ (merged types.unspecified [ false true ]) (merged types.unspecified [ false false ]) ];
  unspecifiedInts = [ (merged types.unspecified [ 1 1 ]) (fails (merged types.unspecified [ 1 2 ])) ];
  unspecifiedMixed = fails (merged types.unspecified [ 1 "x" ]);
  rawOnce = [ (merged types.raw [ 1 ]) (fails (merged types.raw [ 1 1 ])) ];
  rawProperties = merged types.raw [ (mkDefault 1) (mkIf true 2) ];
  nullOrValues = [ (merged (types.nullOr types.int) [ null null ]) (merged (types.nullOr types.int) [ 1 1 ]) (fails (merged (types.nullOr types.int) [ 1 null ])) (merged (types.nullOr types.int) [ (mkDefault null) 1 ]) ];
  eitherValues = [ (merged (types.either types.int (types.listOf types.int)) [ [ 1 ] [ 2 ] ]) (merged (types.either types.str (types.attrsOf types.int)) [ { x = 1; } { y = 2; } ]) (fails (merged (types.either types.int types.str) [ 1 "x" ])) ];
  eitherNested = merged (types.attrsOf (types.either types.int (types.attrsOf types.int))) [ { x = 1; } { y.z = 2; } { y.w = 3; } ];
  recursive = let json = types.nullOr (types.oneOf [ types.bool types.int types.str (types.listOf json) (types.attrsOf json) ]); in merged json [ { a.b = [ 1 "x" { c = null; } ]; } { a.d = true; } ];
  coercedValues = merged (types.listOf (types.coercedTo types.int (x: "n${toString x}") types.str)) [ [ 1 "x" ] [ 2 ] ];
  coercedMerge = merged (types.coercedTo types.str lib.singleton (types.listOf types.str)) [ "a" [ "b" ] ];
  coercedSubmodule = merged (types.attrsOf (types.coercedTo types.int (x: { inherit x; }) sub)) [ { p = 1; q.x = 2; } ];
  functionLists = merged (types.functionTo (types.listOf types.int)) [ (x: [ x ]) (x: mkBefore [ (x - 1) ]) ] 5;
  functionConditions = merged (types.functionTo (types.listOf types.int)) [ (x: mkIf (x > 3) [ x ]) (x: [ 0 ]) ] 5;
  functionNested = (merged (types.functionTo (types.functionTo types.int)) [ (x: y: x + y) ]) 1 2;
  functorValue = merged (types.functionTo types.int) [ { __functor = _: x: x + 1; } ] 1;
  optionTypes = (merged types.optionType [ types.int ]).name;
  optionTypesMerged = map (merged types.optionType [ (types.enum [ 1 ]) (types.enum [ 2 ]) ]).check [ 1 2 3 ];
  optionTypesConflict = fails (merged types.optionType [ types.int types.str ]).name;
  uniqLists = [ (merged (types.uniq (types.listOf types.int)) [ [ 1 ] ]) (fails (merged (types.uniq (types.listOf types.int)) [ [ 1 ] [ 2 ] ])) ];
  addedCheck = [ (merged (types.addCheck types.int (x: x > 1)) [ 2 ]) (fails (merged (types.addCheck types.int (x: x > 1)) [ 1 ])) ];
  checkOverridden = [ (merged (types.str // { check = x: x == "y"; }) [ "y" ]) (fails (merged (types.str // { check = x: x == "y"; }) [ "x" ])) ];
  mergeOverridden = merged (types.listOf types.int // { merge = loc: defs: builtins.length defs; }) [ [ 1 ] [ 2 ] [ 3 ] ];
  custom = merged (lib.mkOptionType { name = "even"; check = x: lib.isInt x && lib.mod x 2 == 0; merge = loc: defs: lib.foldl' (a: d: a + d.value) 0 defs; }) [ 2 4 ];
  customDefault = merged (lib.mkOptionType { name = "any"; }) [ [ 1 ] [ 2 ] ];
  customChecked = fails (merged (lib.mkOptionType { name = "even"; check = x: lib.mod x 2 == 0; }) [ 3 ]);
  customLocated = merged (lib.mkOptionType { name = "loc"; merge = loc: defs: { inherit loc; n = builtins.length defs; }; }) [ 1 2 ];
  customInside = merged (types.attrsOf (lib.mkOptionType { name = "sum"; merge = loc: defs: { inherit loc; sum = lib.foldl' (a: d: a + d.value) 0 defs; }; })) [ { x = 1; y = 2; } { x = 3; } ];
  customMerges = [ (merged (lib.mkOptionType { name = "e"; merge = lib.mergeEqualOption; }) [ 1 1 ]) (fails (merged (lib.mkOptionType { name = "o"; merge = lib.mergeOneOption; }) [ 1 1 ])) ];
  customHas = let t = lib.mkOptionType { name = "x"; }; in [ t.description (t.check 1) t.emptyValue (t.getSubOptions [ ]) t.getSubModules t.nestedTypes t._type ];
  mergedDefinitions = let m = lib.mergeDefinitions [ "a" ] (types.listOf types.int) [ { file = "f"; value = mkIf true [ 1 ]; } { file = "g"; value = mkMerge [ [ 2 ] (mkBefore [ 0 ]) ]; } { file = "h"; value = mkDefault [ 7 ]; } ]; in { inherit (m) mergedValue isDefined; files = map (d: d.file) m.defsFinal; prio = m.defsFinal'.highestPrio; };
  mergedNothing = let m = lib.mergeDefinitions [ "a" ] types.int [ { file = "f"; value = mkIf false 1; } ]; in { inherit (m) isDefined optionalValue; fails = fails m.mergedValue; };

  submoduleParts = merged sub [ { x = mkDefault 1; } { x = 2; } ];
  submodulePriority = merged (types.submodule { options.x = option types.int; options.y = option types.int // { default = 0; }; }) [ (mkForce { x = 1; }) { x = 2; y = 5; } ];
  submoduleConditional = merged (types.submodule { options.x = list; }) [ (mkIf true { x = [ 1 ]; }) (mkIf false { x = [ 2 ]; }) (mkMerge [ { x = mkBefore [ 0 ]; } ]) ];
  submoduleOptions = merged (types.submodule ({ options, ... }: { options.x = option types.int // { default = 1; }; options.seen = mkOption { default = options.x.isDefined; }; })) [ { } ];
  submoduleConfig = merged (types.submodule ({ config, ... }: { options.x = option types.int; options.y = mkOption { default = config.x + 1; }; })) [ { x = 1; } ];
  submoduleArgs = merged (types.submodule [ { _module.args.extra = 3; } ({ extra, ... }: { options.x = mkOption { default = extra; }; }) ]) [ { } ];
  submoduleFreeform = merged (types.submodule { freeformType = types.attrsOf types.int; options.x = option types.int; }) [ { x = 1; y = 2; } { z = mkIf false 3; w = mkForce 4; } ];
  submoduleFreeformSub = merged (types.submodule { freeformType = types.attrsOf sub; }) [ { p.x = 1; } { q.x = 2; } ];
  submoduleUnknown = fails (merged sub [ { x = 1; y = 2; } ]);
  submoduleNameInList = map (e: e.n) (merged (types.listOf (types.submodule ({ name, ... }: { options.n = mkOption { default = name; }; }))) [ [ { } { } ] [ { } ] ]);
  submoduleNameInListInSet = merged (types.attrsOf (types.listOf (types.submodule ({ name, ... }: { options.n = mkOption { default = name; }; })))) [ { x = [ { } ]; } ];
  submoduleOwnConfig = fails (merged (types.submodule { options.x = option types.int; config.x = 2; }) [ { x = 3; } ]);
  submoduleOrder = let
    own = { options.x = list; imports = [ { x = [ 4 ]; } ]; config.x = [ 1 ]; };
    set = { x = [ 3 ]; };
    module = { ... }: { x = [ 2 ]; };
    orders = type: map (merged type) [ [ set ] [ set module ] [ module set ] [ module module ] ];
  in [ (orders (types.submodule own)) (orders (types.submodule [ own { x = [ 5 ]; } ])) (orders (types.submoduleWith { modules = [ own ]; })) ];
  submoduleModules = merged (types.attrsOf (types.submodule { options.x = list; })) [ { p = { ... }: { imports = [ { x = [ 1 ]; } ]; config.x = [ 2 ]; }; q = { config, ... }: { x = [ 3 ]; }; } ];
  submoduleClass = fails (merged (types.submoduleWith { class = "a"; modules = [ { _class = "b"; } ]; }) [ { } ]);
  submoduleExtended = let t = types.submodule { options.x = option types.int; }; in (config [ { options.a = option t; } { options.a = option (types.submodule { options.y = option types.int // { default = 5; }; }); } { a.x = 1; } ]).a;
  submoduleExtendedInAttrs = (config [ { options.a = option (types.attrsOf sub); } { options.a = option (types.attrsOf (types.submodule ({ config, ... }: { options.twice = mkOption { default = config.x * 2; }; }))); } { a.p.x = 4; } ]).a;
  submoduleOptionTree = (config [ { options.a = option (types.submodule { options.x = option types.int; }); } { options.a.y = option types.int // { default = 2; }; } { a.x = 1; } ]).a;
  submoduleOptionTreeDeep = (config [ { options.a = option (types.submodule { options.b.x = option types.int; }); } { options.a.b.y = option types.int; } { a.b = { x = 1; y = 2; }; } ]).a;
  submoduleSpecialArgs = (config [ { options.a = option (types.submoduleWith { modules = [ ({ n, ... }: { options.x = mkOption { default = n; }; }) ]; specialArgs.n = 1; }); } { options.a = option (types.submoduleWith { modules = [ ({ m, ... }: { options.y = mkOption { default = m; }; }) ]; specialArgs.m = 2; }); } { a = { }; } ]).a;
  submoduleDescription = (types.submoduleWith { modules = [ ]; description = "mine"; }).description;

  declaredTwice = map fails [
    (config [ { options.a = mkOption { default = 1; }; } { options.a = mkOption { default = 1; }; } ]).a
    (config [ { options.a = mkOption { description = "x"; }; } { options.a = mkOption { description = "y"; }; } { a = 1; } ]).a
    (config [ { options.a = mkOption { apply = x: x; }; } { options.a = mkOption { apply = x: x; }; } { a = 1; } ]).a
    (config [ { options.a = option types.int; } { options.a = option types.str; } { a = 1; } ]).a
    (config [ { options.a = option types.int; } { options.a = mkOption { default = 3; }; } ]).a
  ];
  notModules = map fails [
    (config [ [ { } ] ])
    (config [ types.int ])
    (config [ { imports = [ (evalModules { modules = [ ]; }) ]; } ])
    (config [ { options.a = types.int; } ])
    (config [ { options.x = mkOption { }; a = 1; } ])
    (config [ { config = { }; b = 1; } ])
  ];
  conditionsMustBeBooleans = fails (config [ { options.a = option types.int; } { a = mkIf "yes" 1; } ]).a;
  importsOnce = let m = { key = "m"; a = [ 1 ]; }; in (config [ { options.a = list; imports = [ m m { imports = [ m ]; } ]; } ]).a;
  importsTwice = let m = { a = [ 1 ]; }; in (config [ { options.a = list; imports = [ m m ]; } ]).a;
  importsOrder = (config [ { options.a = list; imports = [ { a = [ 1 ]; imports = [ { a = [ 2 ]; } ]; } { a = [ 3 ]; } ]; config.a = [ 4 ]; } { a = [ 5 ]; } ]).a;
  disabledByKey = (config [ { options.a = list; imports = [ { key = "x"; a = [ 1 ]; imports = [ { a = [ 2 ]; } ]; } { a = [ 3 ]; } ]; disabledModules = [ { key = "x"; } ]; } ]).a;
  disabledElsewhere = let inner = { key = "inner"; a = [ 2 ]; }; in (config [ { options.a = list; imports = [ { key = "x"; imports = [ inner ]; } inner ]; disabledModules = [ { key = "x"; } ]; } ]).a;
  disabledByDisabled = (config [ { options.a = list; imports = [ { key = "x"; disabledModules = [ { key = "y"; } ]; a = [ 1 ]; } { key = "y"; a = [ 2 ]; } ]; disabledModules = [ { key = "x"; } ]; } ]).a;
  disabledUnknown = (config [ { options.a = list; disabledModules = [ { key = "nobody"; } "/no/such.nix" ]; } ]).a;
  disabledWrong = fails (config [ { disabledModules = [ { a = 1; } ]; } ]);
  classes = [
    (fails (evalModules { class = "a"; modules = [ { _class = "b"; } ]; }).config)
    (evalModules { class = "a"; modules = [ { _class = "a"; } { } ]; }).class
    (evalModules { modules = [ { _class = "b"; } ]; }).class
  ];
  argsPriority = (config [ { options.a = option types.int; } ({ n, ... }: { a = n; }) { _module.args.n = mkDefault 1; } { _module.args.n = 2; } ]).a;
  argsOfConfig = (config [ { options.a = option types.int; options.b = option types.int; } ({ n, ... }: { a = n; }) ({ config, ... }: { _module.args.n = config.b + 1; }) { b = 1; } ]).a;
  argsSpecialWin = (evalModules { specialArgs.n = 1; modules = [ ({ n, ... }: { options.a = mkOption { default = n; }; }) { _module.args.n = 2; } ]; }).config.a;
  specialArgsGiven = (evalModules { specialArgs.n = 1; modules = [ ({ specialArgs, ... }: { options.a = mkOption { default = specialArgs; }; }) ]; }).config.a;
  moduleSpecialArgs = (evalModules { specialArgs.n = 1; modules = [ ]; })._module.specialArgs;
  checkOff = (config [ { config._module.check = false; options.a = list; } { b = 1; } ]).a;
  checkOffByMkDefault = (config [ { config._module.check = mkDefault false; options.a = list; } { b = 1; } ]).a;
  freeformNull = fails (config [ { freeformType = null; options.a = list; } { b = 1; } ]);
  freeformOption = (config [ { config._module.freeformType = types.attrsOf types.int; options.a = list; } { b = 1; } ]).b;
  freeformMerged = config [ { freeformType = types.attrsOf (types.enum [ 1 ]); } { freeformType = types.attrsOf (types.enum [ 2 ]); } { x = 1; y = 2; } ];
  extendArgs = ((evalModules { modules = [ ({ extendModules, ... }: { options.a = list; options.b = mkOption { default = (extendModules { modules = [ { a = [ 2 ]; b = mkForce 0; } ]; }).config.a; }; config.a = [ 1 ]; }) ]; }).config);
  extendPrefix = let m = evalModules { prefix = [ "p" ]; modules = [ { options.a = mkOption { default = 1; }; } ]; }; in [ m.options.a.loc (m.extendModules { prefix = [ "q" "r" ]; }).options.a.loc (m.extendModules { }).options.a.loc ];
  nestedEvaluation = (config [ ({ lib, ... }: { options.a = mkOption { default = (lib.evalModules { modules = [ { options.x = mkOption { default = 2; }; } ]; }).config.x; }; }) ]).a;
  typeOfConfiguration = (config [ { options.a = mkOption { type = (evalModules { modules = [ { options.x = option types.int; } ]; specialArgs.n = 1; }).type; }; } { a = { n, ... }: { x = n; }; } ]).a;
  readOnly = map (values: fails (config ([ { options.a = mkOption { type = types.int; readOnly = true; }; } ] ++ map (a: { inherit a; }) values)).a) [ [ 1 ] [ 1 1 ] [ 1 (mkDefault 2) ] [ ] ];
  applied = (config [ { options.a = mkOption { type = types.listOf types.int; apply = builtins.length; default = [ ]; }; options.b = option types.int; } ({ config, ... }: { a = [ 1 2 ]; b = config.a; }) ]).b;
  overrides = map (values: merged types.int values) [ [ (mkDefault 1) ] [ (mkDefault 1) (mkOptionDefault 2) ] [ 1 (mkForce 2) (mkOverride 49 3) ] [ (mkOverride 2000 1) ] [ (mkDefault 1) (mkIf false 2) ] ];
  overridesConflict = map (values: fails (merged types.int values)) [ [ 1 2 ] [ (mkForce 1) (mkForce 2) ] [ (mkDefault 1) (mkDefault 2) 3 ] ];
  overrideOfSets = (config [ { options.a.b = option types.int; options.a.c = list; } { a = mkDefault { b = 1; c = [ 1 ]; }; } { a.b = 2; } ]).a;
  asserted = fails (config [ { options.a = list; config = lib.mkAssert false "no" { a = [ 1 ]; }; } ]).a;
  assertedWell = (config [ { options.a = list; config = lib.mkAssert true "no" { a = [ 1 ]; }; } ]).a;

  optionFields = lib.mapAttrs (_: o: { inherit (o) loc isDefined highestPrio definitions; type = o.type.name; shown = "${o}"; }) (removeAttrs (evalModules { modules = [ {
    options.a = option types.int // { default = 1; };
    options.b = option types.int // { default = 1; };
    options.c = option types.int;
    options.d = mkOption { };
    options.e = list;
    config.b = mkForce 2;
    config.d = mkIf false 1;
    config.e = mkMerge [ (mkAfter [ 2 ]) [ 1 ] ];
  } ]; }).options [ "_module" ]);
  optionFiles = (evalModules { modules = [ { _file = "f"; options.a = list; } { _file = "g"; a = [ 1 ]; } { _file = "h"; a = mkDefault [ 2 ]; } { _file = "i"; a = [ 3 ]; } ]; }).options.a.definitionsWithLocations;
  optionNested = (evalModules { modules = [ { options.a.b.c = list; } ]; }).options.a.b.c.loc;
  optionsInModules = (config [ ({ options, ... }: { options.a = option types.int; options.b = mkOption { default = options.a.highestPrio; }; config.a = mkForce 1; }) ]).b;

  renamed = config [ (lib.mkRenamedOptionModule [ "old" ] [ "new" ]) { _file = "f"; old = [ 1 ]; } { options.new = list; options.warnings = option (types.listOf types.str); } { new = [ 2 ]; } ];
  renamedUnused = config [ (lib.mkRenamedOptionModule [ "old" ] [ "new" ]) { options.new = list; options.warnings = option (types.listOf types.str); } ];
  renamedPriority = (config [ (lib.mkRenamedOptionModule [ "old" ] [ "new" ]) { options.new = option types.int; } { old = mkForce 1; } { new = 2; } ]).new;
  renamedNested = (config [ (lib.mkRenamedOptionModule [ "x" "old" ] [ "y" "z" "new" ]) { options.y.z.new = list; } { x.old = [ 1 ]; } ]).y;
  renamedWithin = (config [ { options.a = option (types.attrsOf (types.submodule { imports = [ (lib.mkRenamedOptionModule [ "old" ] [ "new" ]) ]; options.new = list; })); } { a.p.old = [ 1 ]; } ]).a.p.new;
  aliased = let c = config [ (lib.mkAliasOptionModule [ "old" ] [ "new" ]) { options.new = list; } { old = [ 1 ]; new = [ 2 ]; } ]; in [ c.old c.new ];
  aliasedConditions = (config [ (lib.mkAliasOptionModule [ "old" ] [ "new" ]) { options.new = list; } { old = mkIf false [ 1 ]; } { old = mkMerge [ (mkBefore [ 0 ]) [ 3 ] ]; } { new = [ 2 ]; } ]).new;
  changed = config [ (lib.mkChangedOptionModule [ "old" ] [ "new" ] (c: "n${toString c.old}")) { options.new = option types.str; options.warnings = option (types.listOf types.str); } { _file = "f"; old = 3; } ];
  mergedOptions = (config [ (lib.mkMergedOptionModule [ [ "p" ] [ "q" "r" ] ] [ "new" ] (c: c.p + c.q.r)) { options.new = option types.int; options.warnings = option (types.listOf types.str); } { p = 1; q.r = 2; } ]).new;
  removed = let c = config [ (lib.mkRemovedOptionModule [ "old" ] "use new") { options.assertions = option (types.listOf types.unspecified); } ]; in map (a: a.assertion) c.assertions;
  removedUsed = let c = config [ (lib.mkRemovedOptionModule [ "old" ] "use new") { options.assertions = option (types.listOf types.unspecified); } { old = 1; } ]; in [ (map (a: a.assertion) c.assertions) (fails c.old) ];
  renamedWith = (config [ (lib.mkRenamedOptionModuleWith { from = [ "old" ]; to = [ "new" ]; sinceRelease = 9999; }) { options.new = list; } { old = [ 1 ]; } ]).new;
  deferredNested = let c = config [ { options.a = option (types.attrsOf types.deferredModule); } { a.p = { options.x = list; }; } { a.p.x = [ 1 ]; a.q = { }; } ]; in [ (evalModules { modules = [ c.a.p { x = [ 2 ]; } ]; }).config (builtins.attrNames c.a) ];
  deferredWith = let c = config [ { options.a = option (types.deferredModuleWith { staticModules = [ { options.x = list; } ]; }); } { a.x = [ 1 ]; } ]; in (evalModules { modules = [ c.a ]; }).config;
  deferredImported = let c = config [ { options.a = option types.deferredModule; } { a = { lib, ... }: { options.x = lib.mkOption { default = 1; }; }; } ]; in (config [ { imports = [ c.a ]; } ]).x;
  derived = (config [ ({ options, ... }: { options.a = option types.int; options.b = option types.int; config.a = mkForce 1; config.b = lib.mkDerivedConfig options.a (x: x + 1); }) { b = 9; } ]).b;
  aliasWhole = (config [ ({ options, ... }: { options.a = list; options.b = list; config.b = lib.mkAliasDefinitions options.a; }) { a = mkBefore [ 1 ]; } { a = [ 2 ]; } { b = [ 3 ]; } ]).b;
}
