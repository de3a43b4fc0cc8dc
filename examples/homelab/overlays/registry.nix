# Nodes give each other the images that they have, instead of fetching each from the internet.
{ config, lib, ... }:

{
  services.k3s = {
    settings = lib.mkIf (config.services.k3s.role == "server") { embedded-registry = true; };
    # For images of every registry.
    registries.mirrors."*" = { };
  };
}
