{ config, pkgs, ... }:

{
  imports = [ ./hardware-configuration.nix ];

  boot.loader.systemd-boot.enable = true;
  boot.loader.efi.canTouchEfiVariables = true;

  networking.hostName = "alpha";
  cluster.enable = true;

  services.k3s = {
    clusterInit = true;
    package = pkgs.k3s_1_31;
    extraFlags = [
      "--disable=traefik"
      "--write-kubeconfig-mode=0640"
    ];
  };

  environment.systemPackages = [ pkgs.restic ];

  systemd.services.backup = {
    description = "Nightly backup";
    startAt = "03:00";
    path = [ pkgs.restic ];
    serviceConfig.Type = "oneshot";
    script = ''
      restic --repo /srv/backup backup /var/lib/rancher
    '';
  };
}
