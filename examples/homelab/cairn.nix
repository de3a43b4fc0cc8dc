# A homelab: one k3s cluster in each of three environments, on five machines.
{
  description = "k3s at home: dev, staging and prod";

  # What this fleet shares with others. Here both are folders, so that the example is whole; yours would be
  # repositories, `git+ssh://git@forge.home.arpa/lan.git` for example. `cairn lock` pins them in cairn.lock.
  inputs.lan.url = "path:./inputs/lan";
  inputs.cluster.url = "path:./inputs/cluster";
  # `cluster` has an input `lan` of its own. It is to take ours: there is one module `lan`, not two.
  inputs.cluster.inputs.lan.follows = "lan";

  outputs =
    {
      self,
      lan,
      cluster,
    }:
    let
      dev = [ "dev" ];
      staging = [
        "stage0"
        "stage1"
      ];
      prod = [
        "prod0"
        "prod1"
      ];
    in
    {
      # What only one machine has.
      hosts = {
        dev = ./hosts/dev.nix;
        stage0 = ./hosts/stage0.nix;
        stage1 = ./hosts/stage1.nix;
        prod0 = ./hosts/prod0.nix;
        prod1 = ./hosts/prod1.nix;
      };

      groups = {
        # What all machines have in common. An environment overrides its `mkDefault`s …
        base = {
          hosts = dev ++ staging ++ prod;
          module.imports = [
            lan.modules.lan
            cluster.modules.node
            ./groups/base.nix
          ];
        };

        # … as each of these does. What is tried out stands in overlays/, and is in the environments
        # that have a line for it here: a change is promoted by writing that line once more.
        dev = {
          hosts = dev;
          module.imports = [
            ./groups/dev.nix
            ./overlays/registry.nix
            ./overlays/quiet-ssh.nix
          ];
        };
        staging = {
          hosts = staging;
          module.imports = [
            ./groups/staging.nix
            ./overlays/quiet-ssh.nix
          ];
        };
        prod = {
          hosts = prod;
          module.imports = [ ./groups/prod.nix ];
        };
      };
    };
}
