with builtins;
[
  (map (x: x * x) [ 1 2 3 ]) (filter (x: x > 1) [ 1 2 3 ]) (foldl' (a: b: a + b) "" [ "a" "b" ])
  (genList (x: x * 2) 5) (genList (x: x) 0) (sort lessThan [ 3 1 2 ]) (sort (a: b: a > b) [ 3 1 2 ])
  (sort (a: b: a.k < b.k) [ { k = 1; v = 1; } { k = 0; v = 2; } { k = 1; v = 3; } { k = 0; v = 4; } ])
  (concatMap (x: [ x x ]) [ 1 2 ]) (concatLists [ [ 1 ] [ ] [ 2 3 ] ]) (elem 2 [ 1 2 ]) (elem 4 [ 1 2 ])
  (elemAt [ 1 2 3 ] 1) (head [ 1 2 ]) (tail [ 1 2 3 ]) (tail [ 1 ]) (length [ 1 2 ]) (length [ ])
  (all (x: x > 0) [ 1 2 ]) (all (x: x > 1) [ 1 2 ]) (any (x: x > 1) [ 1 2 ]) (any (x: true) [ ]) (all (x: false) [ ])
  (partition (x: x > 1) [ 1 2 3 ]) (groupBy (x: if x > 1 then "big" else "small") [ 1 2 3 ])
  (length (map (x: throw "lazy") [ 1 2 ])) (head [ 1 (throw "lazy") ]) (elem { a = 1; } [ { a = 1; } ])
  (foldl' (a: b: b) 0 [ 1 2 ]) (genericClosure {
    startSet = [ { key = 1; } ];
    operator = { key }: if key < 5 then [ { key = key + 1; } { key = key * 2; } ] else [ ];
  })
  (sort (a: b: a < b) [ "b" "a" "C" "é" ]) (sort lessThan [ [ 2 ] [ 1 5 ] [ 1 ] ])
  (let l = [ 1 2 3 ] ++ [ 4 ]; in [ (length l) (elemAt l 3) ]) [ [ ] [ [ ] ] ]
  (map head (filter isList (split "(x)" "axbxc")))
  (foldl' (acc: x: acc // { ${x} = stringLength x; }) { } [ "one" "three" ])
]
