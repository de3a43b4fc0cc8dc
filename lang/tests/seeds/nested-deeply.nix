builtins.deepSeq (builtins.foldl' (a: _: [ a ]) [ ] (builtins.genList (x: x) 100000)) 1
