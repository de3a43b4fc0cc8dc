# Nodes give each other the images that they have, instead of fetching each from the internet.
{ config, lib, ... }:

{
  services.k3s.settings = lib.mkIf (config.services.k3s.role == "server") {
    embedded-registry = true;
  };

  environment.etc."rancher/k3s/registries.yaml" = {
    text = ''
      mirrors:
        "*":
    '';
    mode = "0600";
  };
}
