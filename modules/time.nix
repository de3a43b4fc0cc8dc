# The time zone.
{ config, lib, ... }:

let
  inherit (lib) mkIf mkOption types;

  zone = config.time.timeZone;
in
{
  options.time.timeZone = mkOption {
    type = types.nullOr (types.strMatching "[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*");
    default = null;
    example = "Europe/Berlin";
    description = "Time zone, as /usr/share/zoneinfo names it. Null leaves the host's.";
  };

  config = mkIf (zone != null) {
    resources.files = {
      "/etc/localtime" = {
        to = "/usr/share/zoneinfo/${zone}";
        method = "copy";
      };
      "/etc/timezone".text = "${zone}\n";
    };

    deployment.replaces = [
      "/etc/localtime"
      "/etc/timezone"
    ];
  };
}
