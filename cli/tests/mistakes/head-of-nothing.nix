let
  servers = builtins.filter (host: host.role == "server") [
    { name = "a"; role = "agent"; }
    { name = "b"; role = "agent"; }
  ];
in
{ first = (builtins.head servers).name; }
