let
  data = builtins.fromJSON ''
    {
      "name": "web",
      "ports": [80, 443,]
    }
  '';
in
data.name
