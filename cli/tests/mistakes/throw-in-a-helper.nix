let
  addresses = { web = "10.0.0.5"; db = "10.0.0.6"; };
  addressOf = name: addresses.${name} or (throw "no address is known for the host ${name}");
in
{
  upstream = map (name: "${addressOf name}:80") [ "web" "mail" ];
}
