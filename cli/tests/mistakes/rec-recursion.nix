let
  port = 80;
in
rec {
  port = port + 1;
  url = "http://localhost:${toString port}";
}
