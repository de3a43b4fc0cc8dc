# Three small boards on one network, one k3s cluster.
{
  description = "A k3s cluster on three development boards";

  outputs =
    { self, ... }:
    {
      hosts = {
        board0 = ./hosts/board0.nix;
        board1 = ./hosts/board1.nix;
        board2 = ./hosts/board2.nix;
      };

      groups = {
        # What all boards have in common …
        boards = {
          hosts = [
            "board0"
            "board1"
            "board2"
          ];
          module = ./board.nix;
        };

        # … and what those have that only run work.
        agents = {
          hosts = [
            "board1"
            "board2"
          ];
          module = ./agent.nix;
        };
      };
    };
}
