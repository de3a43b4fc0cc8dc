{
  config,
  lib,
  name,
  nodes,
  ...
}:

let
  cfg = config.lan;
  entry = host: other: {
    name = other.config.lan.address;
    value = [
      "${host}.${cfg.domain}"
      host
    ];
  };
in
{
  options.lan = {
    address = lib.mkOption {
      type = lib.types.ipv4;
      example = "192.168.10.10";
      description = "Address of the host at home.";
    };

    domain = lib.mkOption {
      type = lib.types.nonEmptyStr;
      default = "home.arpa";
      description = "Domain that the names of hosts are in.";
    };
  };

  config = {
    networking.hostName = lib.mkDefault name;
    # Every host knows the others, whatever the name server does.
    networking.hosts = lib.mapAttrs' entry nodes;
    # Where `cairn switch` finds it.
    deployment.targetHost = lib.mkDefault cfg.address;
  };
}
