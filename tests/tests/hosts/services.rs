//! Services that take secrets: a tunnel between two hosts, a backup, logins for registries.

use cairn_tests::{Cairn, Case, Fleet, Host, Lab, encrypted};

pub(crate) const CASES: &[Case] = &[
    ("a tunnel, whose keys move", tunnel),
    ("a backup, and what comes back of it", backup),
    ("logins for registries, whatever is in the passwords", registries),
];

const ADDRESSES: [[u8; 4]; 2] = [[10, 77, 0, 11], [10, 77, 0, 12]];

fn host_key(host: &Host<'_>) -> String {
    host.read("/etc/ssh/ssh_host_ed25519_key.pub").trim().to_owned()
}

/// A private key, and the public one.
fn pair(host: &Host<'_>) -> (String, String) {
    let private = host.sh("wg genkey");
    let public = host.sh(&format!("echo {private} | wg pubkey"));
    (private, public)
}

fn tunnel() {
    let lab = Lab::start();
    let [alpha, beta] = lab.hosts([("alpha", ADDRESSES[0]), ("beta", ADDRESSES[1])]);
    let (mut keys, shared) = ([pair(&alpha), pair(&beta)], alpha.sh("wg genpsk"));
    let fleet = Fleet::new();
    let module = |at: usize, keys: &[(String, String); 2]| {
        let (host, other) = ([&alpha, &beta][at], [&beta, &alpha][at]);
        format!(
            r#"{{ config, pkgs, ... }}: {{
  deployment.targetHost = "{}";
  deployment.hostKey = "{}";
  sops.defaultSopsFile = ./{}.yaml;
  sops.secrets = {{ key = {{ }}; shared = {{ }}; }};
  networking.wireguard.interfaces.wg0 = {{
    userspace = true;
    ips = [ "10.100.0.{}/24" "fd00:100::{}/64" ];
    listenPort = 51820;
    privateKey = config.sops.secrets.key;
    peers = [ {{
      name = "other";
      publicKey = "{}";
      presharedKey = config.sops.secrets.shared;
      allowedIPs = [ "10.100.0.{}/32" "fd00:100::{}/128" ];
      endpoint = "{}:51820";
    }} ];
  }};
}}"#,
            host.address(),
            host_key(host),
            host.name(),
            at + 1,
            at + 1,
            keys[1 - at].1,
            2 - at,
            2 - at,
            other.address(),
        )
    };
    let write = |keys: &[(String, String); 2]| {
        for (at, host) in [&alpha, &beta].into_iter().enumerate() {
            fleet.write(&format!("{}.nix", host.name()), &module(at, keys));
            let plain = format!("key: {}\nshared: {shared}\n", keys[at].0);
            let file = encrypted(&plain, &[&host_key(host)]);
            fleet.write(&format!("{}.yaml", host.name()), &file);
        }
    };
    fleet.write(
        "cairn.nix",
        "{ outputs = { ... }: { hosts = { alpha = ./alpha.nix; beta = ./beta.nix; }; }; }",
    );
    write(&keys);
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let _ = cairn.run(&["switch", "alpha", "beta"]).ok();
    let reach = || {
        alpha.until("both reach each other", || {
            alpha.holds("ping -c1 -W1 10.100.0.2") && beta.holds("ping -c1 -W1 fd00:100::1")
        });
    };
    reach();
    assert_eq!(alpha.sh("wg show wg0 peers"), keys[1].1);
    assert!(alpha.holds("ip route show dev wg0 | grep -q 10.100.0.2"));

    // Another key of one side: it takes a new interface, the other no more than another peer.
    keys[1] = pair(&beta);
    write(&keys);
    let interface = alpha.unit("wireguard-wg0", "ActiveEnterTimestampMonotonic");
    let _ = cairn.run(&["switch", "alpha", "beta"]).ok();
    assert_eq!(alpha.unit("wireguard-wg0", "ActiveEnterTimestampMonotonic"), interface);
    assert_eq!(alpha.sh("wg show wg0 peers"), keys[1].1);
    reach();

    beta.reboot();
    beta.until("the tunnel is back", || beta.holds("ping -c1 -W1 10.100.0.1"));

    let _ = cairn.run(&["rollback", "alpha", "0"]).ok();
    assert!(!alpha.holds("ip link show wg0"));
    assert!(!alpha.holds("ip route | grep -q 10.100.0"));
}

fn backup() {
    const PASSWORD: &str = "quite \"a\" pass\\word";
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESSES[0]);
    let key = host_key(&host);
    let fleet = Fleet::of(
        "alpha",
        host.address(),
        &format!(
            r#"
  deployment.hostKey = "{key}";
  sops.defaultSopsFile = ./secrets.yaml;
  sops.secrets = {{ password = {{ }}; label = {{ }}; }};
  services.restic.backups.work = {{
    package = pkgs.debian.restic;
    repository = "/srv/repository";
    password = config.sops.secrets.password;
    secretEnvironment.LABEL = config.sops.secrets.label;
    initialize = true;
    paths = [ "/srv/work" ];
    exclude = [ "*.tmp" ];
    backupPrepareCommand = "printf %s \"$LABEL\" >/srv/label";
    pruneOpts = [ "--keep-last 1" ];
    runCheck = true;
    timerConfig.OnCalendar = "03:10";
  }};
"#
        ),
    );
    let plain = format!("password: '{PASSWORD}'\nlabel: '{PASSWORD}'\n");
    fleet.write("secrets.yaml", &encrypted(&plain, &[&key]));
    host.sh("mkdir -p /srv/work && echo kept >/srv/work/file && echo left >/srv/work/a.tmp");
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let _ = cairn.run(&["switch", "alpha"]).ok();
    assert_eq!(host.sh("systemctl is-active restic-backups-work.timer"), "active");
    assert!(!host.holds("test -e /srv/repository"), "nothing runs before its time");

    for _ in 0..2 {
        host.sh("systemctl start restic-backups-work.service");
    }
    assert_eq!(host.read("/srv/label"), PASSWORD);
    let restic = "restic -r /srv/repository --password-file /run/cairn/secrets/password";
    assert_eq!(host.sh(&format!("{restic} snapshots --json | grep -o short_id | wc -l")), "1");
    host.sh(&format!("rm -r /srv/work && {restic} restore latest --target /"));
    assert_eq!(host.sh("ls /srv/work && cat /srv/work/file"), "file\nkept");
}

fn registries() {
    const PASSWORD: &str = "a\"b\\c: #d";
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESSES[0]);
    let key = host_key(&host);
    let fleet = Fleet::of(
        "alpha",
        host.address(),
        &format!(
            r#"
  deployment.hostKey = "{key}";
  sops.secrets.password = {{ sopsFile = ./secrets.yaml; }};
  services.k3s = {{
    enable = true;
    package = null;
    registries = {{
      mirrors."docker.io".endpoint = [ "https://mirror.example.org" ];
      mirrors."*" = {{ }};
      configs."mirror.example.org".auth = {{
        username = "ada";
        password = config.sops.secrets.password;
      }};
    }};
  }};
"#
        ),
    );
    fleet.write("secrets.yaml", &encrypted(&format!("password: '{PASSWORD}'\n"), &[&key]));
    std::fs::copy(env!("CARGO_BIN_EXE_k3s-standin"), host.outside("/usr/local/bin/k3s")).unwrap();
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let _ = cairn.run(&["switch", "alpha"]).ok();
    let shown = host.read("/etc/rancher/k3s/registries.yaml");
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["mirrors"]["*"], serde_json::json!({}));
    let auth = &shown["configs"]["mirror.example.org"]["auth"];
    assert_eq!((&auth["username"], &auth["password"]), (&"ada".into(), &PASSWORD.into()));
    assert_eq!(host.sh("stat -Lc '%a %U' /etc/rancher/k3s/registries.yaml"), "400 root");
}
