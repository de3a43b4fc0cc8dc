builtins.genericClosure { startSet = [ { key = 1; } ]; operator = x: [ { key = x.key + 1; } { key = x.key * 2.5; } ]; }
