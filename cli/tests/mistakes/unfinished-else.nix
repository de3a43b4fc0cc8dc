let
  port = if true then 80;
in
port
