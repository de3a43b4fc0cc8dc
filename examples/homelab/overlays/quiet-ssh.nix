# Keys alone open a login, and nobody sits idle for hours.
{
  services.openssh = {
    enable = true;
    settings = {
      PasswordAuthentication = false;
      ClientAliveInterval = 300;
      ClientAliveCountMax = 2;
    };
  };
}
