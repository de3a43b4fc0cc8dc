# 1,000 hosts that share a module.
{
  description = "A large fleet";

  outputs =
    { ... }:
    let
      common =
        { config, lib, ... }:
        {
          networking.firewall.enable = true;
          networking.firewall.allowedTCPPorts = [ 22 ];
          environment.etc."motd".text = "This is ${config.networking.hostName}.\n";
        };
      host = number: {
        name = "host${toString number}";
        value = {
          imports = [ common ];
          deployment.targetHost = "10.0.${toString (number / 250)}.${
            toString (number - number / 250 * 250 + 1)
          }";
          networking.firewall.allowedUDPPorts = [ (10000 + number) ];
        };
      };
    in
    {
      hosts = builtins.listToAttrs (builtins.genList host 1000);
    };
}
