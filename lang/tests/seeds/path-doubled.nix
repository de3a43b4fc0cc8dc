builtins.foldl' (s: _: s + s) (./. + "/link-absolutelink-folder") (builtins.genList (x: x) 30)
