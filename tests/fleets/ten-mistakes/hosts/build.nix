{ ... }:

{
  # A file that is not there.
  imports = [ ../modules/runner.nix ];
}
