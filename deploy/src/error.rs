//! Everything that can go wrong between here and a host, with what a person needs to mend it.

use std::fmt;
use std::path::PathBuf;

use cairn_generation::BlobId;
use cairn_generation::wire::Step;

/// Where a connection went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Name or address that was connected to.
    pub address: String,
    /// TCP port; 0 where no network leads there.
    pub port: u16,
    /// Login name.
    pub user: String,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, port, user } = self;
        match port {
            0 => write!(out, "{address}"),
            port => write!(out, "{user}@{address}, port {port}"),
        }
    }
}

/// What a failure means for the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The host is as it was.
    Unchanged,
    /// The host is, or may be, another than before: somebody must look.
    NeedsLook,
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// Counted from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.path.display(), self.line)
    }
}

/// One way to log in that was tried, or could not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// Where the key is: `agent`, or the path of an identity file.
    pub source: String,
    /// `SHA256:…` of the public key, where one could be read.
    pub fingerprint: Option<String>,
    /// How it ended: `refused by the server`, or why it could not be tried.
    pub result: String,
}

impl fmt::Display for Attempt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.source)?;
        if let Some(fingerprint) = &self.fingerprint {
            write!(out, " {fingerprint}")?;
        }
        write!(out, ": {}", self.result)
    }
}

/// Why something failed. The text of each is [`Error::message`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each message says what its fields are")]
pub enum Cause {
    /// The SSH configuration cannot be read, or asks for what is not supported.
    #[error("{}: {message}", at(.path, *.line))]
    SshConfig { path: PathBuf, line: Option<usize>, message: String },
    /// A `known_hosts` file cannot be read.
    #[error("{path}: {message}")]
    KnownHosts { path: PathBuf, message: String },
    /// `deployment.hostKey` is no public key.
    #[error("the pinned host key is no OpenSSH public key: {message}")]
    PinnedKey { message: String },
    /// No connection came about.
    #[error("cannot be reached: {message}")]
    Unreachable { message: String },
    /// The SSH handshake failed for another reason than the host's key.
    #[error("the SSH handshake failed: {message}")]
    Handshake { message: String },
    /// The host shows a key that no file knows.
    #[error("the host's key is not known: it shows {algorithm} {fingerprint}")]
    HostKeyUnknown { algorithm: String, fingerprint: String, key: String, known_hosts: PathBuf },
    /// The host shows another key than the one that is known.
    #[error(
        "THE HOST'S KEY HAS CHANGED: it shows {algorithm} {fingerprint}, but {expected} says otherwise. \
         Somebody may be listening in, or the host was installed anew"
    )]
    HostKeyChanged { algorithm: String, fingerprint: String, expected: Expected },
    /// The host shows a key that must not be trusted any more.
    #[error("the host's key {fingerprint} is revoked by {place}")]
    HostKeyRevoked { fingerprint: String, place: Place },
    /// The host can only show keys that cannot be verified here.
    #[error("the host's key cannot be verified: {message}")]
    HostKeyUnsupported { message: String },
    /// Every key was refused.
    #[error("the login was refused")]
    LoginRefused { tried: Vec<Attempt> },
    /// The login is not root, and may not become root.
    #[error("cannot become root: {message}")]
    Sudo { message: String },
    /// There is no activator for the architecture of the host.
    #[error("no activator for {architecture}: there is one for {}", or_none(.available))]
    ActivatorMissing { architecture: String, available: Vec<String> },
    /// An activator cannot be read here.
    #[error("{path}: {message}")]
    ActivatorUnreadable { path: PathBuf, message: String },
    /// The activator cannot be installed or started on the host.
    #[error("the activator cannot be {action}: {message}")]
    Activator { action: &'static str, message: String },
    /// The connection ended before the answer.
    #[error("the connection was lost {during}: {message}")]
    ConnectionLost { during: String, message: String, effect: Lost },
    /// The host speaks something else.
    #[error("the host does not speak this protocol: {message}")]
    Protocol { message: String },
    /// A blob of the generation cannot be read here.
    #[error("blob {blob} cannot be read: {message}")]
    Blob { blob: BlobId, message: String },
    /// The host refused or failed, and says so.
    #[error("{message}")]
    Failed { step: Option<Step>, message: String, unchanged: bool },
    /// The switch worked, but no new connection did: the host went back.
    #[error(
        "switched, but could not be reached over a new connection ({reason}), and went back: {message}"
    )]
    Unconfirmed { reason: String, message: String, unchanged: bool },
    /// Work on this host ended abnormally here.
    #[error("internal error: {message}")]
    Internal { message: String },
}

/// What a host's key was compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// A line of a `known_hosts` file.
    Known(Place),
    /// `deployment.hostKey`, by fingerprint.
    Pinned(String),
}

impl fmt::Display for Expected {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(place) => place.fmt(out),
            Self::Pinned(fingerprint) => write!(out, "deployment.hostKey ({fingerprint})"),
        }
    }
}

/// What a lost connection leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lost {
    /// Nothing was asked of the host that changes it.
    Nothing,
    /// A switch was under way: the host goes back by itself unless it was confirmed.
    Switch,
}

/// A failure on the way to, or on, one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    host: String,
    endpoint: Option<Endpoint>,
    cause: Cause,
}

impl Error {
    /// A failure on the way to `host`, before or after it was known where that is.
    pub fn new(host: impl Into<String>, endpoint: Option<Endpoint>, cause: Cause) -> Self {
        Self(Box::new(Inner { host: host.into(), endpoint, cause }))
    }

    /// Name of the host in the fleet.
    pub fn host(&self) -> &str {
        &self.0.host
    }

    /// Where the connection went, once that is known.
    pub fn endpoint(&self) -> Option<&Endpoint> {
        self.0.endpoint.as_ref()
    }

    /// Why.
    pub fn cause(&self) -> &Cause {
        &self.0.cause
    }

    /// A stable name, `deploy::…`.
    pub fn code(&self) -> &'static str {
        match self.cause() {
            Cause::SshConfig { .. } => "deploy::ssh-config",
            Cause::KnownHosts { .. } => "deploy::known-hosts",
            Cause::PinnedKey { .. } => "deploy::pinned-key",
            Cause::Unreachable { .. } => "deploy::unreachable",
            Cause::Handshake { .. } => "deploy::handshake",
            Cause::HostKeyUnknown { .. } => "deploy::host-key-unknown",
            Cause::HostKeyChanged { .. } => "deploy::host-key-changed",
            Cause::HostKeyRevoked { .. } => "deploy::host-key-revoked",
            Cause::HostKeyUnsupported { .. } => "deploy::host-key-unsupported",
            Cause::LoginRefused { .. } => "deploy::login-refused",
            Cause::Sudo { .. } => "deploy::sudo",
            Cause::ActivatorMissing { .. } => "deploy::activator-missing",
            Cause::ActivatorUnreadable { .. } => "deploy::activator-unreadable",
            Cause::Activator { .. } => "deploy::activator-failed",
            Cause::ConnectionLost { .. } => "deploy::connection-lost",
            Cause::Protocol { .. } => "deploy::protocol",
            Cause::Blob { .. } => "deploy::blob",
            Cause::Failed { .. } => "deploy::host-failed",
            Cause::Unconfirmed { .. } => "deploy::unconfirmed",
            Cause::Internal { .. } => "deploy::internal",
        }
    }

    /// What happened, and where the connection went: without the host's name.
    pub fn message(&self) -> String {
        let mut message = self.cause().to_string();
        if let Some(endpoint) = self.endpoint()
            && !matches!(self.cause(), Cause::Failed { .. })
        {
            message.push_str(&format!(" ({endpoint})"));
        }
        if let Cause::LoginRefused { tried } = self.cause() {
            message.push_str(&attempts(tried));
        }
        message
    }

    /// What to do, where there is something to say.
    pub fn help(&self) -> Option<String> {
        crate::help::of(self.cause(), self.endpoint())
    }

    /// What it means for the host.
    pub fn effect(&self) -> Effect {
        match self.cause() {
            Cause::Failed { unchanged: false, .. }
            | Cause::Unconfirmed { unchanged: false, .. }
            | Cause::ConnectionLost { effect: Lost::Switch, .. }
            | Cause::Internal { .. } => Effect::NeedsLook,
            _ => Effect::Unchanged,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.host(), self.message())
    }
}

impl std::error::Error for Error {}

fn at(path: &std::path::Path, line: Option<usize>) -> String {
    match line {
        Some(line) => format!("{}:{line}", path.display()),
        None => path.display().to_string(),
    }
}

fn attempts(tried: &[Attempt]) -> String {
    if tried.is_empty() {
        return ": there is no key to try".to_owned();
    }
    tried.iter().map(|attempt| format!("\n  {attempt}")).collect()
}

fn or_none(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

#[cfg(test)]
mod tests;
