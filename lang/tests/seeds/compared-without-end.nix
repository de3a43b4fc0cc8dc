let f = n: { a = f (n + 1); }; in (f 0) == (f 0)
