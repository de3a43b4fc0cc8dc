{ config, ... }:

{
  deployment = {
    targetHost = "192.168.1.50";
    # `cairn secrets host-key web` prints it.
    hostKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB9lcTTv1740mobWuMKfyGkHkl8TbLq9fbxQBXxCwWne web";
  };

  networking.hostName = "web";

  sops = {
    defaultSopsFile = ../secrets/web.yaml;

    secrets = {
      # A file of its own, for whoever wants no more than the token.
      "app/token" = {
        owner = "app";
        restartUnits = [ "app.service" ];
      };
      # Only ever part of the file below.
      "app/database" = { };
      # What `mkpasswd` printed.
      "users/ada".neededForUsers = true;
    };

    templates."app.env" = {
      content = ''
        LISTEN=127.0.0.1:8080
        DATABASE_URL=postgres://app:${config.sops.placeholder."app/database"}@127.0.0.1/app
      '';
      restartUnits = [ "app.service" ];
    };
  };

  users.users = {
    app = {
      isSystemUser = true;
      group = "app";
    };
    ada = {
      isNormalUser = true;
      hashedPasswordFile = config.sops.secrets."users/ada".path;
    };
  };
  users.groups.app = { };

  # In place of a program of yours: it says that it has what it needs, and not what that is.
  systemd.services.app = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = {
      User = "app";
      EnvironmentFile = config.sops.templates."app.env".path;
    };
    script = ''
      test -n "$DATABASE_URL" && test -s ${config.sops.secrets."app/token".path} && echo "all there"
      exec sleep infinity
    '';
  };
}
