let s = builtins.foldl' (s: _: s + s) "a" (builtins.genList (x: x) 12); in map (p: builtins.match p (s + "c")) [ "(a*)*b" "(a|a)*b" "(a|aa)+b" "((a*)*)*b" ".*.*.*.*.*b" "(a?){60}b" ]
