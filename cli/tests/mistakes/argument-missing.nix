let
  unit = { description, command, user ? "root" }: ''
    [Unit]
    Description=${description}
    [Service]
    ExecStart=${command}
    User=${user}
  '';
in
{
  backup = unit { comand = "/usr/bin/restic backup"; };
}
