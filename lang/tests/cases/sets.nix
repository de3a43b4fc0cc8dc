let
  k = "dyn";
  outer = 5;
  s = { a = 1; b = 2; };
in
{
  plain = { b = 1; a = 2; "quoted key" = 3; "with\"quote" = 4; if' = 5; "if" = 6; "1x" = 7; a-b = 8; "" = 9; };
  nested = { a.b.c = 1; a.b.d = 2; a.e = 3; };
  merged = { a = { b = 1; }; a.c = 2; a = { d = 3; }; };
  mergedRec = { a = rec { b = 1; c = b; }; a.d = 2; };
  dynamic = { ${k} = 1; "${k}2" = 2; ${"lit"} = 3; "a${"b"}" = 4; ${null} = 5; };
  dynamicNested = { ${k}.x = 1; y.${k} = 2; y.z = 3; };
  dynRec = rec { ${k} = 1; x = 2; z = x; };
  recursive = rec { a = 1; b = a + 1; c = { d = b; e = a; }; };
  inherits = { inherit outer k; inherit (s) a b; };
  inheritRec = rec { inherit (s) a; b = a + 10; inherit outer; c = outer; };
  inheritSelf = let outer = 6; in rec { inherit outer; y = outer; };
  inheritQuoted = { inherit (s) "a" "b"; };
  inheritFromRec = rec { inherit (inner) v; inner = { v = 3; }; };
  nestedInherit = { a = { inherit (s) a; }; a.q = 1; };
  nestedInherit2 = { a = { inherit (s) a; }; a.q = 1; a = { inherit (s) b; }; };
  select = s.a + s."b" + { ${k} = 3; }.${k} + s.${"a"};
  orPrec = [ (s.c or s.a) (s.c or 1 + 1) ];
  legacy = let { x = 1; y = x + 1; body = [ x y ]; };
  shadow = let outer = 1; in { inherit outer; b = let outer = 2; in outer; };
  emptyNames = { }; list = [ s.a s.b (s.a) ];
  lazyAttr = ({ a = throw "never"; b = 1; }).b;
  update = { a = throw "never"; } // { a = 1; };
  pos = (builtins.unsafeGetAttrPos "a" { a = 1; }).column;
}
