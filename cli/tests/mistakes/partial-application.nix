let
  url = scheme: host: port: "${scheme}://${host}:${toString port}";
in
{ home = "see ${url "https" "web"}"; }
