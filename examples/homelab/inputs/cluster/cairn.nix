# A k3s cluster: one server, and agents that find it by its name in the fleet.
{
  description = "Small k3s clusters";

  # Beside this folder. Who takes the cluster may have another `lan` stand for it, by `follows`.
  inputs.lan.url = "path:../lan";

  outputs =
    { self, lan, ... }:
    {
      modules.node.imports = [
        lan.modules.lan
        ./node.nix
      ];
    };
}
