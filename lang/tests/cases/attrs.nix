with builtins;
let s = { c = 3; a = 1; b = 2; }; in
[
  (attrNames s) (attrValues s) (mapAttrs (n: v: n + toString v) s) (hasAttr "a" s) (getAttr "b" s)
  (listToAttrs [ { name = "x"; value = 1; } { name = "y"; value = 2; } { name = "x"; value = 3; } ])
  (removeAttrs s [ "a" "zz" ]) (intersectAttrs { a = 0; z = 0; } s) (intersectAttrs s { a = 0; z = 0; })
  (catAttrs "a" [ { a = 1; } { b = 2; } { a = 3; } ])
  (zipAttrsWith (n: vs: [ n vs ]) [ { a = 1; } { a = 2; b = 3; } ])
  (attrNames { z = throw "lazy"; }) (mapAttrs (n: v: v) { } ) (isAttrs s) (isAttrs [ ])
  (length (attrValues (mapAttrs (n: v: throw "lazy") s)))
  ((mapAttrs (n: v: if n == "a" then v else throw "lazy") s).a)
  (attrNames { B = 1; a = 2; A = 3; _x = 4; "1" = 5; })
  (typeOf s) (typeOf [ ]) (typeOf 1) (typeOf 1.0) (typeOf "") (typeOf null) (typeOf true) (typeOf (x: x)) (typeOf ./.)
  (isNull null) (isInt 1) (isFloat 1) (isBool false) (isString "") (isPath ./.) (isList [ ])
  (unsafeGetAttrPos "nope" s) (seq 1 2) (deepSeq { a = 1; } 3)
  (let x = { a = 1; }; in x // { b = x; }) 
]
