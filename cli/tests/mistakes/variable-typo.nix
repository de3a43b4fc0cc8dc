let
  hostName = "web";
  domain = "example.org";
in
{
  fqdn = "${hostname}.${domain}";
  alias = { www = domian; };
}
