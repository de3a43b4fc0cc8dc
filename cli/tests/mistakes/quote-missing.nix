{
  name = "web;
  description = "A web server";
  port = 80;
}
