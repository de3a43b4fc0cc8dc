let
  name = "outer";
  host = { name = "web"; ports = [ 80 ]; };
in
with host;
builtins.length name
