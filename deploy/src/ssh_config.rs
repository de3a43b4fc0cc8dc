//! OpenSSH's client configuration: the part of it that says where a host is and who logs in how.
//!
//! Read are `Host`, `Match` (with `all`, `host`, `originalhost`, `user`, `localuser`), `Include`,
//! `HostName`, `Port`, `User`, `IdentityFile`, `IdentitiesOnly`, `IdentityAgent`,
//! `UserKnownHostsFile`, `GlobalKnownHostsFile`, `HostKeyAlias`, `ProxyJump` and `ConnectTimeout`. As in
//! OpenSSH the first value wins, and `IdentityFile` adds up.
//!
//! What would lead elsewhere, or weaken who is trusted, if it were passed over is an error where it
//! applies to a host: `ProxyCommand`, `BindAddress`, `BindInterface`, `CanonicalizeHostname`,
//! `RevokedHostKeys`, and other criteria of `Match`. Everything else has no meaning here.

mod file;
mod tokens;

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::Cause;
use file::{Line, Section};

/// The files of a configuration, parsed.
#[derive(Debug, Clone, Default)]
pub struct SshConfig {
    sections: Vec<Section>,
}

/// Who asks: what the configuration cannot know.
#[derive(Debug, Clone)]
pub struct Query<'a> {
    /// The name as it was given.
    pub alias: &'a str,
    /// A port that wins over the configuration.
    pub port: Option<u16>,
    /// A login that wins over the configuration.
    pub user: Option<&'a str>,
    /// The home of whoever asks: `~` and `%d`.
    pub home: &'a Path,
    /// The local login name: `%u`, and the login where nothing else is said.
    pub local_user: &'a str,
}

/// What a configuration says of one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostConfig {
    /// Name or address to connect to.
    pub address: String,
    /// TCP port.
    pub port: u16,
    /// Login name.
    pub user: String,
    /// The name under which `known_hosts` knows the host, where it is not the address.
    pub host_key_alias: Option<String>,
    /// Identity files, in the order in which they are tried.
    pub identity_files: Vec<PathBuf>,
    /// Whether they were named, instead of being OpenSSH's usual ones.
    pub identity_files_named: bool,
    /// Whether no other key may be tried: those of an agent that are not in a file.
    pub identities_only: bool,
    /// What is said of an agent.
    pub identity_agent: Option<IdentityAgent>,
    /// `known_hosts` files: the user's, then the machine's.
    pub known_hosts: Vec<PathBuf>,
    /// Hosts to go through, nearest first: `[user@]host[:port]`.
    pub jumps: Vec<String>,
    /// How long a connection may take.
    pub connect_timeout: Option<Duration>,
}

/// Which agent is asked for keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentityAgent {
    /// None is.
    None,
    /// The one that `SSH_AUTH_SOCK` names.
    Environment,
    /// The one behind this socket.
    Socket(PathBuf),
}

impl SshConfig {
    /// Reads `only`, or else `~/.ssh/config` and `/etc/ssh/ssh_config` where they exist.
    ///
    /// # Errors
    /// When a file cannot be read or parsed.
    pub fn read(home: &Path, only: Option<&Path>) -> Result<Self, Cause> {
        let mut sections = Vec::new();
        match only {
            Some(path) => file::read(path, &home.join(".ssh"), &mut sections)?,
            None => {
                let user = home.join(".ssh/config");
                let machine = Path::new("/etc/ssh/ssh_config");
                for (path, base) in [(&*user, &*home.join(".ssh")), (machine, "/etc/ssh".as_ref())]
                {
                    if path.exists() {
                        file::read(path, base, &mut sections)?;
                    }
                }
            }
        }
        Ok(Self { sections })
    }

    /// What is said of one host.
    ///
    /// # Errors
    /// When something is said of it that is not supported, or that means nothing.
    pub fn of(&self, query: &Query<'_>) -> Result<HostConfig, Cause> {
        let mut found = Found::default();
        for section in &self.sections {
            if section.applies(query, &found)? {
                for line in &section.lines {
                    found.take(line)?;
                }
            }
        }
        found.finish(query)
    }
}

/// Values so far: the first wins.
#[derive(Debug, Default)]
struct Found<'a> {
    host_name: Option<&'a Line>,
    port: Option<&'a Line>,
    user: Option<&'a Line>,
    host_key_alias: Option<&'a Line>,
    identity_files: Vec<&'a Line>,
    identities_only: Option<&'a Line>,
    identity_agent: Option<&'a Line>,
    user_known_hosts: Option<&'a Line>,
    global_known_hosts: Option<&'a Line>,
    proxy_jump: Option<&'a Line>,
    connect_timeout: Option<&'a Line>,
}

impl<'a> Found<'a> {
    fn take(&mut self, line: &'a Line) -> Result<(), Cause> {
        let slot = match line.keyword.as_str() {
            "hostname" => &mut self.host_name,
            "port" => &mut self.port,
            "user" => &mut self.user,
            "hostkeyalias" => &mut self.host_key_alias,
            "identitiesonly" => &mut self.identities_only,
            "identityagent" => &mut self.identity_agent,
            "userknownhostsfile" => &mut self.user_known_hosts,
            "globalknownhostsfile" => &mut self.global_known_hosts,
            "proxyjump" => &mut self.proxy_jump,
            "connecttimeout" => &mut self.connect_timeout,
            "identityfile" => {
                self.identity_files.push(line);
                return Ok(());
            }
            // A ProxyJump above it has won already.
            "proxycommand" if self.proxy_jump.is_some() => return Ok(()),
            "proxycommand"
            | "bindaddress"
            | "bindinterface"
            | "canonicalizehostname"
            | "revokedhostkeys" => return line.unsupported(),
            _ => return Ok(()),
        };
        slot.get_or_insert(line);
        Ok(())
    }

    /// Name or address to connect to.
    fn address(&self, query: &Query<'_>) -> Result<String, Cause> {
        let Some(line) = self.host_name else {
            return Ok(bare(query.alias));
        };
        // Its own value is not known yet: `%h` is the name as it was given.
        let address = tokens::expand(line.first()?, &[('h', query.alias), ('n', query.alias)]);
        address.map(|address| bare(&address)).map_err(|message| line.error(message))
    }

    fn user(&self, query: &Query<'_>) -> Result<String, Cause> {
        match (query.user, self.user) {
            (Some(user), _) => Ok(user.to_owned()),
            (None, Some(line)) => Ok(line.first()?.to_owned()),
            (None, None) => Ok(query.local_user.to_owned()),
        }
    }

    fn finish(self, query: &Query<'_>) -> Result<HostConfig, Cause> {
        let address = self.address(query)?;
        let port = match (query.port, self.port) {
            (Some(port), _) => port,
            (None, Some(line)) => line.number()?,
            (None, None) => 22,
        };
        let user = self.user(query)?;
        let scope = tokens::Scope { query, address: &address, port, user: &user };
        let identity_files_named = !self.identity_files.is_empty();
        let identity_files = match identity_files_named {
            true => scope.identity_files(&self.identity_files)?,
            false => ["id_ed25519", "id_ecdsa", "id_rsa"]
                .map(|name| query.home.join(".ssh").join(name))
                .into(),
        };
        let mut known_hosts = match self.user_known_hosts {
            Some(line) => scope.paths(line)?,
            None => ["known_hosts", "known_hosts2"]
                .map(|name| query.home.join(".ssh").join(name))
                .into(),
        };
        known_hosts.extend(match self.global_known_hosts {
            Some(line) => scope.paths(line)?,
            None => ["ssh_known_hosts", "ssh_known_hosts2"]
                .map(|name| Path::new("/etc/ssh").join(name))
                .into(),
        });
        let jumps = self.proxy_jump.map_or(Ok(Vec::new()), |line| scope.jumps(line))?;
        Ok(HostConfig {
            host_key_alias: self.host_key_alias.map(|l| scope.text(l)).transpose()?,
            identities_only: self.identities_only.map_or(Ok(false), Line::yes)?,
            identity_agent: self.identity_agent.map_or(Ok(None), |l| scope.agent(l))?,
            connect_timeout: self.connect_timeout.map_or(Ok(None), Line::seconds)?,
            address,
            port,
            user,
            identity_files,
            identity_files_named,
            known_hosts,
            jumps,
        })
    }
}

/// In lower case; an IPv6 address may be written in brackets, as in `[host]:port`.
fn bare(address: &str) -> String {
    let inner = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    inner.unwrap_or(address).to_lowercase()
}

#[cfg(test)]
mod tests;
