builtins.deepSeq (builtins.foldl' (a: _: [ a a ]) [ ] (builtins.genList (x: x) 60)) 1
