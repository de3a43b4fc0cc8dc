//! A conversation with the activator of one host.

mod frames;
mod send;

use std::collections::BTreeSet;
use std::time::Duration;

use cairn_generation::BlobId;
use cairn_generation::wire::{
    Blob, Drift, Event, Hello, History, HostStatus, Kind, Outcome, PROTOCOL, Request,
};
use tokio::io::AsyncWriteExt;

use crate::activator::{self, Activators};
use crate::deployer::Generation;
use crate::error::{Cause, Error, Lost};
use crate::event::{HostEvent, Observer};
use crate::session::frames::Broken;
use crate::transport::{Exit, Link, Process};

/// For a login to come to the activator's greeting, which waits for nothing.
const FIRST_WORDS: Duration = Duration::from_secs(60);
/// For the exit of a process whose output has ended.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A logged-in connection to a host on which the activator runs. Dropping it ends both.
pub struct Session {
    host: String,
    link: Box<dyn Link>,
    process: Process,
}

impl Session {
    /// Starts the activator over `link`, and sends it first when it is not there.
    pub(crate) async fn open(
        host: &str,
        link: Box<dyn Link>,
        activators: &Activators,
        observer: &dyn Observer,
    ) -> Result<Self, Error> {
        let start = activators.start_line(&link.endpoint().user);
        let process = link.run(&start).await?;
        let mut session = Self { host: host.to_owned(), link, process };
        let hello = match session.greet().await? {
            Ok(hello) => hello,
            Err(exit) if exit.code == Some(activator::MISSING) => {
                session.install(&exit, activators, observer).await?;
                session.process = session.link.run(&start).await?;
                session.greet().await?.map_err(|exit| session.not_started(&exit))?
            }
            Err(exit) => return Err(session.not_started(&exit)),
        };
        if hello.protocol != PROTOCOL {
            let theirs = hello.protocol;
            let message = format!("it speaks version {theirs}, and this is version {PROTOCOL}");
            return Err(session.error(Cause::Protocol { message }));
        }
        observer.event(host, &HostEvent::Connected { version: hello.version });
        Ok(session)
    }

    /// Name of the host in the fleet.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The state of the host.
    ///
    /// # Errors
    /// When the connection is lost, or the host cannot say.
    pub async fn status(&mut self) -> Result<HostStatus, Error> {
        self.ask(&Request::Status).await?;
        let mut status = None;
        self.finish(|event| {
            if let Event::Status(answer) = event {
                status = Some(answer);
            }
        })
        .await?;
        status.ok_or_else(|| self.no_answer("status"))
    }

    /// How the host differs from its generation.
    ///
    /// # Errors
    /// When the connection is lost, or the host cannot say.
    pub async fn drift(&mut self) -> Result<Vec<Drift>, Error> {
        self.ask(&Request::Drift).await?;
        let mut drift = Vec::new();
        self.finish(|event| {
            if let Event::Drift(one) = event {
                drift.push(one);
            }
        })
        .await?;
        Ok(drift)
    }

    /// Makes true again what drifted. `deployer` (`user@machine`) is who the host's history names.
    ///
    /// # Errors
    /// When the connection is lost, or something could not be made true.
    pub async fn repair(
        &mut self,
        deployer: &str,
        observer: &dyn Observer,
    ) -> Result<Outcome, Error> {
        self.ask(&Request::Repair { deployer: deployer.to_owned() }).await?;
        let host = self.host.clone();
        self.finish(|event| observer.event(&host, &HostEvent::Host(event))).await
    }

    /// What was tried on it, oldest first, and lines of its history that somebody changed.
    ///
    /// # Errors
    /// When the connection is lost, or the host cannot say.
    pub async fn history(&mut self) -> Result<History, Error> {
        self.ask(&Request::History).await?;
        let mut history = History::default();
        self.finish(|event| match event {
            Event::History(entry) => history.entries.push(*entry),
            Event::HistoryBroken { line, why } => drop(history.broken.insert(line, why)),
            _ => {}
        })
        .await?;
        Ok(history)
    }

    /// Canonical text of the current generation's manifest; none before the first switch.
    ///
    /// # Errors
    /// When the connection is lost, or the host cannot say.
    pub async fn current(&mut self) -> Result<Option<String>, Error> {
        self.ask(&Request::Current).await?;
        let mut manifest = None;
        self.finish(|event| {
            if let Event::Manifest { manifest: answer } = event {
                manifest = Some(answer);
            }
        })
        .await?;
        manifest.ok_or_else(|| self.no_answer("current"))
    }

    /// A blob of the host's store, which is checked against its name.
    ///
    /// # Errors
    /// When the connection is lost, or the host does not have it whole.
    pub async fn blob(&mut self, id: BlobId) -> Result<Vec<u8>, Error> {
        self.ask(&Request::Get { blob: id }).await?;
        let mut content = None;
        loop {
            match self.next("while a blob was read").await? {
                Event::Blob(Blob { size, .. }) => content = Some(self.receive(size).await?),
                Event::Done(_) => break,
                Event::Failed { step, message, unchanged } => {
                    return Err(self.error(Cause::Failed { step, message, unchanged }));
                }
                _ => {}
            }
        }
        match content {
            Some(content) if BlobId::of(&content) == id => Ok(content),
            Some(_) => Err(self.error(Cause::Protocol {
                message: format!("blob {id} arrived with another content than its name says"),
            })),
            None => Err(self.no_answer("get")),
        }
    }

    /// Pins a kept generation, or lets it go again.
    ///
    /// # Errors
    /// When the connection is lost, or the host has no such generation.
    pub async fn pin(&mut self, generation: &str, remove: bool) -> Result<Outcome, Error> {
        self.ask(&Request::Pin { generation: generation.to_owned(), remove }).await?;
        self.finish(|_| {}).await
    }

    /// Removes generations beyond the newest `keep`.
    ///
    /// # Errors
    /// When the connection is lost, or the host failed.
    pub async fn gc(&mut self, keep: u32, observer: &dyn Observer) -> Result<Outcome, Error> {
        self.ask(&Request::Gc { keep }).await?;
        let host = self.host.clone();
        self.finish(|event| observer.event(&host, &HostEvent::Host(event))).await
    }

    /// Confirms the switch with this nonce.
    pub(crate) async fn confirm(&mut self, nonce: &str) -> Result<(), Error> {
        self.ask(&Request::Confirm { nonce: nonce.to_owned() }).await?;
        self.finish(|_| {}).await.map(|_| ())
    }

    /// Sends those blobs of a generation that the host lacks.
    ///
    /// # Errors
    /// When the connection is lost, the host cannot keep them, or a blob cannot be read here. What
    /// arrived stays there, and is not sent again.
    pub async fn send_missing(
        &mut self,
        generation: &Generation,
        observer: &dyn Observer,
    ) -> Result<(), Error> {
        if generation.blobs.is_empty() {
            return Ok(());
        }
        let missing = self.missing(&generation.blobs).await?;
        send::blobs(self, &generation.store, missing, observer).await
    }

    async fn missing(&mut self, blobs: &BTreeSet<BlobId>) -> Result<Vec<(BlobId, u64)>, Error> {
        self.ask(&Request::Have { blobs: blobs.clone() }).await?;
        let mut missing = Vec::new();
        self.finish(|event| {
            if let Event::Missing { blobs } = event {
                missing.extend(blobs);
            }
        })
        .await?;
        // Nothing but what was asked about is sent, whatever the host says.
        missing.retain(|(blob, _)| blobs.contains(blob));
        Ok(missing)
    }

    /// Sends a request.
    pub(crate) async fn ask(&mut self, request: &Request) -> Result<(), Error> {
        match frames::write_message(&mut self.process.stdin, request).await {
            Ok(()) => Ok(()),
            Err(broken) => Err(self.broken(broken, "while it was asked").await),
        }
    }

    /// The next event of the answer.
    pub(crate) async fn next(&mut self, during: &str) -> Result<Event, Error> {
        match frames::read_message(&mut self.process.stdout).await {
            Ok(event) => Ok(event),
            Err(broken) => Err(self.broken(broken, during).await),
        }
    }

    /// Takes events until the end of the answer.
    async fn finish(&mut self, mut take: impl FnMut(Event)) -> Result<Outcome, Error> {
        loop {
            match self.next("before its answer").await? {
                Event::Done(outcome) => return Ok(outcome),
                Event::Failed { step, message, unchanged } => {
                    return Err(self.error(Cause::Failed { step, message, unchanged }));
                }
                event => take(event),
            }
        }
    }

    /// The chunks of a blob, up to the empty one.
    async fn receive(&mut self, size: u64) -> Result<Vec<u8>, Error> {
        let mut content = Vec::new();
        loop {
            let frame = match frames::read(&mut self.process.stdout).await {
                Ok(frame) => frame,
                Err(broken) => return Err(self.broken(broken, "while a blob was read").await),
            };
            let room = usize::try_from(size).unwrap_or(usize::MAX).saturating_sub(content.len());
            let message = match frame {
                (Kind::Chunk, chunk) if chunk.is_empty() => return Ok(content),
                (Kind::Chunk, chunk) => match send::decompress(&chunk, room) {
                    Ok(piece) => {
                        content.extend(piece);
                        continue;
                    }
                    Err(error) => format!("a chunk that cannot be decompressed: {error}"),
                },
                (Kind::Message, _) => "a message within a blob".to_owned(),
            };
            return Err(self.error(Cause::Protocol { message }));
        }
    }

    /// Says hello. Gives how the process ended when it did not answer.
    async fn greet(&mut self) -> Result<Result<Hello, Exit>, Error> {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let hello = Hello { protocol: PROTOCOL, version };
        // Where the process ends at once, what it leaves says more than a broken pipe.
        let _ = frames::write_message(&mut self.process.stdin, &hello).await;
        let answer = frames::read_message(&mut self.process.stdout);
        let answer = tokio::time::timeout(FIRST_WORDS, answer).await.unwrap_or_else(|_| {
            let seconds = FIRST_WORDS.as_secs();
            Err(Broken::Closed(format!(
                "no answer within {seconds} s: does its login ask something?"
            )))
        });
        match answer {
            Ok(hello) => Ok(Ok(hello)),
            Err(Broken::Malformed(message)) => {
                let message = format!("{message}; does the login's shell print something?");
                Err(self.error(Cause::Protocol { message }))
            }
            Err(Broken::Closed(message)) => {
                let exit = self.exit().await;
                if exit == Exit::default() {
                    let during = "before the activator answered".to_owned();
                    let effect = Lost::Nothing;
                    return Err(self.error(Cause::ConnectionLost { during, message, effect }));
                }
                Ok(Err(exit))
            }
        }
    }

    async fn install(
        &mut self,
        exit: &Exit,
        activators: &Activators,
        observer: &dyn Observer,
    ) -> Result<(), Error> {
        let architecture = activator::missing_architecture(&exit.stderr).unwrap_or("unknown");
        let Some(binary) = activators.binary(architecture) else {
            let architecture = architecture.to_owned();
            let available = activators.architectures();
            return Err(self.error(Cause::ActivatorMissing { architecture, available }));
        };
        let content = tokio::fs::read(&binary.path).await.map_err(|error| {
            let (path, message) = (binary.path.clone(), error.to_string());
            self.error(Cause::ActivatorUnreadable { path, message })
        })?;
        let (architecture, bytes) = (architecture.to_owned(), binary.size);
        observer.event(&self.host, &HostEvent::SendingActivator { architecture, bytes });
        let line = activators.install_line(&self.link.endpoint().user, binary);
        let Process { mut stdin, mut stdout, exit } = self.link.run(&line).await?;
        // A host that refuses it says why on its standard error: see below.
        if stdin.write_all(&content).await.is_ok() {
            let _ = stdin.shutdown().await;
        }
        drop(stdin);
        let _ = tokio::io::copy(&mut stdout, &mut tokio::io::sink()).await;
        let exit = exit.await;
        if exit.code == Some(0) {
            return Ok(());
        }
        Err(self.refused("installed", &exit))
    }

    fn not_started(&self, exit: &Exit) -> Error {
        self.refused("started", exit)
    }

    /// Why a command line did not do its work: sudo, a lost connection, or the host itself.
    fn refused(&self, action: &'static str, exit: &Exit) -> Error {
        let said = exit.stderr.trim();
        let message = match (said.is_empty(), exit.code) {
            (false, _) => said.to_owned(),
            (true, Some(code)) => format!("it ended with exit code {code}"),
            (true, None) => "the connection was lost".to_owned(),
        };
        let sudo = self.link.endpoint().user != "root" && said.contains("sudo");
        self.error(match sudo {
            true => Cause::Sudo { message },
            false => Cause::Activator { action, message },
        })
    }

    async fn broken(&mut self, broken: Broken, during: &str) -> Error {
        let message = match broken {
            Broken::Malformed(message) => return self.error(Cause::Protocol { message }),
            Broken::Closed(message) => message,
        };
        let exit = self.exit().await;
        let message = match (exit.stderr.trim(), exit.code) {
            ("", None) => message,
            ("", Some(code)) => format!("the activator ended with exit code {code}"),
            (said, _) => format!("the activator ended: {said}"),
        };
        let (during, effect) = (during.to_owned(), Lost::Nothing);
        self.error(Cause::ConnectionLost { during, message, effect })
    }

    /// How the activator ended, which is known once; a moment is given to a host that still talks.
    async fn exit(&mut self) -> Exit {
        let exit = std::mem::replace(&mut self.process.exit, Box::pin(async { Exit::default() }));
        tokio::time::timeout(LAST_WORDS, exit).await.unwrap_or_default()
    }

    fn no_answer(&self, request: &str) -> Error {
        let message = format!("it did not answer `{request}`");
        self.error(Cause::Protocol { message })
    }

    /// A failure of this host.
    pub(crate) fn error(&self, cause: Cause) -> Error {
        Error::new(&self.host, Some(self.link.endpoint().clone()), cause)
    }
}
