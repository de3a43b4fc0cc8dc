let
  mkHost = { name, address, port ? 22 }: "${name} ${address}:${toString port}";
in
map mkHost [
  { name = "web"; address = "10.0.0.5"; }
  { name = "db"; address = "10.0.0.6"; prot = 2222; }
]
