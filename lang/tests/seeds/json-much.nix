let s = builtins.foldl' (s: _: s + s) "x" (builtins.genList (x: x) 20); in builtins.toJSON (builtins.genList (_: s) 1000000)
