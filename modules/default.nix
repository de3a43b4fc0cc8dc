# The standard modules: every host imports this.
{
  imports = [
    ./assertions.nix
    ./deployment.nix
    ./resources.nix
  ];
}
