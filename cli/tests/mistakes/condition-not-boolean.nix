let
  host = { name = "web"; tag = "prod"; };
in
if host.tag then "yes" else "no"
