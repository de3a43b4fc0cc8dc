//! What a deployer needs of a way to a host. SSH is one, and processes of this machine are another.

use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::error::{Endpoint, Error};
use crate::target::Target;

/// A future that can be kept in a box, because traits with async methods cannot.
pub type Soon<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A way to hosts.
pub trait Transport: Send + Sync {
    /// Where `target` is, before anything is connected.
    ///
    /// # Errors
    /// When the SSH configuration cannot be read or is not supported.
    fn resolve(&self, target: &Target) -> Result<Endpoint, Error>;

    /// Opens a new connection and logs in.
    ///
    /// # Errors
    /// When the host cannot be reached, shows the wrong key, or refuses the login.
    fn connect<'a>(&'a self, target: &'a Target) -> Soon<'a, Result<Box<dyn Link>, Error>>;
}

/// A connection that is logged in. Dropping it closes it.
pub trait Link: Send + Sync {
    /// Where it leads.
    fn endpoint(&self) -> &Endpoint;

    /// Runs a command with the login's shell.
    ///
    /// # Errors
    /// When the connection failed, or the server does not run commands.
    fn run<'a>(&'a self, command: &'a str) -> Soon<'a, Result<Process, Error>>;
}

/// A command that runs on a host.
pub struct Process {
    /// Its standard input, which ends when this is shut down and dropped.
    pub stdin: Box<dyn AsyncWrite + Send + Sync + Unpin>,
    /// Its standard output.
    pub stdout: Box<dyn AsyncRead + Send + Sync + Unpin>,
    /// How it ended. Standard output has to be read to the end before that is known.
    pub exit: Pin<Box<dyn Future<Output = Exit> + Send + Sync>>,
}

/// How a command ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exit {
    /// Its exit code; none when a signal killed it, or the connection was lost.
    pub code: Option<u32>,
    /// The end of what it wrote to standard error.
    pub stderr: String,
}
