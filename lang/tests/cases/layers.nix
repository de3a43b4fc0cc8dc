# Sets laid over others: every way to look at one.
let
  inherit (builtins) attrNames attrValues foldl' genList hasAttr listToAttrs mapAttrs removeAttrs;
  numbers = count: genList (number: number) count;
  name = number: "n${toString number}";
  grow = count: foldl' (set: number: set // { ${name number} = number; }) { } (numbers count);
  hundred = grow 100;
  again = foldl' (set: number: set // { ${name (number * 7 - number * 7 / 100 * 100)} = -number; }) hundred (numbers 150);
  many = listToAttrs (map (number: { name = name number; value = { x = number; }; }) (numbers 60));
  over = many // { n3 = "three"; zz = 1; };
  under = { n3 = "hidden"; aa = 1; } // many;
in
{
  names = attrNames hundred;
  values = attrValues again;
  length = builtins.length (attrNames again);
  sets = [ over.n3 over.n4 over.zz under.n3 under.aa (over ? n59) (over ? n60) (hasAttr "zz" over) (over.nope or "none") ];
  both = (over // under) == (over // under);
  equal = [ (over == many) (many // { } == many) ({ } // many == many) (hundred == grow 100) ];
  less = attrNames (removeAttrs over [ "n3" "n4" "zz" ]);
  mapped = mapAttrs (key: value: key) over;
  shared = let base = grow 50; a = base // { x = 1; }; b = base // { x = 2; }; in [ a.x b.x (base ? x) a.n7 (attrNames (a // b) == attrNames b) ];
  called = ({ n1, zz, ... }@all: [ n1 zz (builtins.length (attrNames all)) ]) over;
  exact = ({ a, b, c }: a + b + c) ({ a = 1; b = 2; } // { c = 3; });
  within = with over; [ n3 zz ];
  intersected = builtins.intersectAttrs { n3 = 1; n5 = 1; q = 1; } over;
  nested = (foldl' (set: number: { ${name number} = number; } // set) { n0 = "first"; } (numbers 80));
  json = builtins.toJSON (over // { n1 = { deep = over.zz; }; });
  lazy = (over // { bad = throw "not looked at"; }).zz;
}
