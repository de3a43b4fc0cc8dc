let
  counter = {
    start = 1;
    __functor = n: n + 1;
  };
in
counter 5
