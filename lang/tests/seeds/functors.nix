let f = x: { __functor = self: f; }; in f 1 2 3 4
