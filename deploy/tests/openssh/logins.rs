//! How a host is reached, and who may log in.

use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use cairn_deploy::{Cause, Deployer, Error, Passphrases, Quiet, Settings, Target};

use crate::sshd::{self, Sshd};
use crate::{Tests, deployer, run, settings, web};

pub(crate) const TESTS: Tests = &[
    ("logins::identity_file", identity_file),
    ("logins::agent", agent),
    ("logins::rsa_through_the_agent_alone", rsa_through_the_agent_alone),
    ("logins::identities_only", identities_only),
    ("logins::encrypted_key", encrypted_key),
    ("logins::refused", refused),
    ("logins::too_many_keys", too_many_keys),
    ("logins::options_win_over_configuration", options_win),
    ("logins::proxy_jump", proxy_jump),
    ("logins::nobody_listens", nobody_listens),
    ("logins::nobody_answers", nobody_answers),
    ("logins::no_such_name", no_such_name),
    ("logins::no_ssh_there", no_ssh_there),
];

fn server() -> Sshd {
    let sshd = Sshd::start();
    sshd.configure("");
    sshd.know_all();
    sshd
}

fn connect_as(settings: Settings) -> Result<(), Error> {
    run(async { Deployer::over_ssh(settings).connect(&web(), &Quiet).await.map(|_| ()) })
}

/// An agent that holds one key.
struct Agent(Child);

impl Agent {
    fn with(sshd: &Sshd, key: &Path) -> Self {
        let socket = sshd.path("agent");
        let agent = Command::new("ssh-agent")
            .args(["-D", "-a"])
            .arg(&socket)
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        // Its file is there before it listens.
        let reached = (0..500).any(|_| {
            std::thread::sleep(Duration::from_millis(10));
            UnixStream::connect(&socket).is_ok()
        });
        assert!(reached, "no agent listens");
        let add = Command::new("ssh-add")
            .arg(key)
            .env("SSH_AUTH_SOCK", &socket)
            .stderr(Stdio::null())
            .status()
            .unwrap();
        assert!(add.success());
        Self(agent)
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn identity_file() {
    for kind in ["ed25519", "ecdsa"] {
        let sshd = server();
        sshd::keygen(&sshd.path("other"), kind, "");
        std::fs::rename(sshd.path("other"), sshd.path("client")).unwrap();
        std::fs::copy(sshd.path("other.pub"), sshd.path("authorized_keys")).unwrap();
        std::fs::rename(sshd.path("other.pub"), sshd.path("client.pub")).unwrap();
        connect_as(settings(&sshd)).unwrap();
    }
}

fn agent() {
    let sshd = server();
    let _agent = Agent::with(&sshd, &sshd.path("client"));
    std::fs::remove_file(sshd.path("client")).unwrap();
    std::fs::remove_file(sshd.path("client.pub")).unwrap();
    let mut with_agent = settings(&sshd);
    with_agent.agent = Some(sshd.path("agent"));
    connect_as(with_agent).unwrap();
    connect_as(settings(&sshd)).unwrap_err();
    // The configuration names it too.
    sshd.configure("Host web\n  IdentityAgent ~/agent\n");
    connect_as(settings(&sshd)).unwrap();
}

fn rsa_through_the_agent_alone() {
    let sshd = server();
    sshd::keygen(&sshd.path("rsa"), "rsa", "");
    std::fs::copy(sshd.path("rsa.pub"), sshd.path("authorized_keys")).unwrap();
    std::fs::rename(sshd.path("rsa"), sshd.path("client")).unwrap();
    let error = connect_as(settings(&sshd)).unwrap_err();
    assert!(error.message().contains("signs through an agent alone: `ssh-add"), "{error}");
    let _agent = Agent::with(&sshd, &sshd.path("client"));
    let mut with_agent = settings(&sshd);
    with_agent.agent = Some(sshd.path("agent"));
    connect_as(with_agent).unwrap();
}

fn identities_only() {
    let sshd = server();
    sshd::keygen(&sshd.path("other"), "ed25519", "");
    let _agent = Agent::with(&sshd, &sshd.path("other"));
    std::fs::copy(sshd.path("other.pub"), sshd.path("authorized_keys")).unwrap();
    sshd.configure("Host web\n  IdentitiesOnly yes\n");
    let mut with_agent = settings(&sshd);
    with_agent.agent = Some(sshd.path("agent"));
    let error = connect_as(with_agent.clone()).unwrap_err();
    assert!(!error.message().contains("agent"), "{error}");
    // The public half alone says which key of the agent it may be.
    sshd.configure("Host web\n  IdentitiesOnly yes\n  IdentityFile ~/other.pub\n");
    connect_as(with_agent).unwrap();
}

struct Answer(&'static str, AtomicU32);

impl Passphrases for Answer {
    fn passphrase(&self, _path: &Path) -> Option<String> {
        self.1.fetch_add(1, Ordering::SeqCst);
        Some(self.0.to_owned())
    }
}

fn encrypted_key() {
    let sshd = server();
    std::fs::remove_file(sshd.path("client")).unwrap();
    sshd::keygen(&sshd.path("client"), "ed25519", "stone");
    let error = connect_as(settings(&sshd)).unwrap_err();
    assert!(error.message().contains("refused by the server"), "{error}");
    std::fs::copy(sshd.path("client.pub"), sshd.path("authorized_keys")).unwrap();
    let error = connect_as(settings(&sshd)).unwrap_err();
    assert!(error.message().contains("is encrypted"), "{error}");
    let answer = |text| Arc::new(Answer(text, AtomicU32::new(0)));
    let mut wrong = settings(&sshd);
    wrong.passphrases = answer("sand");
    let error = connect_as(wrong).unwrap_err();
    assert!(error.message().contains("passphrase is wrong"), "{error}");
    let (mut right, asked) = (settings(&sshd), answer("stone"));
    right.passphrases = asked.clone();
    let deployer = Deployer::over_ssh(right);
    run(async {
        for _ in 0..3 {
            deployer.connect(&web(), &Quiet).await.unwrap();
        }
    });
    assert_eq!(asked.1.load(Ordering::SeqCst), 1);
}

fn refused() {
    let sshd = server();
    std::fs::write(sshd.path("authorized_keys"), "").unwrap();
    sshd.configure("Host web\n  IdentityFile ~/gone\n");
    let error = connect_as(settings(&sshd)).unwrap_err();
    assert_eq!(error.code(), "deploy::login-refused");
    let fingerprint = sshd::fingerprint(&sshd.path("client.pub"));
    let message = error.message();
    assert!(message.contains(&format!("client {fingerprint}: refused by the server")), "{message}");
    assert!(message.contains("gone: No such file"), "{message}");
    assert!(error.help().unwrap().contains("authorized_keys"));
}

fn too_many_keys() {
    let sshd = Sshd::with(&["ed25519"], "MaxAuthTries 2");
    sshd.know_all();
    std::fs::write(sshd.path("authorized_keys"), "").unwrap();
    let mut files = String::from("Host web\n");
    for name in ["a", "b", "c"] {
        sshd::keygen(&sshd.path(name), "ed25519", "");
        files.push_str(&format!("  IdentityFile ~/{name}\n"));
    }
    sshd.configure(&files);
    let error = connect_as(settings(&sshd)).unwrap_err();
    assert!(error.message().contains("too many keys"), "{error}");
}

fn options_win() {
    let sshd = server();
    sshd.configure("Host web\n  Port 1\n  User nobody\n");
    let target = Target { port: Some(sshd.port), user: Some("root".to_owned()), ..web() };
    run(async { deployer(&sshd).connect(&target, &Quiet).await.map(|_| ()) }).unwrap();
    // An alias of the configuration, under another name of the fleet.
    sshd.configure("Host alias\n  HostName ::1\n");
    sshd.know(&format!("[::1]:{} {}\n", sshd.port, sshd.host_key("ed25519")));
    let target = Target { host: Some("alias".to_owned()), ..web() };
    run(async { deployer(&sshd).connect(&target, &Quiet).await.map(|_| ()) }).unwrap();
}

fn proxy_jump() {
    let (sshd, jump) = (server(), server());
    let both = |sshd: &Sshd| format!("[127.0.0.1]:{} {}\n", sshd.port, sshd.host_key("ed25519"));
    sshd.know(&format!("{}{}", both(&sshd), both(&jump)));
    std::fs::copy(sshd.path("client.pub"), jump.path("authorized_keys")).unwrap();
    sshd.configure(&format!("Host web\n  ProxyJump root@jump:{}\n", jump.port));
    connect_as(settings(&sshd)).unwrap();
    assert!(jump.log().contains("Accepted publickey"), "{}", jump.log());
    std::fs::write(jump.path("authorized_keys"), "").unwrap();
    let error = connect_as(settings(&sshd)).unwrap_err();
    assert_eq!(error.endpoint().unwrap().port, jump.port, "{error}");
    assert_eq!(error.code(), "deploy::login-refused");
}

fn nobody_listens() {
    let mut sshd = server();
    sshd.stop();
    let error = connect_as(settings(&sshd)).unwrap_err();
    assert_eq!(error.code(), "deploy::unreachable");
    assert_eq!(
        error.to_string(),
        format!(
            "web: cannot be reached: connection refused: does sshd listen there? \
             (root@127.0.0.1, port {})",
            sshd.port
        )
    );
}

fn nobody_answers() {
    let sshd = server();
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    sshd.configure(&format!("Host web\n  ConnectTimeout 1\n  Port {port}\n"));
    let error = connect_as(settings(&sshd)).unwrap_err();
    assert!(matches!(error.cause(), Cause::Unreachable { .. }), "{error}");
    assert!(error.message().contains("no answer within 1 s"), "{error}");
}

fn no_such_name() {
    let sshd = server();
    sshd.configure("Host web\n  HostName no-such-host.invalid\n");
    let error = connect_as(settings(&sshd)).unwrap_err();
    assert_eq!(error.code(), "deploy::unreachable");
    assert!(error.message().contains("no-such-host.invalid"), "{error}");
}

fn no_ssh_there() {
    let sshd = server();
    let web_server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = web_server.local_addr().unwrap().port();
    let talker = std::thread::spawn(move || {
        let (mut socket, _) = web_server.accept().unwrap();
        let _ = std::io::Write::write_all(&mut socket, b"HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    sshd.configure(&format!("Host web\n  ConnectTimeout 2\n  Port {port}\n"));
    let error = connect_as(settings(&sshd)).unwrap_err();
    talker.join().unwrap();
    assert_eq!(error.code(), "deploy::handshake", "{error}");
}
