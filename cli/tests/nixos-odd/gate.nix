{ pkgs, ... }: {
  services.hello.enable = true;
  services.openssh = { enable = true; ports = [ 2222 ]; extraConfig = "Banner none"; };
  networking.nftables.enable = true;
  systemd.timers.sweep = { wantedBy = [ "timers.target" ]; timerConfig.OnCalendar = "daily"; };
  systemd.services.sweep.script = ''
    if [ "$1" ]; then
      echo "''${HOME} $(hostname)"
    fi
  '';
  programs.git = { enable = true; config.init.defaultBranch = "main"; };
  environment.etc."x.json".text = builtins.toJSON { a = 1; };
  environment.etc."y.sh" = { mode = "0755"; text = "#!/bin/sh\necho \"a\${b}\"\n\techo tab\n"; };
}
