# The time zone.
{ config, lib, ... }:

let
  inherit (lib) mkIf mkOption types;

  zone = config.time.timeZone;

  # As tzdata names them: an area and a place in it, or one of the names without an area.
  areas = "Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Brazil|Canada|Chile|Etc|Europe|Indian|Mexico|Pacific|US";
  alone = "CET|CST6CDT|Cuba|EET|EST|EST5EDT|Egypt|Eire|Factory|GB|GB-Eire|GMT|GMT[+-]?0|Greenwich|HST|Hongkong|Iceland|Iran|Israel|Jamaica|Japan|Kwajalein|Libya|MET|MST|MST7MDT|NZ|NZ-CHAT|Navajo|PRC|PST8PDT|Poland|Portugal|ROC|ROK|Singapore|Turkey|UCT|UTC|Universal|W-SU|WET|Zulu";

  zoneName = types.strMatching "(${areas})(/[A-Za-z0-9_+-]+){1,2}|${alone}" // {
    description = "time zone such as Europe/Berlin or UTC";
  };
in
{
  options.time.timeZone = mkOption {
    type = types.nullOr zoneName;
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
