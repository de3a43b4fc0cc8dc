let s = builtins.foldl' (s: _: s + s) "x" (builtins.genList (x: x) 20); in builtins.concatStringsSep s (builtins.genList (_: "") 1000000)
