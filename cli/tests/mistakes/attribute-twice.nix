{
  networking.hostName = "web";
  services.web.port = 80;
  networking.hostName = "www";
}
