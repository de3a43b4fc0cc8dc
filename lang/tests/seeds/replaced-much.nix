let s = builtins.foldl' (s: _: s + s) "x" (builtins.genList (x: x) 20); in builtins.replaceStrings [ "x" ] [ s ] s
