//! What somebody changes by hand on a host is told, and put right, and nothing else is touched.

use cairn_tests::{Cairn, Case, Fleet, Lab};

pub(crate) const CASES: &[Case] = &[("drift of each kind is told and repaired", each_kind)];

const ADDRESS: [u8; 4] = [10, 77, 0, 11];

const HOST: &str = r#"
  networking.hostName = "alpha";
  environment.etc."app.conf".text = "right\n";
  environment.etc."app.gone".text = "here\n";
  environment.etc."app.mode".text = "0644\n";
  environment.etc."app.owner" = { text = "root\n"; method = "copy"; };
  environment.systemPackages = [ pkgs.hello-cairn ];
  boot.kernel.sysctl."net.ipv4.ip_forward" = 1;
  users.users.ada = {
    isNormalUser = true;
    extraGroups = [ "makers" ];
    subUidRanges = [ { startUid = 700000; count = 1000; } ];
    autoSubUidGidRange = true;
  };
  users.groups.makers = { };
  systemd.tmpfiles.rules = [ "d /srv/app 0750 root root -" ];
  systemd.services = {
    steady = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1111"; };
    stopped = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 2222"; };
    altered = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 3333"; };
    hidden = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 6666"; };
    fails = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 7777"; };
    reader = {
      wantedBy = [ "multi-user.target" ];
      serviceConfig.ExecStart = "/bin/sleep 4444";
      restartTriggers = [ (builtins.hashString "sha256" "right\n") ];
    };
    done = {
      wantedBy = [ "multi-user.target" ];
      serviceConfig = { Type = "oneshot"; ExecStart = "/bin/true"; };
    };
    unmet = {
      wantedBy = [ "multi-user.target" ];
      unitConfig.ConditionPathExists = "/nowhere";
      serviceConfig.ExecStart = "/bin/sleep 5555";
    };
  };
  networking.firewall = { enable = true; allowedTCPPorts = [ 8080 ]; };
  networking.nftables.tables.cable = {
    family = "inet";
    content = "chain input { type filter hook input priority 5; iif \"host0\" tcp dport 7001 drop; }";
  };
"#;

fn each_kind() {
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    let fleet = Fleet::of("alpha", host.address(), HOST);
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let _ = cairn.run(&["switch", "alpha"]).ok();
    let drift = || {
        let told = cairn.run(&["drift", "alpha", "--format", "json"]);
        let lines = told.json().into_iter().map(|one| {
            let text = |key: &str| one[key].as_str().unwrap_or("").to_owned();
            format!("{} {} {}", text("kind"), text("name"), text("what"))
        });
        (told.code(), lines.collect::<Vec<_>>().join("\n"))
    };
    assert_eq!(drift(), (0, String::new()), "as it was switched to");
    // The host's own logins have the first ranges.
    assert!(host.read("/etc/subuid").ends_with("ada:700000:1000\nada:231072:65536\n"));
    assert!(host.read("/etc/subgid").ends_with("ada:231072:65536\n"));
    // What usermod keeps of what it changes.
    let forget = || host.sh("rm -f /etc/*-");
    forget();
    let before = host.snapshot();
    let pid = |unit: &str| host.unit(unit, "MainPID");
    let (steady, reader) = (pid("steady"), pid("reader"));

    host.sh("
        sed -i s/right/wrong/ /etc/app.conf
        rm /etc/app.gone; chmod 0600 /etc/app.mode; chown nobody /etc/app.owner
        ln -sfn /dev/null /etc/systemd/system/hidden.service
        systemctl kill --signal=KILL fails
        dpkg --purge hello-cairn
        sysctl -qw net.ipv4.ip_forward=0
        usermod -s /bin/sh ada; gpasswd -d ada makers; usermod --del-subuids 700000-700999 ada
        nft add rule inet cable input tcp dport 7002 drop
        chmod 0700 /srv/app
        systemctl stop stopped
        mkdir -p /etc/systemd/system/altered.service.d
        printf '[Service]\\nNice=5\\n' >/etc/systemd/system/altered.service.d/override.conf
        systemctl daemon-reload; systemctl restart altered
        table=$(nft list tables | sed -n 's/^table //p' | grep cairn)
        chain=$(nft -s list table $table | sed -n 's/^\\tchain \\(.*\\) {/\\1/p' | head -1)
        nft add rule $table $chain tcp dport 4444 accept");
    let (code, told) = drift();
    assert_eq!(code, 4);
    let expected = [
        "file /etc/app.conf was replaced",
        "file /etc/app.gone is gone",
        "file /etc/app.mode has another mode",
        "file /etc/app.owner has another owner",
        "file /etc/systemd/system/hidden.service was replaced",
        "directory /srv/app has another mode",
        "package hello-cairn is not installed",
        "group makers has other members",
        "user ada has another shell",
        "user ada has other ranges in /etc/subuid",
        "sysctl net.ipv4.ip_forward has another value",
        "nftables inet cable was changed",
        "nftables inet cairn-fw was changed",
        "drop-in /etc/systemd/system/altered.service.d/override.conf alters altered.service",
        "unit fails.service failed",
        "unit hidden.service is masked",
        "unit stopped.service is stopped",
    ];
    assert_eq!(told, expected.join("\n"));
    let status = cairn.run(&["status", "alpha"]).ok();
    let _ = status.says(&["drifted", "/etc/app.conf was replaced", "stopped.service"]);

    let _ = cairn.run(&["repair", "alpha"]).ok().says(&["put right", "app.conf"]);
    assert_eq!(drift(), (0, String::new()), "repaired");
    assert_eq!(host.read("/var/lib/cairn/drift/etc/app.conf"), "wrong\n");
    assert_eq!(pid("steady"), steady, "it did not drift");
    assert_ne!(pid("reader"), reader, "what it reads had drifted");
    assert_eq!(host.unit("altered", "Nice"), "0");
    forget();
    before.assert_same(&host.snapshot());

    let again = cairn.run(&["repair", "alpha"]).ok();
    let _ = again.says(&["nothing to do"]);
    // Another host that cannot be asked does not hide what drifted, nor the other way round.
    fleet.write(
        "cairn.nix",
        "{ outputs = { ... }: { hosts = { alpha = ./host.nix; beta = {
        deployment.targetHost = \"10.77.0.99\"; }; }; }; }\n",
    );
    let _ = cairn.run(&["drift", "alpha", "beta"]).expect(3).says(&["1 of 2 hosts failed"]);
    host.sh("sysctl -qw net.ipv4.ip_forward=0");
    let both = cairn.run(&["drift", "alpha", "beta"]).expect(4);
    let _ = both.says(&["1 of 2 hosts failed", "1 of 2 hosts drifted"]);
    let history = cairn.run(&["history", "alpha", "--format", "json"]).ok().json();
    let last = history.last().unwrap();
    assert_eq!((&last["what"], &last["outcome"]), (&"repair".into(), &"repaired".into()));
}
