# Paths, and paths below paths. Names and meaning are nixpkgs'.
lib: native:
let
  # The parts of a subpath's text; of none, why not.
  split = text: builtins.filter (part: part != "" && part != ".") (lib.splitString "/" text);
  fault =
    text:
    if !builtins.isString text then
      "it is no string but ${builtins.typeOf text}"
    else if text == "" then
      "it is empty"
    else if lib.hasPrefix "/" text then
      "it begins with `/`"
    else if builtins.elem ".." (lib.splitString "/" text) then
      "`..` could lead out of where it starts"
    else
      null;
  parts =
    caller: text:
    let
      why = fault text;
    in
    if why == null then
      split text
    else
      throw "lib.path.${caller}: ${if builtins.isString text then ''"${text}"'' else "this"} is no subpath: ${why}";
  joined = names: "./" + (if names == [ ] then "." else builtins.concatStringsSep "/" names);

  # The names that lead to a path from the root.
  names =
    caller: path:
    if builtins.isPath path then
      split (toString path)
    else
      throw "lib.path.${caller}: needs a path, not ${builtins.typeOf path}";
in
{
  append =
    path: text:
    builtins.seq (names "append" path) (path + ("/" + joined (parts "append" text)));
  hasPrefix =
    above:
    let
      start = names "hasPrefix" above;
    in
    path: lib.lists.hasPrefix start (names "hasPrefix" path);
  removePrefix =
    above:
    let
      start = names "removePrefix" above;
    in
    path:
    let
      all = names "removePrefix" path;
    in
    if lib.lists.hasPrefix start all then
      joined (lib.drop (builtins.length start) all)
    else
      throw "lib.path.removePrefix: ${toString above} does not lead to ${toString path}";
  splitRoot = path: {
    root = /.;
    subpath = joined (names "splitRoot" path);
  };
  subpath = {
    isValid = text: fault text == null;
    normalise = text: joined (parts "subpath.normalise" text);
    components = parts "subpath.components";
    join = texts: joined (builtins.concatMap (parts "subpath.join") texts);
  };
}
