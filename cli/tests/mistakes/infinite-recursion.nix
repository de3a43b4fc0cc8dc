let
  settings = {
    url = "http://${settings.address}";
    address = host + ":80";
  };
  host = builtins.head (builtins.split "/" settings.url);
in
settings.url
