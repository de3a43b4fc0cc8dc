//! What of the deploying machine matters.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::activator::Activators;
use crate::identity::{NoPassphrases, Passphrases};

/// How a [`crate::Deployer`] works, taken from the machine and the command line that it runs for.
#[derive(Clone)]
pub struct Settings {
    /// The home of whoever deploys: `~` in the SSH configuration, and where its defaults are.
    pub home: PathBuf,
    /// The local login name: the default for hosts, and who a host's history names.
    pub user: String,
    /// Name of this machine, for a host's history.
    pub machine: String,
    /// An SSH configuration that is read instead of `~/.ssh/config` and `/etc/ssh/ssh_config`.
    pub ssh_config: Option<PathBuf>,
    /// The socket of an SSH agent.
    pub agent: Option<PathBuf>,
    /// The activators that can be sent.
    pub activators: Activators,
    /// Who is asked for the passphrase of an encrypted key.
    pub passphrases: Arc<dyn Passphrases>,
    /// How long a connection may take where the SSH configuration says nothing.
    pub connect_timeout: Duration,
}

impl Settings {
    /// What `HOME`, `USER`, `SSH_AUTH_SOCK` and the machine's name say.
    pub fn from_environment(activators: Activators) -> Self {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        Self {
            home: variable("HOME").unwrap_or_else(|| "/root".to_owned()).into(),
            user: variable("USER").or_else(|| variable("LOGNAME")).unwrap_or("root".to_owned()),
            machine: machine.trim().to_owned(),
            ssh_config: None,
            agent: variable("SSH_AUTH_SOCK").map(PathBuf::from),
            activators,
            passphrases: Arc::new(NoPassphrases),
            connect_timeout: Duration::from_secs(10),
        }
    }
}
