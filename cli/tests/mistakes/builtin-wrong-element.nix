let
  ports = [ "80" 443 "8080" ];
in
{
  listen = builtins.concatStringsSep "," ports;
}
