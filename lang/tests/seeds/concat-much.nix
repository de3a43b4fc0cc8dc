builtins.concatMap (x: builtins.genList (y: y) 1000000) (builtins.genList (x: x) 1000000)
