//! The machine that this process runs on, as a host: no network, no SSH, the same conversation.

use std::os::unix::fs::MetadataExt;
use std::process::Stdio;

use tokio::io::AsyncReadExt;
use tokio::process::Command;

use crate::error::{Cause, Endpoint, Error};
use crate::target::Target;
use crate::transport::{Exit, Link, Process, Soon, Transport};

/// So much of what a command wrote to standard error is kept.
const WORDS: usize = 4 << 10;

/// A way to this machine, whatever host is meant.
#[derive(Clone, Copy, Debug, Default)]
pub struct Here;

struct Local {
    host: String,
    endpoint: Endpoint,
}

impl Transport for Here {
    fn resolve(&self, _: &Target) -> Result<Endpoint, Error> {
        Ok(endpoint())
    }

    fn connect<'a>(&'a self, target: &'a Target) -> Soon<'a, Result<Box<dyn Link>, Error>> {
        Box::pin(async {
            let link = Local { host: target.name.clone(), endpoint: endpoint() };
            Ok(Box::new(link) as Box<dyn Link>)
        })
    }
}

fn endpoint() -> Endpoint {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    // Anybody but root is helped by sudo, whatever the name.
    let user = if is_root { "root" } else { "user" }.to_owned();
    Endpoint { address: "this machine".to_owned(), port: 0, user }
}

impl Link for Local {
    fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn run<'a>(&'a self, command: &'a str) -> Soon<'a, Result<Process, Error>> {
        Box::pin(async move {
            let failed = |message: String| {
                Error::new(&self.host, Some(self.endpoint.clone()), Cause::Internal { message })
            };
            let mut shell = Command::new("sh");
            shell.args(["-c", command]);
            shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child = shell.spawn().map_err(|error| failed(format!("sh: {error}")))?;
            let streams = (child.stdin.take(), child.stdout.take(), child.stderr.take());
            let (Some(stdin), Some(stdout), Some(mut stderr)) = streams else {
                return Err(failed("sh has no standard streams".to_owned()));
            };
            let exit = tokio::spawn(async move {
                let mut words = Vec::new();
                // What cannot be read is not said.
                let _ = stderr.read_to_end(&mut words).await;
                let tail = words.get(words.len().saturating_sub(WORDS)..).unwrap_or_default();
                let stderr = String::from_utf8_lossy(tail).into_owned();
                let code = child.wait().await.ok().and_then(|status| status.code());
                Exit { code: code.and_then(|code| code.try_into().ok()), stderr }
            });
            Ok(Process {
                stdin: Box::new(stdin),
                stdout: Box::new(stdout),
                exit: Box::pin(async move { exit.await.unwrap_or_default() }),
            })
        })
    }
}
