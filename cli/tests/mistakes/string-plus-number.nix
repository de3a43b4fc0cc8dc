let
  host = "web";
  port = 8080;
in
"http://" + host + ":" + port
