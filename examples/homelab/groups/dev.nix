# One machine to try things on.
{
  cluster.server = "dev";

  services.k3s = {
    disable = [ "traefik" ];
    settings.debug = true;
  };
}
