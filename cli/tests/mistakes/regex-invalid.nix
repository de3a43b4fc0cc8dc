let
  isHost = name: builtins.match "[a-z0-9(-]+(\\.[a-z" name != null;
in
isHost "web.example.org"
