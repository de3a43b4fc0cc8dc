let
  host = { name = "web"; address = "10.0.0.5"; };
in
{
  inherit (host) name adress;
}
