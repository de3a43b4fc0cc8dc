let a = { x = 1; }; in
[
  null true false "q\"uote \${x} $x \\ \n\t\r" [ ] { } { a = [ ]; b = { }; } [ [ 1 ] { c = 2; } ] (x: x) builtins.map (builtins.map (x: x)) 1.5
  { "a b" = 1; "or" = 3; "a'b" = 4; "a.b" = 5; "-x" = 6; "x-" = 7; _ = 8; "é" = 9; "import" = 2; "true" = 3; } "$" "$$" "$\{"
  ../cases/data/text ./.
]
