# A host at a glance: files, units, a user, the firewall, the kernel, and k3s.
{ config, pkgs, ... }:

{
  networking.hostName = "demo";

  # Files

  environment.etc."motd".text = ''
    ${config.networking.hostName}: every generation is one more stone.
  '';

  environment.etc."demo/limits.conf" = {
    text = "max-clients = 100\n";
    mode = "0640";
  };

  # A unit, made from a template

  systemd.services."beacon@" = {
    description = "Beacon %i";
    serviceConfig = {
      DynamicUser = true;
      Restart = "always";
    };
    script = ''
      echo "beacon $1 is lit"
      exec sleep infinity
    '';
    scriptArgs = "%i";
  };

  systemd.services."beacon@north".wantedBy = [ "multi-user.target" ];

  # A user

  users.users.alice = {
    isNormalUser = true;
    extraGroups = [ "sudo" ];
    openssh.authorizedKeys.keys = [
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINbSYhNZlBprJ73PmrmGTAlRTrX3iUR0esji7Z8HGU4m alice@desk"
    ];
  };

  services.openssh = {
    enable = true;
    settings.PasswordAuthentication = false;
  };

  # The firewall, and the kernel

  networking.firewall = {
    enable = true;
    allowedTCPPorts = [
      80
      443
    ];
    interfaces.eth1.allowedTCPPorts = [ 9100 ];
  };

  boot.kernel.sysctl = {
    "net.ipv4.ip_forward" = true;
    "vm.swappiness" = 10;
  };

  # k3s: every flag is an option, and `extraFlags` is checked against the same table

  services.k3s = {
    enable = true;
    # The /usr/local/bin/k3s that the host has; see examples/devboard for one that Cairn brings.
    package = null;
    tokenFile = "/etc/rancher/k3s/token";
    openFirewall = true;
    settings = {
      cluster-cidr = [ "10.42.0.0/16" ];
      service-cidr = [ "10.43.0.0/16" ];
      flannel-backend = "host-gw";
      write-kubeconfig-mode = "0640";
    };
    extraFlags = "--kubelet-arg=max-pods=200 --node-label=example.org/tier=edge";
  };
}
