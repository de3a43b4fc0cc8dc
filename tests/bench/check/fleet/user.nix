{ config, lib, ... }:

{
  users.users.userNUMBER = {
    isNormalUser = true;
    description = "User NUMBER at site ${toString config.acme.site}";
    extraGroups = lib.optional (lib.mod NUMBER 3 == 0) "sudo";
    openssh.authorizedKeys.keys = [
      "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINbSYhNZlBprJ73PmrmGTAlRTrX3iUR0esji7Z8HGU4m userNUMBER@desk"
    ];
  };
}
