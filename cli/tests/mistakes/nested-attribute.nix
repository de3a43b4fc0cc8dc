let
  config = {
    services.web.settings.listen = {
      address = "0.0.0.0";
      port = 80;
    };
  };
in
config.services.web.setting.listen.port
