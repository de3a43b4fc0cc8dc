//! A real OpenSSH server on a port of its own, with keys of its own.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

pub(crate) const SSHD: &str = "/usr/sbin/sshd";

pub(crate) struct Sshd {
    pub(crate) dir: TempDir,
    pub(crate) port: u16,
    server: Child,
}

impl Sshd {
    /// Starts a server with an ed25519 and an ecdsa host key, that takes the key of `client()`.
    pub(crate) fn start() -> Self {
        Self::with(&["ed25519", "ecdsa"], "")
    }

    pub(crate) fn with(host_keys: &[&str], config: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all("/run/sshd").unwrap();
        std::fs::create_dir(dir.path().join(".ssh")).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut text = format!(
            "Port {port}\nListenAddress 127.0.0.1\nListenAddress ::1\nUsePAM no\nStrictModes no\nPidFile none\n\
             PermitRootLogin prohibit-password\nPasswordAuthentication no\nMaxStartups 100\n\
             KbdInteractiveAuthentication no\nAuthorizedKeysFile {0}/authorized_keys\n{config}\n",
            dir.path().display()
        );
        for kind in host_keys {
            let path = dir.path().join(format!("host_{kind}"));
            keygen(&path, kind, "");
            text.push_str(&format!("HostKey {}\n", path.display()));
        }
        keygen(&dir.path().join("client"), "ed25519", "");
        std::fs::copy(dir.path().join("client.pub"), dir.path().join("authorized_keys")).unwrap();
        let file = dir.path().join("sshd_config");
        std::fs::write(&file, text).unwrap();
        let log = std::fs::File::create(dir.path().join("log")).unwrap();
        let server = Command::new(SSHD)
            .args(["-D", "-e", "-f"])
            .arg(&file)
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "sshd does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { dir, port, server }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn host_key(&self, kind: &str) -> String {
        read_key(&self.path(&format!("host_{kind}.pub")))
    }

    pub(crate) fn client_key(&self) -> String {
        read_key(&self.path("client.pub"))
    }

    /// Writes the one `known_hosts` file.
    pub(crate) fn know(&self, lines: &str) {
        std::fs::write(self.path("known_hosts"), lines).unwrap();
    }

    /// Every host key of the server, as `ssh-keyscan` would write them.
    pub(crate) fn know_all(&self) {
        let mut lines = String::new();
        for kind in ["ed25519", "ecdsa"] {
            if self.path(&format!("host_{kind}.pub")).exists() {
                lines.push_str(&format!("[127.0.0.1]:{} {}\n", self.port, self.host_key(kind)));
            }
        }
        self.know(&lines);
    }

    /// An SSH configuration with the usual files, and `more`.
    pub(crate) fn configure(&self, more: &str) {
        let dir = self.dir.path().display();
        let text = format!(
            "{more}\nHost *\n  HostName 127.0.0.1\n  Port {}\n  User root\n  \
             UserKnownHostsFile {dir}/known_hosts\n  GlobalKnownHostsFile none\n  \
             IdentityFile {dir}/client\n",
            self.port
        );
        std::fs::write(self.path("ssh_config"), text).unwrap();
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    pub(crate) fn stop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.stop();
    }
}

pub(crate) fn keygen(path: &Path, kind: &str, passphrase: &str) {
    let done = Command::new("ssh-keygen")
        .args(["-q", "-t", kind, "-N", passphrase, "-C", "test", "-f"])
        .arg(path)
        .status()
        .unwrap();
    assert!(done.success());
}

/// Algorithm and base64 of a public key.
fn read_key(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

pub(crate) fn fingerprint(path: &Path) -> String {
    let out = Command::new("ssh-keygen").arg("-lf").arg(path).output().unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    text.split_whitespace().nth(1).unwrap().to_owned()
}
