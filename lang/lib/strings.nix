# Strings. Names and meaning are nixpkgs'.
lib: native:
let
  inherit (builtins) length;

  # The number of every ASCII character (but the null, which no string can hold).
  ascii =
    let
      control = builtins.fromJSON ''"${concatMapStringsSep' (n: "\\u00" + hex n) (lib.range 1 31)}"'';
      shown = " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~";
      delete = builtins.fromJSON ''"\u007f"'';
      characters = lib.stringToCharacters (control + shown + delete);
    in
    builtins.listToAttrs (lib.imap1 (value: name: { inherit name value; }) characters);
  hex = n: (if n < 16 then "0" else "") + lib.toHexString n;
  concatMapStringsSep' = f: list: builtins.concatStringsSep "" (map f list);
in
rec {
  inherit (native) optionalString;
  inherit (builtins)
    baseNameOf
    compareVersions
    concatStringsSep
    dirOf
    elem
    elemAt
    filter
    fromJSON
    genList
    head
    isAttrs
    isInt
    isList
    isPath
    isString
    match
    parseDrvName
    readFile
    replaceStrings
    split
    splitVersion
    storeDir
    stringLength
    substring
    tail
    toJSON
    typeOf
    unsafeDiscardStringContext
    ;

  lowerChars = stringToCharacters "abcdefghijklmnopqrstuvwxyz";
  upperChars = stringToCharacters "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  fileContents = file: removeSuffix "\n" (builtins.readFile file);
  replaceString = from: to: builtins.replaceStrings [ from ] [ to ];

  concatStrings = builtins.concatStringsSep "";
  join = builtins.concatStringsSep;
  concatMapStrings = f: list: concatStrings (map f list);
  concatImapStrings = f: list: concatStrings (lib.imap1 f list);
  intersperse =
    separator: list:
    if list == [ ] || length list == 1 then
      list
    else
      lib.tail (
        lib.concatMap (x: [
          separator
          x
        ]) list
      );
  concatMapStringsSep =
    sep: f: list:
    builtins.concatStringsSep sep (map f list);
  concatImapStringsSep =
    sep: f: list:
    builtins.concatStringsSep sep (lib.imap1 f list);
  concatMapAttrsStringSep =
    sep: f: attrs:
    builtins.concatStringsSep sep (lib.mapAttrsToList f attrs);
  concatLines = concatMapStrings (s: s + "\n");
  replicate = n: s: concatStrings (lib.genList (_: s) n);
  trim = trimWith {
    start = true;
    end = true;
  };
  trimWith =
    {
      start ? false,
      end ? false,
    }:
    s:
    let
      chars = " \t\r\n";
      regex =
        if start && end then
          "[${chars}]*(.*[^${chars}])[${chars}]*"
        else if start then
          "[${chars}]*(.*)"
        else if end then
          "(.*[^${chars}])[${chars}]*"
        else
          "(.*)";
      res = builtins.match regex s;
    in
    if res == null then "" else builtins.head res;
  makeSearchPath =
    subDir: paths:
    builtins.concatStringsSep ":" (map (path: path + "/" + subDir) (builtins.filter (x: x != null) paths));
  makeSearchPathOutput =
    output: subDir: packages:
    makeSearchPath subDir (map (lib.getOutput output) packages);
  makeBinPath = makeSearchPathOutput "bin" "bin";
  makeLibraryPath = packages: makeSearchPath "lib" (map lib.getLib packages);
  makeIncludePath = makeSearchPathOutput "dev" "include";
  normalizePath =
    s:
    concatStrings (
      lib.foldr (x: acc: if x == "/" && acc != [ ] && lib.head acc == "/" then acc else [ x ] ++ acc) [ ] (
        stringToCharacters s
      )
    );

  hasPrefix = pref: str: substring 0 (stringLength pref) str == pref;
  hasSuffix =
    suffix: content:
    let
      lenContent = stringLength content;
      lenSuffix = stringLength suffix;
    in
    lenContent >= lenSuffix && substring (lenContent - lenSuffix) lenContent content == suffix;
  hasInfix =
    infix: content: builtins.replaceStrings [ infix ] [ "" ] content != content || infix == "";
  removePrefix =
    prefix: str:
    if hasPrefix prefix str then substring (stringLength prefix) (-1) str else str;
  removeSuffix =
    suffix: str:
    if hasSuffix suffix str then substring 0 (stringLength str - stringLength suffix) str else str;

  stringToCharacters = s: lib.genList (p: substring p 1 s) (stringLength s);
  stringAsChars = f: s: concatStrings (map f (stringToCharacters s));
  splitString =
    sep: s:
    if sep == "" then
      throw "splitString: the separator is empty"
    else
      builtins.filter builtins.isString (builtins.split (escapeRegex sep) s);
  charToInt = c: ascii.${c} or (throw "charToInt: ${builtins.toJSON c} is not an ASCII character");
  escape = list: builtins.replaceStrings list (map (c: "\\${c}") list);
  escapeRegex = escape (stringToCharacters "\\[{()^$?*+|.");
  escapeShellArg =
    arg:
    let
      string = builtins.toString arg;
    in
    if builtins.match "[[:alnum:],._+:@%/-]+" string == null then
      "'${builtins.replaceStrings [ "'" ] [ "'\\''" ] string}'"
    else
      string;
  escapeShellArgs = concatMapStringsSep " " escapeShellArg;
  isValidPosixName = name: builtins.match "[a-zA-Z_][a-zA-Z0-9_]*" name != null;
  toShellVar =
    name: value:
    lib.throwIfNot (isValidPosixName name) "toShellVar: ${name} is not a valid shell variable name" (
      if builtins.isAttrs value && !isStringLike value then
        "declare -A ${name}=(${
          builtins.concatStringsSep " " (
            lib.mapAttrsToList (n: v: "[${escapeShellArg n}]=${escapeShellArg v}") value
          )
        })"
      else if builtins.isList value then
        "declare -a ${name}=(${escapeShellArgs value})"
      else
        "${name}=${escapeShellArg value}"
    );
  toShellVars = vars: builtins.concatStringsSep "\n" (lib.mapAttrsToList toShellVar vars);
  escapeNixString = s: escape [ "$" ] (builtins.toJSON s);
  escapeNixIdentifier =
    s: if builtins.match "[a-zA-Z_][a-zA-Z0-9_'-]*" s != null then s else escapeNixString s;
  escapeC = list: builtins.replaceStrings list (map (c: "\\x${lib.toLower (hex (charToInt c))}") list);
  escapeURL =
    let
      unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
      others = builtins.attrNames (builtins.removeAttrs ascii (stringToCharacters unreserved));
    in
    builtins.replaceStrings others (map (c: "%${hex (charToInt c)}") others);
  escapeXML =
    builtins.replaceStrings
      [ "\"" "'" "<" ">" "&" ]
      [ "&quot;" "&apos;" "&lt;" "&gt;" "&amp;" ];
  escapeSystemdExecArg =
    arg:
    let
      s =
        if builtins.isPath arg then
          "${arg}"
        else if builtins.isString arg then
          arg
        else if builtins.isInt arg || builtins.isFloat arg || lib.isDerivation arg then
          builtins.toString arg
        else
          throw "escapeSystemdExecArg: only strings, paths and numbers";
    in
    builtins.replaceStrings [ "%" "$" ] [ "%%" "$$" ] (builtins.toJSON s);
  escapeSystemdExecArgs = concatMapStringsSep " " escapeSystemdExecArg;

  toLower = builtins.replaceStrings upperChars lowerChars;
  toUpper = builtins.replaceStrings lowerChars upperChars;
  toSentenceCase =
    str: toUpper (substring 0 1 str) + toLower (substring 1 (stringLength str) str);
  addContextFrom = src: target: substring 0 0 src + target;
  isStringLike =
    x: builtins.isString x || builtins.isPath x || (builtins.isAttrs x && (x ? outPath || x ? __toString));
  isStorePath =
    x: isStringLike x && builtins.substring 0 1 "${x}" == "/" && builtins.dirOf "${x}" == builtins.storeDir;
  isConvertibleWithToString =
    x:
    isStringLike x
    || x == null
    || builtins.isInt x
    || builtins.isFloat x
    || builtins.isBool x
    || (builtins.isList x && builtins.all isConvertibleWithToString x);
  fixedWidthString =
    width: filler: str:
    let
      strw = stringLength str;
    in
    if strw > width then
      throw "fixedWidthString: ${builtins.toJSON str} is longer than ${builtins.toString width}"
    else if strw == width then
      str
    else
      filler + fixedWidthString (width - stringLength filler) filler str;
  fixedWidthNumber = width: n: fixedWidthString width "0" (builtins.toString n);
  toIntBase10 =
    str:
    let
      digits = builtins.match "[[:space:]]*(-?)0*([0-9]+)[[:space:]]*" str;
    in
    if digits == null then
      throw "toIntBase10: ${builtins.toJSON str} is not an integer"
    else
      builtins.fromJSON (concatStrings digits);
  toInt =
    str:
    let
      digits = builtins.match "[[:space:]]*(-?[[:digit:]]+)[[:space:]]*" str;
      octal = builtins.match "[[:space:]]*-?0[[:digit:]]+[[:space:]]*" str;
    in
    if digits == null then
      throw "toInt: ${builtins.toJSON str} is not an integer"
    else if octal != null then
      throw "toInt: ${builtins.toJSON str} begins with a zero: use toIntBase10"
    else
      builtins.fromJSON (builtins.head digits);
  floatToString = builtins.toString;
  commonPrefixLength =
    a: b:
    let
      m = lib.min (stringLength a) (stringLength b);
      go =
        i:
        if i >= m || substring i 1 a != substring i 1 b then i else go (i + 1);
    in
    go 0;
  commonSuffixLength =
    a: b:
    let
      back = s: n: substring (stringLength s - n - 1) 1 s;
      go = n: if n >= stringLength a || n >= stringLength b || back a n != back b n then n else go (n + 1);
    in
    go 0;
  levenshteinAtMost =
    most: a: b:
    let
      longer = stringLength a - stringLength b;
    in
    longer <= most && -longer <= most && levenshtein a b <= most;
  levenshtein =
    a: b:
    let
      la = stringLength a;
      lb = stringLength b;
      first = lib.genList (n: n) (lb + 1);
      row =
        previous: i:
        lib.foldl' (
          acc: j:
          acc
          ++ [
            (lib.min (lib.min (lib.last acc + 1) (lib.elemAt previous j + 1)) (
              lib.elemAt previous (j - 1)
              + (if substring (i - 1) 1 a == substring (j - 1) 1 b then 0 else 1)
            ))
          ]
        ) [ i ] (lib.range 1 lb);
    in
    if la == 0 then lb else lib.last (lib.foldl' row first (lib.range 1 la));
  nameFromURL =
    url: sep: builtins.head (splitString sep (lib.last (splitString "/" url)));
  versionOlder = v1: v2: builtins.compareVersions v2 v1 == 1;
  versionAtLeast = v1: v2: !(versionOlder v1 v2);
  # Of a package, or of the text `name-version`.
  getName =
    x: if builtins.isString x then (builtins.parseDrvName x).name else x.pname or (getName x.name);
  getVersion =
    x: if builtins.isString x then (builtins.parseDrvName x).version else x.version or (getVersion x.name);

  # What builds are configured with.
  mesonOption = name: value: "-D${name}=${value}";
  mesonBool = name: on: mesonOption name (lib.boolToString on);
  mesonEnable = name: on: mesonOption name (if on then "enabled" else "disabled");
  cmakeOptionType = type: name: value: "-D${name}:${toUpper type}=${value}";
  cmakeBool = name: on: cmakeOptionType "bool" name (toUpper (lib.boolToString on));
  cmakeFeature = cmakeOptionType "string";
  enableFeature = on: name: "--${if on then "enable" else "disable"}-${name}";
  enableFeatureAs =
    on: name: value:
    enableFeature on name + optionalString on "=${value}";
  withFeature = on: name: "--${if on then "with" else "without"}-${name}";
  withFeatureAs =
    on: name: value:
    withFeature on name + optionalString on "=${value}";
}
