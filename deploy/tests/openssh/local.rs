//! A transport of our own: commands run here, as a login that is not root would run them.

use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use cairn_deploy::transport::{Exit, Link, Process, Soon, Transport};
use cairn_deploy::{Deployer, Endpoint, Error, Quiet, Target};
use tokio::io::AsyncReadExt as _;

use crate::{Tests, activators_in, run, web};

pub(crate) const TESTS: Tests = &[
    ("local::sudo", sudo),
    ("local::sudo_that_wants_a_password", sudo_that_wants_a_password),
    ("local::no_sudo", no_sudo),
    ("local::full_disk_while_the_activator_is_sent", full_disk),
];

/// Runs commands with this folder in front of `PATH`.
struct Local {
    path: String,
    endpoint: Endpoint,
}

impl Local {
    fn new(folder: &Path, user: &str) -> Self {
        let path = format!("{}:/usr/bin:/bin", folder.display());
        let endpoint = Endpoint { address: "here".to_owned(), port: 22, user: user.to_owned() };
        Self { path, endpoint }
    }
}

impl Transport for Local {
    fn resolve(&self, _target: &Target) -> Result<Endpoint, Error> {
        Ok(self.endpoint.clone())
    }

    fn connect<'a>(&'a self, _target: &'a Target) -> Soon<'a, Result<Box<dyn Link>, Error>> {
        let link: Box<dyn Link> =
            Box::new(Local { path: self.path.clone(), endpoint: self.endpoint.clone() });
        Box::pin(async { Ok(link) })
    }
}

impl Link for Local {
    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn run<'a>(&'a self, command: &'a str) -> Soon<'a, Result<Process, Error>> {
        Box::pin(async move {
            let mut child = tokio::process::Command::new("/bin/sh")
                .args(["-c", command])
                .env("PATH", &self.path)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap();
            Ok(Process {
                stdin: Box::new(child.stdin.take().unwrap()),
                stdout: Box::new(child.stdout.take().unwrap()),
                exit: Box::pin(async move {
                    let mut stderr = String::new();
                    let mut from = child.stderr.take().unwrap();
                    from.read_to_string(&mut stderr).await.unwrap();
                    let status = child.wait().await.unwrap();
                    Exit { code: status.code().and_then(|code| u32::try_from(code).ok()), stderr }
                }),
            })
        })
    }
}

/// Connects with this as `sudo`.
fn connect(dir: &Path, sudo: Option<&str>) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt as _;
    let bin = dir.join("bin");
    std::fs::create_dir_all(&bin).unwrap();
    if let Some(script) = sudo {
        std::fs::write(bin.join("sudo"), format!("#!/bin/sh\n{script}\n")).unwrap();
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(bin.join("sudo"), mode).unwrap();
    }
    let transport = Arc::new(Local::new(&bin, "alice"));
    let deployer = Deployer::new(transport, activators_in(dir), "me@here");
    run(async { deployer.connect(&web(), &Quiet).await.map(|_| ()) })
}

fn sudo() {
    let dir = tempfile::tempdir().unwrap();
    connect(dir.path(), Some("[ \"$1\" = -n ] && shift && exec \"$@\"")).unwrap();
}

fn sudo_that_wants_a_password() {
    let dir = tempfile::tempdir().unwrap();
    let error =
        connect(dir.path(), Some("echo 'sudo: a password is required' >&2; exit 1")).unwrap_err();
    assert_eq!(error.code(), "deploy::sudo");
    assert_eq!(
        error.message(),
        "cannot become root: sudo: a password is required (alice@here, port 22)"
    );
    assert!(error.help().unwrap().contains("alice ALL=(ALL:ALL) NOPASSWD: ALL"));
}

fn no_sudo() {
    // Its folder is the whole PATH of the login.
    let dir = tempfile::tempdir().unwrap();
    if ["/usr/bin/sudo", "/bin/sudo"].iter().any(|path| Path::new(path).exists()) {
        return;
    }
    let error = connect(dir.path(), None).unwrap_err();
    assert_eq!(error.code(), "deploy::sudo");
    assert!(error.message().contains("not found"), "{error}");
}

/// As `cat` says it where there is no space left.
fn full_disk() {
    let dir = tempfile::tempdir().unwrap();
    let wrap = "shift; shift; shift; exec sh -c \"cat() { echo 'cat: write error: No space left on device' >&2; return 1; }; $1\"";
    let error = connect(dir.path(), Some(wrap)).unwrap_err();
    assert_eq!(error.code(), "deploy::activator-failed");
    assert!(error.message().contains("installed: cat: write error: No space left"), "{error}");
    // Nothing half-sent is left, and nothing that could be mistaken for an activator.
    let kept = std::fs::read_dir(dir.path().join("lib/kept")).unwrap().next().unwrap().unwrap();
    assert_eq!(std::fs::read_dir(kept.path()).unwrap().count(), 0);
}
