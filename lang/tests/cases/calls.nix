# Scopes that are used again, functions with some of their arguments, arguments computed early.
let
  inherit (builtins) foldl' genList map tryEval;
  numbers = genList (number: number) 20;
  add3 = a: b: c: a + b * 10 + c * 100;
  one = add3 1;
  two = one 2;
  counter = n: if n == 0 then [ ] else [ (offset: n + offset) ] ++ counter (n - 1);
  loop = n: sum: if n == 0 then sum else loop (n - 1) (sum + n);
  pair = a: b: { inherit a b; };
  late = a: b: if a > 3 then b else a;
  compose = f: g: x: f (g x);
  twice = f: compose f f;
  even = n: if n == 0 then true else odd (n - 1);
  odd = n: if n == 0 then false else even (n - 1);
  ackermann = m: n: if m == 0 then n + 1 else if n == 0 then ackermann (m - 1) 1 else ackermann (m - 1) (ackermann m (n - 1));
  hanoi = n: from: to: by: if n == 0 then [ ] else hanoi (n - 1) from by to ++ [ "${from}${to}" ] ++ hanoi (n - 1) by to from;
  failing = tryEval (throw "no");
in
{
  curried = [ (two 3) (one 2 3) (add3 1 2 3) (one 5 6) (two 7) ((x: x: x) 1 2) ((x: y: x: x + y) 1 2 3) ];
  kept = map (f: f 1000) (counter 5);
  closures = map (f: f 1) (map (n: let m = n * n; in k: m + k + n) numbers);
  looped = loop 1000 0;
  parity = [ (even 100) (odd 100) ];
  composed = twice (twice (x: x * 2)) 3;
  ackermann = ackermann 2 3;
  hanoi = hanoi 4 "a" "b" "c";
  lazy = [ (late 1 (throw "not needed")) (tryEval (late 5 (throw "needed"))).success ];
  order = [
    (tryEval ((a: b: a + b) (throw "a") (abort "b"))).success
    (tryEval ((a: b: b < a) (abort "a") (throw "b"))).success
    (tryEval ((a: b: a > b) (abort "a") (throw "b"))).success
    (tryEval ((a: b: a && b) false (abort "b"))).value
    (tryEval ((a: b: builtins.foldl' a 0 b) (throw "a") (abort "b"))).success
  ];
  pairs = map (p: p.a + p.b) (map (n: pair n (n + 1)) numbers);
  partial = map (f: f 2) (map (n: pair n) numbers);
  folds = foldl' (acc: n: acc ++ [ (x: x + n) ]) [ ] numbers;
  folded = map (f: f 1) (foldl' (acc: n: acc ++ [ (x: x + n) ]) [ ] numbers);
  patterns = map ({ a, b ? a + 1, ... }@all: a + b + (all.c or 0)) [
    { a = 1; }
    { a = 1; b = 5; }
    { a = 1; c = 100; }
  ];
  within = map (n: with { m = n + 1; }; let k = m * 2; in (x: k + m + n + x) n) numbers;
  recursive = map (n: rec { x = n; y = x + 1; z = w: y + w; }.z 1) numbers;
  inherited = map (n: let inherit ({ p = n; q = n * 2; }) p q; in p + q) numbers;
  strings = map (n: "${toString n}-${if n > 10 then "big" else "small"}-${toString (n * 2)}") numbers;
  inherit failing;
  functionArgs = [ (builtins.functionArgs (one 2)) (builtins.functionArgs ({ a, b ? 1 }: a)) ];
  same = let f = x: y: x; in [ ([ f ] == [ f ]) ([ (f 1) ] == [ (f 1) ]) ];
  functor = ({ __functor = self: a: b: self.base + a + b; base = 100; }) 1 2;
  typed = map builtins.typeOf [ one two add3 ];
}
