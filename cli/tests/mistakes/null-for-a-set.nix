let
  find = name: hosts: if builtins.hasAttr name hosts then hosts.${name} else null;
  hosts.web.address = "10.0.0.5";
in
(find "db" hosts).address
