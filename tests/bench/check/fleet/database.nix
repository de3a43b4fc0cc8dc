# A database, with the others of its site as peers.
{ config, lib, ... }:

let
  memory = if config.acme.hardware.cores >= 16 then "16G" else "4G";
in
{
  acme.service1 = {
    enable = true;
    peers = lib.genList (number: "10.${toString config.acme.site}.0.${toString (11 + 8 * number)}") 3;
    settings = {
      shared-buffers = memory;
      max-connections = 20 * config.acme.hardware.cores;
    };
    limits = {
      inherit memory;
      tasks = 4096;
    };
  };

  users.users.backup = {
    isSystemUser = true;
    group = "backup";
    home = "/var/backups";
  };

  systemd.services.backup = {
    description = "Save the database";
    startAt = "daily";
    serviceConfig = {
      Type = "oneshot";
      User = "backup";
    };
    script = ''
      exec /usr/bin/pg_dumpall --file /var/backups/all.sql
    '';
  };
}
