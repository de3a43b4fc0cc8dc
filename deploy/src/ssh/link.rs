//! A connection that is logged in, and the commands that run over it.

use russh::ChannelMsg;
use russh::client::Handle;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::oneshot;

use super::Client;
use crate::error::{Cause, Endpoint, Error, Lost};
use crate::transport::{self, Exit, Process, Soon};

/// What a command writes waits here until it is read; sshd stops sending then.
const BUFFER: usize = 1 << 18;
/// So much of the end of a command's standard error is kept.
const STDERR: usize = 1 << 14;

pub(super) struct Link {
    host: String,
    endpoint: Endpoint,
    handle: Handle<Client>,
    /// The hosts on the way: closed with this one.
    _through: Vec<Handle<Client>>,
}

impl Link {
    pub(super) fn new(
        host: &str,
        endpoint: Endpoint,
        handle: Handle<Client>,
        through: Vec<Handle<Client>>,
    ) -> Self {
        Self { host: host.to_owned(), endpoint, handle, _through: through }
    }

    async fn start(&self, command: &str) -> Result<Process, russh::Error> {
        let channel = self.handle.channel_open_session().await?;
        channel.exec(false, command).await?;
        let (mut from, to) = channel.split();
        let (stdout, mut out) = tokio::io::duplex(BUFFER);
        let (ended, exit) = oneshot::channel();
        tokio::spawn(async move {
            let mut exit = Exit::default();
            let mut stderr = Vec::new();
            while let Some(message) = from.wait().await {
                match message {
                    // Nobody reads it any more: how the command ends still matters.
                    ChannelMsg::Data { data } => drop(out.write_all(&data).await),
                    ChannelMsg::ExtendedData { data, .. } => {
                        stderr.extend_from_slice(&data);
                        stderr.drain(..stderr.len().saturating_sub(STDERR));
                    }
                    ChannelMsg::Eof => drop(out.shutdown().await),
                    ChannelMsg::ExitStatus { exit_status } => exit.code = Some(exit_status),
                    _ => {}
                }
            }
            exit.stderr = String::from_utf8_lossy(&stderr).into_owned();
            let _ = ended.send(exit);
        });
        Ok(Process {
            stdin: Box::new(to.make_writer()),
            stdout: Box::new(stdout),
            exit: Box::pin(async { exit.await.unwrap_or_default() }),
        })
    }
}

impl transport::Link for Link {
    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn run<'a>(&'a self, command: &'a str) -> Soon<'a, Result<Process, Error>> {
        Box::pin(async move {
            self.start(command).await.map_err(|error| {
                let cause = Cause::ConnectionLost {
                    during: "before a command could run".to_owned(),
                    message: error.to_string(),
                    effect: Lost::Nothing,
                };
                Error::new(&self.host, Some(self.endpoint.clone()), cause)
            })
        })
    }
}
