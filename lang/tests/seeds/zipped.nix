builtins.zipAttrsWith (n: v: v) (builtins.genList (n: { a = n; b = builtins.zipAttrsWith (n: v: v) [ { } ]; }) 100000)
