let
  a = 1;
  set = { a = 10; b = 20; map = "shadowed"; };
  inner = { b = 200; c = 300; };
in
[
  (with set; [ a b ]) (with set; map (x: x) [ 1 ]) (with set; with inner; [ a b c ])
  (with set; let b = 3; in b) (let b = 1; in with set; b) (with { x = 1; }; with { x = 2; }; x)
  (with set; rec { a = 5; c = a; }) (let x = y; y = 2; in x) (let a = 2; b = a; in { inherit a b; })
  (let inherit (set) b; inherit a; in a + b) (let x.y = 1; x.z = 2; in x)
  (with (throw "unused"); 1) (let x = x'; x' = 1; in x) (with set; ({ b ? 5 }: b) { })
  (let map = x: "mine"; in map 1) (with { true = false; }; true) (let true = 0; in true)
  (with set; (x: with inner; x + b + c) a) (__head [ 1 ]) (builtins.builtins ? map)
  (let f = x: with x; a; in f { a = 7; }) (with { f = x: x; }; f 1)
]
