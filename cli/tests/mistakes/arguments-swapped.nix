let
  tags = [ "web" "prod" ];
in
{ isProd = builtins.elem tags "prod"; }
