let
  lib = import <cairn/lib>;
in
{
  hosts = lib.concatMapStringsSep ", " (host: host.name) { web = 1; };
}
