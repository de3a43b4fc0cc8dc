# 10,000 updates of one growing set, each by one name.
let
  grown = builtins.foldl' (
    set: number: set // { ${"name" + toString number} = number; }
  ) { } (builtins.genList (number: number) 10000);
in
[
  (builtins.length (builtins.attrNames grown))
  grown.name0
  grown.name9999
]
