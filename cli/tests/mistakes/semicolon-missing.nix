{
  services.web = {
    enable = true
    port = 80;
  };
}
