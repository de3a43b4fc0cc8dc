{ ... }:

{
  imports = [ ../modules/pods.nix ];

  services.k3s = {
    enable = true;
    package = null;
    # A role that k3s does not have.
    role = "master";
  };
}
