# A fleet made of an inventory.
{
  description = "A generated fleet";

  outputs =
    { self, ... }:
    let
      lib = import <cairn/lib>;
      own = import ./lib { inherit lib; };
      inventory = import ./inventory { inherit lib; };
      roles = [
        "agent"
        "database"
        "gateway"
        "monitor"
        "server"
        "web"
      ];
    in
    {
      packages = import ./packages.nix;
      hosts = lib.mapAttrs own.host inventory;
      groups = lib.genAttrs roles (role: {
        hosts = lib.attrNames (lib.filterAttrs (_: host: host.role == role) inventory);
        module = ./roles + "/${role}.nix";
      });
    };
}
