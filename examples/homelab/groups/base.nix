# What every machine has, in whatever environment.
{ config, lib, ... }:

{
  # Environments may say otherwise without force.
  time.timeZone = lib.mkDefault "UTC";

  networking.firewall.allowedTCPPorts = [
    80
    443
  ];

  # Who looks after the machines. Put your own key here.
  users.users.admin = {
    isNormalUser = true;
    extraGroups = [ "sudo" ];
    openssh.authorizedKeys.keys = [
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINbSYhNZlBprJ73PmrmGTAlRTrX3iUR0esji7Z8HGU4m admin@desk"
    ];
  };

  # What k3s knows of its cluster, every night. One file a day of the week.
  systemd.services.cluster-backup = {
    description = "Copy of the cluster's state";
    serviceConfig.Type = "oneshot";
    startAt = "03:15";
    script = ''
      install -d -m 700 /var/backups/cluster
      if [ -d /var/lib/rancher/k3s/server/db ]; then
        tar -C /var/lib/rancher/k3s/server -cf "/var/backups/cluster/$(date +%u).tar" db
      else
        echo "there is no state on ${config.networking.hostName}: its server has it"
      fi
    '';
  };
}
