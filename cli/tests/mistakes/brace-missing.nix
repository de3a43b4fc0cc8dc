{
  services.web = {
    enable = true;
    settings = {
      port = 80;
  };

  services.db.enable = true;
}
