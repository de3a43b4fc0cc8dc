# What makes a host of an entry in the inventory.
{ lib }:

let
  net = import ./net.nix { inherit lib; };

  file = name: ../hosts + "/${name}.nix";
in
{
  host =
    name: host:
    { config, ... }:
    {
      imports = [ ../modules ] ++ lib.optional (builtins.pathExists (file name)) (file name);

      networking.hostName = name;

      deployment = {
        targetHost = host.address;
        tags = [
          "site-${toString host.site}"
          host.role
        ];
      };

      acme = {
        inherit (host) site number;
        network = net.ofSite host.site;
        rack = lib.concatMapStringsSep "-" toString host.racks;
      };

      environment.etc."acme/host.json".text = builtins.toJSON {
        inherit (host) site number role;
        name = config.networking.hostName;
      };
    };
}
