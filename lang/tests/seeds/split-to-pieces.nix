builtins.split "" (builtins.foldl' (s: _: s + s) "x" (builtins.genList (x: x) 20))
