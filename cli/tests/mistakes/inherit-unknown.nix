let
  name = "web";
in
{
  inherit name address;
}
