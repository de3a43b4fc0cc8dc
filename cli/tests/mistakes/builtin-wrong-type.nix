let
  names = "web db mail";
in
{
  hosts = builtins.concatStringsSep "," names;
}
