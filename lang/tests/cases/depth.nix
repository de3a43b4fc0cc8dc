let
  sum = n: if n == 0 then 0 else n + sum (n - 1);
  build = n: if n == 0 then [ ] else [ n ] ++ build (n - 1);
  nest = n: if n == 0 then { } else { inner = nest (n - 1); };
  depth = s: if s ? inner then 1 + depth s.inner else 0;
in
[ (sum 3000) (builtins.length (build 1000)) (depth (nest 1000)) (builtins.foldl' (a: f: f a) 0 (builtins.genList (i: x: x + i) 5000)) ]
