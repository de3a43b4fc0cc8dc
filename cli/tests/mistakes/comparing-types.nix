let
  limits = { memory = "512M"; };
in
{ big = limits.memory > 256; }
