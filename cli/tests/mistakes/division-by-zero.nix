let
  share = total: hosts: total / builtins.length hosts;
in
{ memory = share 1024 [ ]; }
