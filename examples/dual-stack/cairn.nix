# A cluster with IPv4 and IPv6, made by a module that other fleets can take as it is.
{
  description = "A dual-stack k3s server with embedded etcd";

  outputs =
    { self, ... }:
    {
      modules.dual-stack = ./modules/dual-stack.nix;

      hosts.alpha = ./hosts/alpha.nix;
    };
}
