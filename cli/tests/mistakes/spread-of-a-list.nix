let
  defaults = { port = 80; };
  extra = [ { port = 443; } ];
in
defaults // extra
