# A fleet: its hosts, and the groups that they are in. `cairn check` says what is wrong with it.
{
  description = "My hosts";

  # Modules from elsewhere; `cairn lock` pins them. See docs/inputs.md.
  # inputs.common.url = "github:OWNER/REPO";

  outputs =
    { self, ... }:
    {
      hosts.web = ./hosts/web.nix;

      # What several hosts have in common. A host's own definitions are stronger.
      groups.all = {
        hosts = [ "web" ];
        module = ./groups/all.nix;
      };

      # Environments are groups too: `cairn diff --between staging prod` compares two.
    };
}
