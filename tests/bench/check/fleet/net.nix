# Addresses, by site.
{ lib }:

rec {
  ofSite = site: "10.${toString site}.0.0/16";

  pods = site: "10.${toString (100 + lib.mod site 100)}.0.0/16";

  endpoint = address: port: "https://${address}:${toString port}";

  isInner = address: lib.hasPrefix "10." address;
}
