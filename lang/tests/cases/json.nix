with builtins;
[
  (toJSON { a = 1; b = [ true null "s\n\"\\\t" ]; c.d = { }; e = [ ]; "k\"" = 1; }) (toJSON "é/") (toJSON 1) (toJSON (-3))
  (toJSON { outPath = "/x"; b = 1; }) (toJSON { __toString = s: "t"; }) (toJSON [ 1 [ 2 ] ]) (toJSON null)
  (fromJSON ''{"a": [1, 2.5, null, true, "x\u00e9\n"], "b": {"c": -1}, "": 1e3}'') (fromJSON "1") (fromJSON "\"s\"") (fromJSON "[]")
  (fromJSON (toJSON { x = [ 1 2 { y = "z"; } ]; })) (fromJSON "9223372036854775807") (fromJSON "{\"a\":1,\"a\":2}")
  (fromTOML ''
    title = "t"
    n = 1
    f = 1.5
    b = true
    l = [1, 2]
    [table.sub]
    k = 'v'
    [[arr]]
    x = 1
    [[arr]]
    x = 2
  '')
]
