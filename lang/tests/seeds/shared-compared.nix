let a = builtins.foldl' (a: _: [ a a ]) [ ] (builtins.genList (x: x) 60); b = builtins.foldl' (a: _: [ a a ]) [ ] (builtins.genList (x: x) 60); in a == b
