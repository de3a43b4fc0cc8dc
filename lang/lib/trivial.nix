# Small functions that everything else is made of. Names and meaning are nixpkgs'.
lib: native:
rec {
  inherit (builtins)
    add
    addErrorContext
    bitAnd
    bitOr
    bitXor
    ceil
    deepSeq
    floor
    fromJSON
    fromTOML
    genericClosure
    hashString
    isAttrs
    isBool
    isFloat
    isInt
    isList
    isPath
    isString
    lessThan
    match
    pathExists
    readFile
    seq
    split
    sub
    throw
    toJSON
    toString
    trace
    tryEval
    typeOf
    unsafeGetAttrPos
    ;

  id = x: x;
  const = x: y: x;
  flip =
    f: a: b:
    f b a;
  pipe = builtins.foldl' (x: f: f x);
  concat = x: y: x ++ y;
  or = x: y: x || y;
  and = x: y: x && y;
  xor = x: y: x != y;
  bitNot = n: -1 - n;
  boolToString = b: if b then "true" else "false";
  boolToYesNo = b: if b then "yes" else "no";
  mergeAttrs = x: y: x // y;
  applyModuleArgsIfFunction =
    key: f: args:
    if isFunction f then f args else f;
  mapNullable = f: a: if a == null then a else f a;
  defaultTo = default: maybe: if maybe == null then default else maybe;
  min = x: y: if x < y then x else y;
  max = x: y: if x > y then x else y;
  mod = base: int: base - (int * (builtins.div base int));
  compare =
    a: b:
    if a < b then
      -1
    else if a > b then
      1
    else
      0;
  splitByAndCompare =
    p: yes: no: a: b:
    if p a then (if p b then yes a b else -1) else if p b then 1 else no a b;

  importJSON = path: builtins.fromJSON (builtins.readFile path);
  importTOML = path: builtins.fromTOML (builtins.readFile path);

  warn = message: builtins.warn message;
  warnIf = cond: message: if cond then warn message else id;
  warnIfNot = cond: message: if cond then id else warn message;
  info = message: builtins.trace "INFO: ${message}";
  throwIf = cond: message: if cond then throw message else id;
  throwIfNot = cond: message: if cond then id else throw message;
  showWarnings = warnings: value: builtins.foldl' (x: w: warn w x) value warnings;
  checkListOfEnum =
    what: allowed: given: value:
    let
      strange = lib.subtractLists allowed given;
      shown = builtins.concatStringsSep ", ";
    in
    throwIfNot (strange == [ ]) "${what}: ${shown strange} is none of ${shown allowed}" value;

  setFunctionArgs = f: args: {
    __functor = self: f;
    __functionArgs = args;
  };
  # Also of what is called by `__functor`.
  isFunction = f: builtins.isFunction f || (f ? __functor && isFunction (f.__functor f));
  # Of a set with `__functor`, what it says of itself, or what its function takes.
  functionArgs =
    f: if f ? __functor then f.__functionArgs or (functionArgs (f.__functor f)) else builtins.functionArgs f;
  # Values that say what they are, such as options and types.
  isType = type: value: (value._type or null) == type;
  setType = type: value: value // { _type = type; };
  toFunction = v: if isFunction v then v else k: v;
  toHexString =
    i:
    let
      digits = [ "0" "1" "2" "3" "4" "5" "6" "7" "8" "9" "A" "B" "C" "D" "E" "F" ];
    in
    builtins.concatStringsSep "" (map (builtins.elemAt digits) (toBaseDigits 16 i));
  fromHexString =
    text: (builtins.fromTOML "n = 0x${lib.removePrefix "0x" (lib.toLower text)}").n;
  toBaseDigits =
    base: i:
    let
      go =
        i:
        if i < base then
          [ i ]
        else
          let
            q = i / base;
          in
          [ (i - q * base) ] ++ go q;
    in
    lib.reverseList (go i);
}
