# What configurations do most: sets mapped, filtered, joined, and looked into.
let
  inherit (builtins) attrNames concatMap filter genList listToAttrs map;
  mapAttrs' = f: set: listToAttrs (map (name: f name set.${name}) (attrNames set));
  optional = condition: value: if condition then [ value ] else [ ];
  hosts = listToAttrs (
    genList (number: {
      name = "host${toString number}";
      value = {
        inherit number;
        roles = optional (number / 2 * 2 == number) "web" ++ optional (number / 3 * 3 == number) "db";
        address = "10.0.${toString (number / 250)}.${toString (number - number / 250 * 250)}";
        ports = { ssh = 22; } // (if number > 100 then { http = 80; } else { });
      };
    }) 5000
  );
  services = mapAttrs' (name: host: {
    name = "${name}.internal";
    value = {
      inherit (host) address;
      rules = concatMap (role: map (port: "${role}:${port}:${toString host.ports.${port}}") (attrNames host.ports)) host.roles;
    };
  }) hosts;
  ruled = filter (name: services.${name}.rules != [ ]) (attrNames services);
in
builtins.hashString "sha256" (
  builtins.toJSON (map (name: { inherit name; } // services.${name}) ruled)
)
