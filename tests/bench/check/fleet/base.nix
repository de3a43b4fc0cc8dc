# What every host has.
{
  config,
  lib,
  pkgs,
  ...
}:

let
  inherit (lib) mkDefault mkOption types;

  cfg = config.acme;
in
{
  options.acme = {
    site = mkOption {
      type = types.ints.unsigned;
      description = "Site that the host is at.";
    };
    number = mkOption {
      type = types.ints.unsigned;
      description = "Number of the host at its site.";
    };
    rack = mkOption {
      type = types.str;
      default = "";
      description = "Rack that the host is in.";
    };
    network = mkOption {
      type = types.cidr4;
      description = "Network of the site.";
    };
    hardware = mkOption {
      type = types.submodule {
        options = {
          disks = mkOption {
            type = types.attrsOf types.size;
            default = { };
            description = "Disks by name.";
          };
          cores = mkOption {
            type = types.ints.positive;
            default = 4;
            description = "Number of cores.";
          };
        };
      };
      default = { };
      description = "What the host is made of.";
    };
  };

  config = {
    networking.firewall = {
      enable = true;
      allowedTCPPorts = [ 22 ];
    };

    services.openssh = {
      enable = true;
      settings.PasswordAuthentication = false;
    };

    boot.kernel.sysctl = {
      "net.core.somaxconn" = mkDefault 1024;
      "vm.swappiness" = 10;
      "kernel.pid_max" = if cfg.hardware.cores > 32 then 4194304 else 65536;
    };

    environment.systemPackages = [
      pkgs.curl
      pkgs.htop
      pkgs.rsync
    ];

    environment.etc."motd".text = ''
      ${config.networking.hostName}, at site ${toString cfg.site}, rack ${cfg.rack}.
    '';

    systemd.services.inventory = {
      description = "Tell the inventory that ${config.networking.hostName} is there";
      after = [ "network-online.target" ];
      wants = [ "network-online.target" ];
      wantedBy = [ "multi-user.target" ];
      serviceConfig.Type = "oneshot";
      script = ''
        exec curl --silent --data name=${config.networking.hostName} http://10.0.0.1/inventory
      '';
    };

    assertions = [
      {
        assertion = cfg.number < 200;
        message = "acme.number: a site has no more than 200 hosts.";
      }
    ];
  };
}
