# Watches all hosts of its site.
{
  config,
  lib,
  nodes,
  ...
}:

let
  prefix = "-${toString config.acme.site}-";
  watched = lib.filter (name: lib.hasInfix prefix name) (lib.attrNames nodes);
  target = name: {
    inherit name;
    address = nodes.${name}.config.deployment.targetHost;
  };
in
{
  environment.etc."acme/targets.json".text = builtins.toJSON (map target watched);

  acme.service3 = {
    enable = true;
    settings.targets = lib.length watched;
  };
}
