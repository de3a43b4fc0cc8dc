let
  base = 8000;
  offset = "80";
in
{ port = base + offset; }
