{ lib, config, ... }: {
  options.services.hello = { enable = lib.mkEnableOption "hello"; package = lib.mkPackageOption { } "hello" { }; };
  config = lib.mkIf config.services.hello.enable {
    systemd.services.hello = { wantedBy = [ "multi-user.target" ]; serviceConfig = { ExecStart = "${config.services.hello.package}/bin/hello"; Restart = "always"; }; };
    systemd.tmpfiles.rules = [ "d /srv/hello 0755 root root -" ];
    assertions = [ { assertion = true; message = "x"; } ];
    environment.etc."big.conf".source = ./big.conf;
  };
}
