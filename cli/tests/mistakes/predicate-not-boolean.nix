let
  hosts = [ { name = "web"; tags = [ "prod" ]; } { name = "db"; tags = [ ]; } ];
in
builtins.filter (host: host.tags) hosts
