let
  addresses = [ "10.0.0.1" "10.0.0.2" ];
in
{ third = builtins.elemAt addresses 2; }
