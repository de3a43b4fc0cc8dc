{ ... }:

{
  imports = [ ../modules/pods.nix ];

  services.k3s = {
    enable = true;
    # A role that k3s does not have.
    role = "master";
  };
}
