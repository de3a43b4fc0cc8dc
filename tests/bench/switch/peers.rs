//! The other tools, installed by the bench, each set up as its manual advises for speed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cairn_tests::{Host, Lab};

use crate::work::{self, Version};

/// What is installed, from PyPI.
const TOOLS: [&str; 3] = ["ansible-core==2.16.19", "mitogen==0.3.54", "pyinfra==3.10.0"];

/// A tool.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Peer {
    Ansible,
    Mitogen,
    Pyinfra,
}

impl Peer {
    pub(crate) const ALL: [Self; 3] = [Self::Ansible, Self::Mitogen, Self::Pyinfra];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ansible => "Ansible",
            Self::Mitogen => "Ansible with Mitogen",
            Self::Pyinfra => "pyinfra",
        }
    }
}

/// The tools, ready to be run.
pub(crate) struct Peers {
    folder: PathBuf,
}

impl Peers {
    /// Installs the tools below `folder`, where they are not yet, and writes the work for them.
    pub(crate) fn install(folder: &Path, lab: &Lab, host: &Host<'_>) -> Self {
        let venv = folder.join("venv");
        if !venv.join("bin/pyinfra").exists() {
            must(Command::new("python3").args(["-m", "venv"]).arg(&venv));
            must(Command::new(venv.join("bin/pip")).args(["install", "--quiet"]).args(TOOLS));
        }
        work::write(folder);
        let (home, address) = (lab.home_directory().display(), host.address());
        let ssh = format!(
            "-F {home}/.ssh/config -i {home}/.ssh/id_ed25519 -o UserKnownHostsFile={home}/.ssh/known_hosts"
        );
        let inventory = format!(
            "alpha ansible_host={address} ansible_user=root ansible_python_interpreter=/usr/bin/python3 \
             ansible_ssh_common_args='{ssh}'\n"
        );
        fs::write(folder.join("hosts.ini"), inventory).unwrap();
        let strategy = fs::read_dir(venv.join("lib")).unwrap().flatten().next().unwrap().path();
        let strategy = strategy.join("site-packages/ansible_mitogen/plugins/strategy");
        let settings = |more: &str| {
            format!(
                "[defaults]\ninventory = hosts.ini\n{more}\n[ssh_connection]\npipelining = true\n"
            )
        };
        fs::write(folder.join("ansible.cfg"), settings("")).unwrap();
        let mitogen =
            format!("strategy_plugins = {}\nstrategy = mitogen_linear", strategy.display());
        fs::write(folder.join("mitogen.cfg"), settings(&mitogen)).unwrap();
        let inventory = format!(
            "all = [(\"{address}\", {{\n    \"ssh_user\": \"root\",\n    \"ssh_key\": \"{home}/.ssh/id_ed25519\",\n    \
             \"ssh_known_hosts_file\": \"{home}/.ssh/known_hosts\",\n    \"version\": \"one\",\n}})]\n"
        );
        fs::write(folder.join("inventory.py"), inventory).unwrap();
        Self { folder: folder.to_owned() }
    }

    /// A run of `peer`: what it changes, or, dry, what it would change. The connection is new.
    pub(crate) fn command(&self, lab: &Lab, peer: Peer, version: Version, dry: bool) -> Command {
        let bin = self.folder.join("venv/bin");
        let mut command = match peer {
            Peer::Ansible | Peer::Mitogen => {
                let mut command = lab.command(bin.join("ansible-playbook"));
                command.args(["playbook.yml", "--extra-vars"]);
                command.arg(format!("version={}", version.word()));
                command.args(dry.then_some(["--check", "--diff"]).into_iter().flatten());
                command
            }
            Peer::Pyinfra => {
                let mut command = lab.command(bin.join("pyinfra"));
                command.args(["-y", "inventory.py", "deploy.py", "--data"]);
                command.arg(format!("version={}", version.word()));
                command.args(dry.then_some("--dry"));
                command
            }
        };
        let settings = if peer == Peer::Mitogen { "mitogen.cfg" } else { "ansible.cfg" };
        command.current_dir(&self.folder).env("ANSIBLE_CONFIG", self.folder.join(settings));
        command
            .env("HOME", lab.home_directory())
            .env("ANSIBLE_LOCAL_TEMP", self.folder.join("tmp"));
        command.env("ANSIBLE_SSH_CONTROL_PATH_DIR", self.masters());
        command
    }

    /// Ends the connections that Ansible leaves open for its next run.
    pub(crate) fn hang_up(&self) {
        for master in fs::read_dir(self.masters()).into_iter().flatten().flatten() {
            let ended = Command::new("ssh")
                .args(["-O", "exit", "-o"])
                .arg(format!("ControlPath={}", master.path().display()))
                .arg("alpha")
                .output();
            assert!(ended.unwrap().status.success(), "a connection stays open");
        }
    }

    /// Short: the path of a socket has little room.
    fn masters(&self) -> PathBuf {
        std::env::temp_dir().join(format!("cairn-bench-{}", std::process::id()))
    }
}

impl Drop for Peers {
    fn drop(&mut self) {
        self.hang_up();
        let _ = fs::remove_dir_all(self.masters());
    }
}

fn must(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
}
