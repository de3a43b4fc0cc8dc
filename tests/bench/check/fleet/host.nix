# What is particular about this host.
{
  config,
  lib,
  pkgs,
  ...
}:

let
  disks = [
    "sda"
    "sdb"
  ];

  journal = size: "SystemMaxUse=${size}";
in
{
  acme.hardware = {
    cores = 8 + NUMBER;
    disks = lib.genAttrs disks (disk: if disk == "sda" then "1T" else "4T");
  };

  acme.service0 = {
    enable = true;
    settings.level = if config.acme.hardware.cores > 64 then "high" else "low";
    limits.memory = "512M";
  };

  networking.firewall.interfaces.eth1.allowedTCPPorts = [
    (9000 + NUMBER)
    9100
  ];

  environment.etc."systemd/journald.conf.d/10-acme.conf".text = ''
    [Journal]
    ${journal (if lib.length disks > 1 then "2G" else "500M")}
  '';

  environment.systemPackages = lib.optional (config.acme.hardware.cores > 16) pkgs.numactl;

  boot.kernel.sysctl."vm.swappiness" = lib.mkForce (lib.mod NUMBER 60);
}
