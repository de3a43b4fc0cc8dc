//! Which host keys are trusted.

use cairn_deploy::{Cause, Error, Expected, Quiet, Target};

use crate::sshd::{self, Sshd};
use crate::{Tests, deployer, run, settings, web};

pub(crate) const TESTS: Tests = &[
    ("trust::known", known),
    ("trust::known_by_ssh_keyscan_and_hashed", known_by_ssh_keyscan_and_hashed),
    ("trust::order_of_algorithms_follows_known_entries", order_of_algorithms),
    ("trust::unknown", unknown),
    ("trust::changed", changed),
    ("trust::revoked", revoked),
    ("trust::unreadable_file", unreadable_file),
    ("trust::pinned", pinned),
    ("trust::rsa_alone", rsa_alone),
    ("trust::looked_at", looked_at),
];

fn connect(sshd: &Sshd, target: &Target) -> Result<(), Error> {
    run(async { deployer(sshd).connect(target, &Quiet).await.map(|_| ()) })
}

fn server() -> Sshd {
    let sshd = Sshd::start();
    sshd.configure("");
    sshd
}

fn known() {
    let sshd = server();
    sshd.know_all();
    connect(&sshd, &web()).unwrap();
}

fn known_by_ssh_keyscan_and_hashed() {
    let sshd = server();
    let port = sshd.port.to_string();
    let scan = std::process::Command::new("ssh-keyscan")
        .args(["-H", "-p", &port, "127.0.0.1"])
        .output()
        .unwrap();
    let lines = String::from_utf8(scan.stdout).unwrap();
    assert!(lines.starts_with("|1|"), "{lines}");
    sshd.know(&lines);
    connect(&sshd, &web()).unwrap();
}

fn order_of_algorithms() {
    let sshd = server();
    // The server prefers ed25519; only its other key is known.
    sshd.know(&format!("[127.0.0.1]:{} {}\n", sshd.port, sshd.host_key("ecdsa")));
    connect(&sshd, &web()).unwrap();
}

fn unknown() {
    let sshd = server();
    sshd.know("other ssh-ed25519 AAAA\n");
    let error = connect(&sshd, &web()).unwrap_err();
    assert_eq!(error.code(), "deploy::host-key-unknown");
    let fingerprint = sshd::fingerprint(&sshd.path("host_ed25519.pub"));
    assert!(error.message().contains(&fingerprint), "{error}");
    let help = error.help().unwrap();
    assert!(help.contains(&format!("ssh-keyscan -p {} 127.0.0.1", sshd.port)), "{help}");
    assert!(help.contains(&sshd.host_key("ed25519")), "{help}");
    assert!(!sshd.log().contains("Accepted"), "{}", sshd.log());
}

fn changed() {
    let sshd = server();
    sshd::keygen(&sshd.path("host_other"), "ed25519", "");
    sshd.know(&format!("# here\n[127.0.0.1]:{} {}\n", sshd.port, sshd.host_key("other")));
    let error = connect(&sshd, &web()).unwrap_err();
    assert_eq!(error.code(), "deploy::host-key-changed");
    let place = format!("{}:2", sshd.path("known_hosts").display());
    assert!(error.message().contains(&place), "{error}");
    assert!(error.help().unwrap().contains("remove line 2 of"));
}

fn revoked() {
    let sshd = server();
    let (port, key) = (sshd.port, sshd.host_key("ed25519"));
    sshd.know(&format!("[127.0.0.1]:{port} {key}\n@revoked * {key}\n"));
    let error = connect(&sshd, &web()).unwrap_err();
    assert_eq!(error.code(), "deploy::host-key-revoked");
    assert!(error.message().contains("known_hosts:2"), "{error}");
}

fn unreadable_file() {
    let sshd = server();
    // Root reads any file, but no folder.
    std::fs::create_dir(sshd.path("known_hosts")).unwrap();
    let error = connect(&sshd, &web()).unwrap_err();
    assert_eq!(error.code(), "deploy::known-hosts");
}

fn pinned() {
    let sshd = server();
    sshd.know("");
    let pin = |key: String| Target { host_key: Some(key), ..web() };
    // No file knows the host, and the second of its keys is the one.
    connect(&sshd, &pin(format!("{} root@web", sshd.host_key("ecdsa")))).unwrap();
    let error = connect(&sshd, &pin(sshd.client_key())).unwrap_err();
    assert!(
        matches!(error.cause(), Cause::HostKeyChanged { expected: Expected::Pinned(_), .. }),
        "{error}"
    );
    let error = connect(&sshd, &pin("ssh-ed25519 nonsense".to_owned())).unwrap_err();
    assert_eq!(error.code(), "deploy::pinned-key");
}

fn rsa_alone() {
    let sshd = Sshd::with(&["rsa"], "");
    sshd.configure("");
    sshd.know(&format!("[127.0.0.1]:{} {}\n", sshd.port, sshd.host_key("rsa")));
    let error = connect(&sshd, &web()).unwrap_err();
    assert_eq!(error.code(), "deploy::host-key-unsupported");
    assert!(error.message().contains("rsa-sha2-512"), "{error}");
}

fn looked_at() {
    let sshd = server();
    sshd.know("");
    let look = |target: Target| run(cairn_deploy::host_key(settings(&sshd), &target));
    let key = sshd.host_key("ed25519");
    let shown = look(web()).unwrap();
    assert!(key.starts_with(&shown.key) && !shown.trusted, "{shown:?}");
    let pinned = look(Target { host_key: Some(key), ..web() }).unwrap();
    assert!(pinned.trusted);
    sshd.know_all();
    assert!(look(web()).unwrap().trusted);
    let log = sshd.log();
    assert!(!log.contains("Accepted"), "nobody logs in: {log}");
    // Without a key that age can encrypt for, there is nothing to show.
    let other = Sshd::with(&["ecdsa"], "");
    other.configure("");
    other.know("");
    let error = run(cairn_deploy::host_key(settings(&other), &web())).unwrap_err();
    assert_eq!(error.code(), "deploy::host-key-unsupported");
}
