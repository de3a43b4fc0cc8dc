builtins.toXML (builtins.foldl' (a: _: { x = a; y = a; }) [ ] (builtins.genList (x: x) 60))
