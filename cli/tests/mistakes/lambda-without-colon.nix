let
  double = x: x * 2;
  triple = x -> x * 3;
in
triple 4
