//! Secrets, from the repository to the service: there while they should be, and nowhere else.

use std::fmt::Write;

use cairn_sops::Format;
use cairn_tests::{Cairn, Case, Fleet, Host, Lab, encrypted, encrypted_as};
use sha2::{Digest, Sha256};

use crate::the_path::last;

pub(crate) const CASES: &[Case] = &[
    ("a secret comes to its service, changes, goes back and survives a boot", whole_way),
    ("plaintext is nowhere but in memory", nowhere_else),
    ("a host that cannot decrypt is as it was", refused),
    ("an engine killed in the middle leaves old secrets whole", killed),
    ("altered secrets are told and put right", drifted),
    ("a thousand secrets", a_thousand),
    ("files of every format", every_format),
];

const ADDRESS: [u8; 4] = [10, 77, 0, 11];

/// Services that tell by a hash which secret they have read, so that no disk has it.
const HOST: &str = r#"
  deployment.hostKey = "KEY";
  sops.defaultSopsFile = ./secrets.yaml;
  sops.secrets = {
    "app/token" = { owner = "app"; restartUnits = [ "reader.service" ]; };
    other.reloadUnits = [ "reloader.service" ];
    ada.neededForUsers = true;
  };
  sops.templates."app.conf" = {
    content = "token=${config.sops.placeholder."app/token"}\nother=${config.sops.placeholder.other}\n";
    path = "/etc/app/app.conf";
    restartUnits = [ "filled.service" ];
  };
  users.users.app = { isSystemUser = true; group = "app"; };
  users.groups.app = { };
  users.users.ada = { isNormalUser = true; hashedPasswordFile = config.sops.secrets.ada.path; };
  systemd.services = {
    steady = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 1111"; };
    filled = { wantedBy = [ "multi-user.target" ]; serviceConfig.ExecStart = "/bin/sleep 2222"; };
    reader = {
      wantedBy = [ "multi-user.target" ];
      serviceConfig = { User = "app"; RuntimeDirectory = "reader"; };
      script = ''
        sha256sum <${config.sops.secrets."app/token".path} >/run/reader/sum
        exec sleep 3333
      '';
    };
    reloader = {
      wantedBy = [ "multi-user.target" ];
      serviceConfig = {
        RuntimeDirectory = "reloader";
        ExecStart = "/bin/sleep 4444";
        ExecReload = "/bin/sh -c 'sha256sum <${config.sops.secrets.other.path} >/run/reloader/sum'";
      };
    };
  };
"#;

const HASH: &str = "$6$salt$IxDD3jeSOb5eB1CX5LBsqZFVkJdido3OUILO5Ifz5iwMuTS4XMS130MTSuDDl3aCI6WouIL9AjRbLCelDCy.g.";

/// The content of the host's file.
fn values(token: &str, other: &str) -> String {
    format!("app:\n    token: {token}\nother: {other}\nada: {HASH}\n")
}

fn host_key(host: &Host<'_>) -> String {
    host.read("/etc/ssh/ssh_host_ed25519_key.pub").trim().to_owned()
}

/// A fleet of this host with these definitions and values.
fn fleet(host: &Host<'_>, definitions: &str, plain: &str) -> Fleet {
    let key = host_key(host);
    let fleet = Fleet::of("alpha", host.address(), &definitions.replace("KEY", &key));
    fleet.write("secrets.yaml", &encrypted(plain, &[&key]));
    fleet
}

fn sum(content: impl AsRef<[u8]>) -> String {
    Sha256::digest(content).iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").unwrap();
        hex
    })
}

/// Processes of all services, by which a restart shows.
fn pids(host: &Host<'_>) -> Vec<(&'static str, String)> {
    let services = ["steady", "filled", "reader", "reloader"];
    services.map(|name| (name, host.unit(name, "MainPID"))).into()
}

/// The services that run in another process than before.
fn restarted(before: &[(&'static str, String)], host: &Host<'_>) -> Vec<&'static str> {
    let now = pids(host);
    before.iter().zip(&now).filter(|(old, new)| old.1 != new.1).map(|(old, _)| old.0).collect()
}

fn has_read(host: &Host<'_>, service: &str, value: &str) -> bool {
    host.holds(&format!("grep -q ^{} /run/{service}/sum", sum(value)))
}

fn whole_way() {
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    let key = host_key(&host);
    let fleet = fleet(&host, HOST, &values("first-token", "first-other"));
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let write = |plain: &str| fleet.write("secrets.yaml", &encrypted(plain, &[&key]));

    let _ = cairn.run(&["switch", "alpha"]).ok();
    host.until("the reader has its token", || has_read(&host, "reader", "first-token"));
    let shown = "stat -c '%a %U %G' /run/cairn/secrets/app/token /run/cairn/secrets/other";
    assert_eq!(host.sh(shown), "400 app app\n400 root root");
    assert_eq!(host.sh("stat -f -c %T /run/cairn/secrets/other"), "ramfs");
    assert_eq!(host.read("/etc/app/app.conf"), "token=first-token\nother=first-other\n");
    assert_eq!(host.sh("getent shadow ada | cut -d: -f2"), HASH);
    // Nobody else sees more than that something is there.
    assert!(!host.holds("setpriv --reuid guest --clear-groups cat /run/cairn/secrets/app/token"));
    assert!(!host.holds("setpriv --reuid guest --clear-groups ls /run/cairn/secrets/"));
    assert!(host.holds("setpriv --reuid app --clear-groups cat /run/cairn/secrets/app/token"));

    // Encrypted anew with the values that it had: nobody is told.
    let before = pids(&host);
    write(&values("first-token", "first-other"));
    let _ = cairn.run(&["switch", "alpha"]).ok();
    assert_eq!(restarted(&before, &host), Vec::<&str>::new());

    // Another value: those who read it, and nobody else. A dry run says so and does not do it.
    write(&values("second-token", "first-other"));
    let dry = cairn.run(&["dry-activate", "alpha"]).ok();
    let _ = dry.says(&["restart filled.service", "restart reader.service", "secret app/token"]);
    assert_eq!(host.read("/run/cairn/secrets/app/token"), "first-token");
    assert_eq!(restarted(&before, &host), Vec::<&str>::new());
    let _ = cairn.run(&["switch", "alpha"]).ok();
    assert_eq!(restarted(&before, &host), ["filled", "reader"]);
    host.until("the reader has the second", || has_read(&host, "reader", "second-token"));
    assert_eq!(host.sh("ls /run/cairn/secrets.d | wc -l"), "1", "older ones are wiped");

    // One that is read by whoever is reloaded; it is in the template too.
    let before = pids(&host);
    write(&values("second-token", "second-other"));
    let _ = cairn.run(&["switch", "alpha"]).ok();
    assert_eq!(restarted(&before, &host), ["filled"]);
    assert!(has_read(&host, "reloader", "second-other"));

    // Back, by hand, to what was before.
    let _ = cairn.run(&["rollback", "alpha"]).ok();
    assert_eq!(host.read("/run/cairn/secrets/other"), "first-other");
    assert!(has_read(&host, "reloader", "first-other"));
    assert_eq!(host.read("/etc/app/app.conf"), "token=second-token\nother=first-other\n");

    // A mode, and then an owner.
    let before = pids(&host);
    let module =
        host_module(&fleet).replace("owner = \"app\";", "owner = \"app\"; mode = \"0440\";");
    fleet.write("host.nix", &module);
    write(&values("second-token", "first-other"));
    let _ = cairn.run(&["switch", "alpha"]).ok();
    assert_eq!(restarted(&before, &host), ["reader"]);
    let before = pids(&host);
    fleet.write(
        "host.nix",
        &module.replace("mode = \"0440\";", "mode = \"0440\"; group = \"adm\";"),
    );
    let _ = cairn.run(&["switch", "alpha"]).ok();
    assert_eq!(restarted(&before, &host), ["reader"]);
    assert_eq!(host.sh("stat -c '%a %U %G' /run/cairn/secrets/app/token"), "440 app adm");

    // There before whoever reads it.
    host.reboot();
    host.until("the reader has it", || has_read(&host, "reader", "second-token"));
    assert_eq!(host.sh("systemctl is-active reader filled"), "active\nactive");
    assert_eq!(host.read("/etc/app/app.conf"), "token=second-token\nother=first-other\n");

    // The host as found has none.
    let _ = cairn.run(&["rollback", "alpha", "0"]).ok();
    assert!(!host.holds("test -e /run/cairn/secrets || test -e /run/cairn/secrets.d"));
    assert!(!host.holds("grep -q /run/cairn/secrets /proc/mounts"));
}

fn host_module(fleet: &Fleet) -> String {
    std::fs::read_to_string(fleet.path().join("host.nix")).unwrap()
}

/// Everything in which plaintext might have been left, searched for it as it is, in base64 and in hex.
const SEARCH: &str = r"
for word in WORDS; do
    grep -rlaF -e $word /etc /var /root /home /srv /opt /tmp /usr/local 2>/dev/null
    find /run -type f -not -path '/run/cairn/secrets.d/*' -exec grep -laF -e $word {} + 2>/dev/null
    journalctl -a --no-pager -o export 2>/dev/null | grep -aF -e $word | grep -av 'grep -rlaF'
    for file in /proc/[0-9]*/cmdline /proc/[0-9]*/environ; do
        case $file in /proc/$$/*) continue;; esac
        tr '\0' ' ' <$file 2>/dev/null | grep -aF -e $word | grep -av grep && echo $file
    done
done
true
";

fn found(host: &Host<'_>, value: &str) -> String {
    let base64 = host.sh(&format!("printf %s {value} | base64 -w0"));
    let hex = host.sh(&format!("printf %s {value} | od -An -tx1 | tr -d ' \\n'"));
    // The shell that searches has the words among its own.
    let words = format!("{value} {} {hex}", base64.trim_end_matches('='));
    host.sh(&SEARCH.replace("WORDS", &words))
}

fn nowhere_else() {
    const TOKEN: &str = "plainly-4f1d0c8a6b";
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    let fleet = fleet(&host, HOST, &values("nothing-much", "other"));
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let _ = cairn.run(&["switch", "alpha"]).ok();
    let key = host_key(&host);
    fleet.write("secrets.yaml", &encrypted(&values(TOKEN, "other"), &[&key]));

    // The search finds what is there to be found.
    host.sh(&format!("printf %s {TOKEN} | base64 >/var/tmp/left"));
    assert!(found(&host, TOKEN).contains("/var/tmp/left"));
    host.sh("rm /var/tmp/left");

    let outputs = [
        cairn.run(&["build", "alpha", "--format", "json"]).ok().words(),
        cairn.run(&["diff", "alpha"]).ok().words(),
        cairn.run(&["dry-activate", "alpha", "-v"]).ok().words(),
        cairn.run(&["switch", "alpha", "--format", "json"]).ok().words(),
        cairn.run(&["status", "alpha", "--format", "json"]).ok().words(),
        cairn.run(&["history", "alpha", "--format", "json"]).ok().words(),
    ];
    assert!(outputs[1].contains("app/token"), "{}", outputs[1]);
    assert!(outputs.iter().all(|words| !words.contains(TOKEN)), "{outputs:#?}");
    assert_eq!(host.read("/run/cairn/secrets/app/token"), TOKEN);
    assert_eq!(found(&host, TOKEN), "");
    host.reboot();
    let _ = cairn.run(&["rollback", "alpha"]).ok();
    assert_eq!(found(&host, TOKEN), "");
    assert_eq!(host.read("/run/cairn/secrets/app/token"), "nothing-much");
}

fn refused() {
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    let fleet = fleet(&host, HOST, &values("first-token", "first-other"));
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let _ = cairn.run(&["switch", "alpha"]).ok();
    let (before, running) = (host.snapshot(), pids(&host));
    let unchanged = |why: &str| {
        before.assert_same(&host.snapshot());
        assert_eq!(restarted(&running, &host), Vec::<&str>::new(), "{why}");
        assert_eq!(host.read("/run/cairn/secrets/app/token"), "first-token");
        assert_eq!(host.sh("ls /run/cairn/secrets.d | wc -l"), "1");
        let status = cairn.run(&["status", "alpha", "--format", "json"]).ok().json();
        assert_eq!(last(&status, "generation"), 1);
    };

    // No recipient any more: told before anything is sent, where the host's key is known.
    let other = std::fs::read_to_string(lab.home_directory().join(".ssh/id_ed25519.pub")).unwrap();
    let next = encrypted(&values("next-token", "next-other"), &[&other]);
    fleet.write("secrets.yaml", &next);
    let _ = cairn.run(&["switch", "alpha"]).expect(1).says(&["secret::not-a-recipient", "alpha"]);
    // And by the host, where it is not.
    let known = host_module(&fleet);
    let key = format!("deployment.hostKey = \"{}\";", host_key(&host));
    fleet.write("host.nix", &known.replace(&key, ""));
    let said = cairn.run(&["switch", "alpha"]).expect(3);
    let _ = said.says(&["`app/token`", "secrets.yaml", "SHA256:", "ssh_host_ed25519_key"]);
    unchanged("no recipient");

    // A value, the code over all of them, or their order changed by somebody without the key.
    fleet.write("host.nix", &known);
    let right = encrypted(&values("next-token", "next-other"), &[&host_key(&host)]);
    for tampered in [tamper(&right, "other: ENC["), tamper(&right, "    mac: ENC[")] {
        fleet.write("secrets.yaml", &tampered);
        let _ = cairn.run(&["switch", "alpha"]).expect(3).says(&["secrets.yaml", "changed"]);
        unchanged("tampered");
    }

    // What is not required loses nothing but itself.
    fleet.write("secrets.yaml", &right);
    fleet.write("foreign.yaml", &next);
    let more =
        "sops.secrets.foreign = { sopsFile = ./foreign.yaml; key = \"other\"; required = false; };";
    fleet.write("host.nix", &known.replace("sops.default", &format!("{more}\n  sops.default")));
    let said = cairn.run(&["switch", "alpha"]).ok();
    let _ = said.says(&["`foreign`", "foreign.yaml", "SHA256:"]);
    assert_eq!(host.read("/run/cairn/secrets/app/token"), "next-token");
    assert!(!host.holds("test -e /run/cairn/secrets/foreign"));
    assert_eq!(cairn.run(&["drift", "alpha"]).code(), 0, "it is known to be missing");
}

/// The first byte of a ciphertext as another one.
fn tamper(file: &str, before: &str) -> String {
    let start =
        file.find(before).unwrap() + file[file.find(before).unwrap()..].find("data:").unwrap() + 5;
    let other = if file[start..].starts_with('A') { "B" } else { "A" };
    format!("{}{other}{}", &file[..start], &file[start + 1..])
}

fn killed() {
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    let fleet = fleet(&host, HOST, &values("first-token", "first-other"));
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let _ = cairn.run(&["switch", "alpha"]).ok();
    host.until("the reader has its token", || has_read(&host, "reader", "first-token"));

    // A check that takes its time: secrets are flipped, and the engine waits.
    let slow = "healthChecks.slow = { command = \"sleep 300\"; deadline = 400; };";
    let module = host_module(&fleet);
    fleet.write("host.nix", &module.replace("sops.default", &format!("{slow}\n  sops.default")));
    let next = values("second-token", "second-other");
    fleet.write("secrets.yaml", &encrypted(&next, &[&host_key(&host)]));
    let mut deployer = cairn.start(&["switch", "alpha"]);
    host.until("the new secret is read", || has_read(&host, "reader", "second-token"));
    let engine = "pgrep -f '[c]airn-activator engine'";
    host.until("the check runs", || host.holds("pgrep -f '[s]leep 300'"));
    let limit = host.sh(&format!("grep 'Max core file size' /proc/$({engine})/limits"));
    assert_eq!(limit.split_whitespace().nth(4), Some("0"), "{limit}");
    host.sh(&format!("kill -ABRT $({engine})"));
    host.until("the engine is dead", || !host.holds(engine));
    host.sh("/var/lib/cairn/activator/current/cairn-activator recover");
    deployer.kill().unwrap();
    let _ = deployer.wait();

    assert_eq!(host.read("/run/cairn/secrets/app/token"), "first-token");
    host.until("the reader has the old one", || has_read(&host, "reader", "first-token"));
    assert!(has_read(&host, "reloader", "first-other"));
    assert_eq!(host.sh("ls /run/cairn/secrets.d | wc -l"), "1");
    assert!(!host.holds("test -e /run/cairn/secrets.pending"));
    assert_eq!(found(&host, "second-token"), "", "no core, and nothing else");
}

fn drifted() {
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    let fleet = fleet(&host, HOST, &values("first-token", "first-other"));
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let _ = cairn.run(&["switch", "alpha"]).ok();
    let before = pids(&host);
    assert_eq!(cairn.run(&["drift", "alpha"]).code(), 0);
    host.sh("cd /run/cairn/secrets; rm other; chmod 0444 app/token; echo x >rendered/app.conf; echo y >stray");
    let told = cairn.run(&["drift", "alpha"]).expect(4);
    let _ = told.says(&[
        "the secret app/token has another mode: 0444 instead of 0400",
        "the secret other is gone",
        "the secret rendered/app.conf has another content",
        "the secret stray is not of the generation",
    ]);
    let _ = cairn.run(&["repair", "alpha"]).ok();
    assert_eq!(cairn.run(&["drift", "alpha"]).code(), 0);
    assert_eq!(host.read("/run/cairn/secrets/other"), "first-other");
    assert_eq!(restarted(&before, &host), ["filled", "reader"]);
    // A folder that is gone altogether comes back with a switch that has nothing else to do.
    host.sh("rm /run/cairn/secrets");
    let _ = cairn.run(&["switch", "alpha"]).ok();
    assert_eq!(host.read("/run/cairn/secrets/other"), "first-other");
}

fn a_thousand() {
    const COUNT: usize = 1000;
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    let definitions = format!(
        "deployment.hostKey = \"KEY\"; sops.defaultSopsFile = ./secrets.yaml;\n\
         sops.secrets = lib.genAttrs (map (n: \"s${{toString n}}\") (lib.range 1 {COUNT})) (_: {{ }});"
    );
    let plain = |word: &str| (1..=COUNT).map(|n| format!("s{n}: {word}-{n}\n")).collect::<String>();
    let fleet = fleet(&host, &definitions, &plain("first"));
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let _ = cairn.run(&["switch", "alpha"]).ok();
    fleet.write("secrets.yaml", &encrypted(&plain("second"), &[&host_key(&host)]));
    let events = cairn.run(&["switch", "alpha", "--format", "json"]).ok().json();
    assert_eq!(host.sh("ls /run/cairn/secrets | wc -l"), COUNT.to_string());
    assert_eq!(host.read("/run/cairn/secrets/s1000"), "second-1000");
    // All of preflight and of what comes before the flip, not secrets alone.
    let timings = last(&events, "timings");
    println!(
        "1,000 secrets: preflight {} ms, prepare {} ms",
        timings["preflight"], timings["prepare"]
    );
}

/// Values of JSON by their keys; of the rest, and of what is no text, the whole file.
fn every_format() {
    const BYTES: &[u8] = b"\x00\xff\r\n key \x80";
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    let key = host_key(&host);
    let secrets = r#"
  deployment.hostKey = "KEY";
  sops.secrets = {
    json = { sopsFile = ./a.json; key = "database/0/password"; };
    whole = { sopsFile = ./a.json; key = ""; };
    dotenv.sopsFile = ./b.env;
    ini.sopsFile = ./c.ini;
    binary = { sopsFile = ./d.p12; mode = "0444"; };
  };
"#;
    let fleet = Fleet::of("alpha", host.address(), &secrets.replace("KEY", &key));
    for (name, format, plain) in [
        ("a.json", Format::Json, &br#"{"database": [{"password": "j\u00fcst"}]}"#[..]),
        ("b.env", Format::Dotenv, b"USER=app\nPASSWORD=a b=c\n"),
        ("c.ini", Format::Ini, b"[database]\npassword = one two\n"),
        ("d.p12", Format::Binary, BYTES),
    ] {
        fleet.write(name, &encrypted_as(format, plain, &[&key]));
    }
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let _ = cairn.run(&["switch", "alpha"]).ok();
    let read = |name: &str| host.read(&format!("/run/cairn/secrets/{name}"));
    assert_eq!(read("json"), "j\u{fc}st");
    let whole: serde_json::Value = serde_json::from_str(&read("whole")).unwrap();
    assert_eq!(whole["database"][0]["password"], "j\u{fc}st");
    assert_eq!(read("dotenv"), "USER=app\nPASSWORD=a b=c\n");
    let ini = read("ini");
    assert!(ini.contains("[database]") && ini.contains("one two"), "{ini}");
    assert_eq!(host.sh("sha256sum </run/cairn/secrets/binary | cut -d' ' -f1"), sum(BYTES));
}
