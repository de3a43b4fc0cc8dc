# Splitting by a pattern, replacing, taking apart, and joining again.
let
  words = builtins.genList (number: "word-${toString number}, and one more; ") 20000;
  text = builtins.concatStringsSep "" words;
  parts = builtins.filter builtins.isString (builtins.split "[,;] +" text);
  replaced = builtins.replaceStrings [ "word" "more" "one" ] [ "term" "less" "none" ] text;
  upper = builtins.map (part: builtins.replaceStrings [ "a" "o" ] [ "A" "O" ] part) parts;
  characters = builtins.genList (index: builtins.substring index 1 text) 100000;
in
[
  (builtins.length parts)
  (builtins.hashString "sha256" replaced)
  (builtins.hashString "sha256" (builtins.concatStringsSep "+" upper))
  (builtins.length (builtins.filter (character: character == "o") characters))
]
