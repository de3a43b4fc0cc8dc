rec { __overrides = { a = b; b = a; }; a = 1; b = 2; }
