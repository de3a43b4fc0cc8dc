//! Keys, known hosts and the home of whoever runs the commands.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::tool::must;

/// Makes an ed25519 key pair at `path` and `path.pub`, and gives the public half.
pub(crate) fn key(path: &Path, comment: &str) -> String {
    must(
        Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-C", comment, "-f"])
            .arg(path),
    );
    fs::read_to_string(path.with_extension("pub")).unwrap()
}

/// The home of the user who deploys: a key, and an OpenSSH configuration that both `ssh` and
/// `cairn` read.
pub(crate) struct Home {
    path: PathBuf,
    public: String,
}

impl Home {
    /// Makes the home at `path`, with a key and empty `known_hosts`.
    pub(crate) fn create(path: PathBuf) -> Self {
        let ssh = path.join(".ssh");
        fs::create_dir_all(&ssh).unwrap();
        fs::set_permissions(&ssh, fs::Permissions::from_mode(0o700)).unwrap();
        let public = key(&ssh.join("id_ed25519"), "lab");
        fs::write(ssh.join("known_hosts"), "").unwrap();
        fs::write(ssh.join("config"), "Host *\n  ConnectTimeout 5\n").unwrap();
        Self { path, public }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The public key that hosts let in.
    pub(crate) fn public_key(&self) -> &str {
        &self.public
    }

    pub(crate) fn known_hosts(&self) -> PathBuf {
        self.path.join(".ssh/known_hosts")
    }

    /// Takes `public` (as in `ssh_host_ed25519_key.pub`) for the key of `addresses`.
    pub(crate) fn trust(&self, addresses: &[&str], public: &str) {
        let mut fields = public.split_whitespace();
        let (kind, key) = (fields.next().unwrap(), fields.next().unwrap());
        let mut known = fs::read_to_string(self.known_hosts()).unwrap();
        known.push_str(&format!("{} {kind} {key}\n", addresses.join(",")));
        fs::write(self.known_hosts(), known).unwrap();
    }

    /// The options that make OpenSSH use this home, whatever the password database says.
    pub(crate) fn options(&self) -> Vec<String> {
        let ssh = self.path.join(".ssh");
        vec![
            "-F".to_owned(),
            ssh.join("config").display().to_string(),
            "-i".to_owned(),
            ssh.join("id_ed25519").display().to_string(),
            "-o".to_owned(),
            format!("UserKnownHostsFile={}", self.known_hosts().display()),
            "-o".to_owned(),
            "BatchMode=yes".to_owned(),
            "-o".to_owned(),
            "IdentitiesOnly=yes".to_owned(),
        ]
    }
}
