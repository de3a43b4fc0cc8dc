//! A whole switch, from the first connection to the confirmation over the second.

mod follow;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use cairn_generation::wire::{Event, Mode, Outcome, Request, SwitchOptions};
use cairn_generation::{BlobId, GenerationId, Store};
use tokio::time::Instant;

use crate::activator::Activators;
use crate::error::{Cause, Endpoint, Error};
use crate::event::{HostEvent, Observer, Quiet};
use crate::session::Session;
use crate::settings::Settings;
use crate::ssh::Ssh;
use crate::target::Target;
use crate::transport::Transport;

/// Switches hosts. Cheap to clone, and to be shared between hosts.
#[derive(Clone)]
pub struct Deployer {
    transport: Arc<dyn Transport>,
    activators: Arc<Activators>,
    name: Arc<str>,
    patience: Duration,
}

/// How long a host is asked again after a lost connection, beyond its time to confirm in: it may be
/// going back, or starting.
const PATIENCE: Duration = Duration::from_secs(60);

/// A generation and where its blobs are.
#[derive(Debug, Clone)]
pub struct Generation {
    /// Its id.
    pub id: GenerationId,
    /// Canonical text of its manifest.
    pub manifest: Arc<str>,
    /// The blobs that it needs.
    pub blobs: BTreeSet<BlobId>,
    /// Where they are.
    pub store: Store,
}

/// How a host is switched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Switch {
    /// How far.
    pub mode: Mode,
    /// `deployment.confirmTimeout`: seconds to confirm in, before the host goes back by itself.
    pub confirm_timeout: u32,
    /// Paths that may be taken over.
    pub adopt: BTreeSet<String>,
    /// `deployment.allowLockout`: whether the login may be shut out.
    pub allow_lockout: bool,
}

impl Deployer {
    /// A deployer over SSH.
    pub fn over_ssh(settings: Settings) -> Self {
        let name = format!("{}@{}", settings.user, settings.machine);
        let activators = settings.activators.clone();
        Self::new(Arc::new(Ssh::new(settings)), activators, &name)
    }

    /// A deployer over any transport. `name` (`user@machine`) is who a host's history names.
    pub fn new(transport: Arc<dyn Transport>, activators: Activators, name: &str) -> Self {
        Self { transport, activators: Arc::new(activators), name: name.into(), patience: PATIENCE }
    }

    /// Asks a host again for so long, instead of a minute, after a connection was lost during a
    /// switch.
    #[must_use]
    pub fn patient_for(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }

    /// Connects, logs in, and starts the activator, which is sent when it is not there.
    ///
    /// # Errors
    /// When the host cannot be reached, is not who it should be, refuses the login, or the activator
    /// cannot be started. The host is as it was.
    pub async fn connect(
        &self,
        target: &Target,
        observer: &dyn Observer,
    ) -> Result<Session, Error> {
        let to = self.transport.resolve(target)?.to_string();
        observer.event(&target.name, &HostEvent::Connecting { to });
        let link = self.transport.connect(target).await?;
        Session::open(&target.name, link, &self.activators, observer).await
    }

    /// Where `target` is, without connecting.
    ///
    /// # Errors
    /// When the SSH configuration cannot be read or is not supported.
    pub fn resolve(&self, target: &Target) -> Result<Endpoint, Error> {
        self.transport.resolve(target)
    }

    /// Sends what is missing, switches, and confirms over a new connection.
    ///
    /// # Errors
    /// [`Error::effect`] says what a failure means for the host. After a lost connection the host is
    /// asked again, so that what is reported is what happened there.
    pub async fn switch(
        &self,
        target: &Target,
        generation: &Generation,
        how: &Switch,
        observer: &dyn Observer,
    ) -> Result<Outcome, Error> {
        let mut session = self.connect(target, observer).await?;
        session.send_missing(generation, observer).await?;
        let options = self.options(target, how)?;
        let attempt = Attempt { deployer: self, target, how, observer, nonce: nonce_of(&options) };
        let request = Request::Switch { manifest: generation.manifest.to_string(), options };
        attempt.drive(session, &request, Goal::Id(generation.id)).await
    }

    /// Switches back to a kept generation: a number, an id or its first digits, or the one before.
    ///
    /// # Errors
    /// As [`Deployer::switch`].
    pub async fn rollback(
        &self,
        target: &Target,
        to: Option<String>,
        how: &Switch,
        observer: &dyn Observer,
    ) -> Result<Outcome, Error> {
        let mut session = self.connect(target, observer).await?;
        let options = self.options(target, how)?;
        let attempt = Attempt { deployer: self, target, how, observer, nonce: nonce_of(&options) };
        let (before, _) = attempt.place(&session.status().await?);
        attempt.drive(session, &Request::Rollback { to, options }, Goal::OtherThan(before)).await
    }

    fn options(&self, target: &Target, how: &Switch) -> Result<SwitchOptions, Error> {
        let nonce = fresh_nonce().map_err(|error| {
            let message = format!("no randomness for a nonce: {error}");
            Error::new(&target.name, None, Cause::Internal { message })
        })?;
        Ok(SwitchOptions {
            mode: how.mode,
            nonce: Some(nonce),
            confirm_timeout: how.confirm_timeout,
            adopt: how.adopt.clone(),
            deployer: self.name.to_string(),
            login: None,
            port: None,
            allow_lockout: how.allow_lockout,
        })
    }
}

/// Where a switch leads.
#[derive(Debug, Clone, Copy)]
enum Goal {
    Id(GenerationId),
    OtherThan(u64),
}

/// One switch of one host.
struct Attempt<'a> {
    deployer: &'a Deployer,
    target: &'a Target,
    how: &'a Switch,
    observer: &'a dyn Observer,
    nonce: String,
}

impl Attempt<'_> {
    /// Asks for the switch, relays what happens, and confirms when the host waits for that.
    async fn drive(
        &self,
        mut session: Session,
        request: &Request,
        goal: Goal,
    ) -> Result<Outcome, Error> {
        // It may have arrived all the same.
        if let Err(error) = session.ask(request).await {
            return self.after_loss(error, goal).await;
        }
        let mut not_confirmed: Option<Error> = None;
        loop {
            let event = match session.next("during the switch").await {
                Ok(event) => event,
                Err(error) => return self.after_loss(error, goal).await,
            };
            match event {
                Event::Done(outcome) => return Ok(outcome),
                Event::AwaitingConfirmation { seconds } => {
                    self.tell(&HostEvent::Host(event));
                    self.tell(&HostEvent::Confirming);
                    not_confirmed = self.confirm(seconds).await.err();
                }
                Event::Failed { step, message, unchanged } => {
                    let cause = match not_confirmed {
                        // A host that answered was reached.
                        Some(error) if !matches!(error.cause(), Cause::Failed { .. }) => {
                            Cause::Unconfirmed { reason: error.message(), message, unchanged }
                        }
                        _ => Cause::Failed { step, message, unchanged },
                    };
                    return Err(session.error(cause));
                }
                event => self.tell(&HostEvent::Host(event)),
            }
        }
    }

    /// Confirms over a new connection; tries again until the host goes back by itself.
    async fn confirm(&self, seconds: u32) -> Result<(), Error> {
        let deadline = Instant::now() + Duration::from_secs(seconds.into());
        loop {
            let outcome = tokio::time::timeout_at(deadline, self.confirm_once()).await;
            match outcome {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) if matches!(error.cause(), Cause::Failed { .. }) => {
                    return Err(error);
                }
                Ok(Err(error)) => {
                    let again = Instant::now() + Duration::from_millis(500);
                    if again >= deadline {
                        return Err(error);
                    }
                    tokio::time::sleep_until(again).await;
                }
                Err(_) => {
                    let message = format!("no answer within {seconds} s");
                    return Err(self.error(Cause::Unreachable { message }));
                }
            }
        }
    }

    async fn confirm_once(&self) -> Result<(), Error> {
        let mut session = self.deployer.connect(self.target, &Quiet).await?;
        session.confirm(&self.nonce).await
    }

    fn tell(&self, event: &HostEvent) {
        self.observer.event(&self.target.name, event);
    }

    fn error(&self, cause: Cause) -> Error {
        Error::new(&self.target.name, self.deployer.resolve(self.target).ok(), cause)
    }
}

/// 32 bytes that nobody can guess, in hexadecimal.
fn fresh_nonce() -> std::io::Result<String> {
    use std::io::Read as _;
    let mut bytes = [0; 32];
    std::fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn nonce_of(options: &SwitchOptions) -> String {
    options.nonce.clone().unwrap_or_default()
}
