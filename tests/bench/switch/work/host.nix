  networking.hostName = "alpha";
  environment.systemPackages = [
    pkgs.ca-certificates pkgs.dbus pkgs.iproute2 pkgs.kmod pkgs.libnss-systemd
    pkgs.nftables pkgs.openssh-server pkgs.procps pkgs.sudo pkgs.tzdata
  ];
  users.users.bench = { isNormalUser = true; shell = "/bin/bash"; };
  environment.etc = lib.listToAttrs (map (number: {
    name = "bench/${toString number}.conf";
    value.text = ''
      # File ${toString number} of the bench.
      [service]
      name = ${config.networking.hostName}-${toString number}
      version = ${if number == 7 then "VERSION" else "one"}
      listen = 10.77.0.11:${toString (8000 + number)}
      workers = 4
      log = /var/log/bench/${toString number}.log
    '';
  }) (lib.range 1 FILES));
  systemd.services = lib.listToAttrs (map (number: {
    name = "bench-${toString number}";
    value = {
      description = "Unit ${toString number} of the bench";
      wantedBy = [ "multi-user.target" ];
      serviceConfig.ExecStart = "/bin/sleep ${toString (100000 + number)}";
    };
  }) (lib.range 1 UNITS));
  boot.kernel.sysctl = {
    "net.core.somaxconn" = 1024;
    "net.ipv4.conf.all.accept_redirects" = 0;
    "net.ipv4.conf.all.rp_filter" = 2;
    "net.ipv4.conf.all.send_redirects" = 0;
    "net.ipv4.conf.default.rp_filter" = 2;
    "net.ipv4.ip_forward" = 1;
    "net.ipv4.tcp_syncookies" = 1;
    "net.ipv6.conf.all.forwarding" = 1;
  };
  networking.firewall = { enable = true; allowedTCPPorts = [ 80 443 ]; };
