# Service NUMBER.
{ config, lib, ... }:

let
  inherit (lib)
    concatStringsSep
    mkDefault
    mkIf
    optionalAttrs
    ;

  service = import ../lib/service.nix { inherit lib; };

  cfg = config.acme.serviceNUMBER;

  name = "service-NUMBER";
in
{
  options.acme.serviceNUMBER = service.options NUMBER;

  config = mkIf cfg.enable {
    acme.serviceNUMBER.settings = {
      listen = mkDefault cfg.port;
      site = config.acme.site;
      peers = concatStringsSep "," cfg.peers;
      verbose = false;
    };

    environment.etc."acme/${name}.conf" = {
      text = service.render cfg.settings;
      mode = "0640";
    };

    systemd.services.${name} = {
      description = "Service NUMBER for ROLE";
      wantedBy = [ "multi-user.target" ];
      after = [ "network.target" ];
      restartTriggers = [ (service.render cfg.settings) ];
      serviceConfig = {
        ExecStart = "/usr/bin/${name} --port ${toString cfg.port}";
        Restart = "always";
        DynamicUser = true;
        TasksMax = cfg.limits.tasks;
      }
      // optionalAttrs (cfg.limits.memory != null) { MemoryMax = cfg.limits.memory; };
    };

    networking.firewall.allowedTCPPorts = [ cfg.port ];

    healthChecks.${name}.port = cfg.port;
  };
}
