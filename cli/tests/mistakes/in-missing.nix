let
  port = 80;
  host = "web";

{
  url = "http://${host}:${toString port}";
}
