let
  lib = import <cairn/lib>;
  hosts = [ { name = "web"; } { nam = "db"; } ];
in
{
  hosts = lib.concatMapStringsSep ", " (host: host.name) hosts;
}
