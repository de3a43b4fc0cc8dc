{ config, lib, inputs, ... }:

{
  imports = [ ./hardware-configuration.nix ];

  boot.loader.systemd-boot.enable = true;

  networking.hostName = "beta";
  networking.firewall.interfaces.eth1.allowedTCPPorts = lib.optional config.cluster.enable 9100;
  cluster.enable = true;
  services.k3s.nodeLabel = [ "disk=large" ];

  home-manager.users.ada = { pkgs, ... }: { home.stateVersion = "24.11"; };
}
