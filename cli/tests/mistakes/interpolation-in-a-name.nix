let
  hosts = { web = 1; };
  name = "db";
in
hosts.${name}
