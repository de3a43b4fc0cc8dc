let
  f = { a, b ? a + 1, ... }@args: [ a b (args.c or "none") ];
  g = args@{ a ? 1, b ? 2 }: args // { sum = a + b; };
  h = { }: "empty";
  curried = a: b: c: a + b * c;
  fix = f: let x = f x; in x;
  counter = { __functor = self: x: self.base + x; base = 10; };
  mutual = { x ? y, y ? x }: x;
in
[
  (f { a = 1; }) (f { a = 1; b = 5; c = 6; d = 7; }) (g { }) (g { a = 5; }) (h { })
  (curried 1 2 3) (map (curried 1 2) [ 1 2 3 ]) (counter 5) (map counter [ 1 2 ])
  (builtins.functionArgs f) (builtins.functionArgs (x: x)) (builtins.functionArgs g)
  (mutual { x = 1; }) (mutual { y = 2; })
  (fix (self: { a = 1; b = self.a + 1; })).b
  ((x: y: x) 1 (throw "lazy")) (({ a, b }: a) { a = 1; b = throw "lazy"; })
  (let fact = n: if n == 0 then 1 else n * fact (n - 1); in fact 20)
  (let even = n: if n == 0 then true else odd (n - 1); odd = n: if n == 0 then false else even (n - 1); in even 1001)
  (builtins.isFunction f) (builtins.isFunction counter) (x: x) map (map (x: x))
  ((_: 1) null) ((a: { b ? a }: b) 3 { }) (({ a ? 1, ... }@b: b) { c = 2; })
  (builtins.foldl' (acc: x: acc + x) 0 (builtins.genList (x: x) 1000))
  (let loop = n: acc: if n == 0 then acc else loop (n - 1) (acc + n); in loop 5000 0)
]
