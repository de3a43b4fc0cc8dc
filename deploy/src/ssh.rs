//! SSH, by russh.

mod link;
mod look;

use std::borrow::Cow;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use russh::client::{self, Handle};
use russh::keys::{Algorithm, PublicKey, PublicKeyOrCertificate};
use russh::{AlgorithmKind, Preferred, cipher};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::error::{Cause, Endpoint, Error};
use crate::identity::{self, Identities, KeyRing};
use crate::known_hosts::{self, KnownHosts};
use crate::settings::Settings;
use crate::ssh_config::{HostConfig, IdentityAgent, Query, SshConfig};
use crate::target::Target;
use crate::transport::{self, Soon, Transport};
use link::Link;
pub use look::{ShownKey, host_key};

/// A host that may only be reached through others may be so far away.
const MAX_HOPS: usize = 8;
/// A connection that says nothing for so long is asked whether it is still there…
const KEEPALIVE: Duration = Duration::from_secs(5);
/// …so many times. Both together must end well before a switch stops waiting for its confirmation.
const KEEPALIVES: usize = 2;

/// A way to hosts over SSH.
pub(crate) struct Ssh {
    settings: Settings,
    config: OnceLock<Result<SshConfig, Cause>>,
    ring: KeyRing,
}

/// A connection's bytes.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// One host on the way.
struct Hop {
    config: HostConfig,
    pinned: Option<PublicKey>,
}

impl Hop {
    fn endpoint(&self) -> Endpoint {
        let HostConfig { address, port, user, .. } = &self.config;
        Endpoint { address: address.clone(), port: *port, user: user.clone() }
    }
}

impl Ssh {
    pub(crate) fn new(settings: Settings) -> Self {
        let ring = KeyRing::new(Arc::clone(&settings.passphrases));
        Self { settings, config: OnceLock::new(), ring }
    }

    fn config(
        &self,
        alias: &str,
        port: Option<u16>,
        user: Option<&str>,
    ) -> Result<HostConfig, Cause> {
        let settings = &self.settings;
        let (home, local_user) = (settings.home.as_path(), settings.user.as_str());
        let read = || SshConfig::read(home, settings.ssh_config.as_deref());
        let config = self.config.get_or_init(read).as_ref().map_err(Clone::clone)?;
        config.of(&Query { alias, port, user, home, local_user })
    }

    fn target(&self, target: &Target) -> Result<Hop, Cause> {
        let config = self.config(target.alias(), target.port, target.user.as_deref())?;
        let pinned = target.host_key.as_deref().map(|text| {
            PublicKey::from_openssh(text.trim())
                .map_err(|error| Cause::PinnedKey { message: error.to_string() })
        });
        Ok(Hop { config, pinned: pinned.transpose()? })
    }

    /// Every host on the way, the target last.
    fn route(&self, target: Hop) -> Result<Vec<Hop>, Cause> {
        let mut route = vec![target];
        // The nearest host of a chain may itself be behind another.
        while let Some(jumps) = route.first().map(|hop| hop.config.jumps.clone())
            && !jumps.is_empty()
        {
            let hops: Result<Vec<_>, _> = jumps.iter().map(|jump| self.jump(jump)).collect();
            let mut hops = hops?;
            // A chain says itself how its later hosts are reached.
            hops.iter_mut().skip(1).for_each(|hop| hop.config.jumps.clear());
            route.splice(0..0, hops);
            if route.len() > MAX_HOPS {
                let message = format!("ProxyJump leads through more than {MAX_HOPS} hosts");
                return Err(Cause::Unreachable { message });
            }
        }
        Ok(route)
    }

    /// `[user@]host[:port]`
    fn jump(&self, text: &str) -> Result<Hop, Cause> {
        let (user, place) = match text.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, text),
        };
        let (host, port) = match place.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port)),
            _ => (place, None),
        };
        let wrong = |_| Cause::Unreachable { message: format!("ProxyJump `{text}` has no port") };
        let port = port.map(str::parse).transpose().map_err(wrong)?;
        Ok(Hop { config: self.config(host, port, user)?, pinned: None })
    }

    async fn open(&self, target: &Target) -> Result<Link, Error> {
        let name = target.name.as_str();
        let early = |cause| Error::new(name, None, cause);
        let route = self.target(target).and_then(|hop| self.route(hop)).map_err(early)?;
        let mut handles = self.log_in(name, &route).await?;
        match (route.last(), handles.pop()) {
            (Some(hop), Some(handle)) => Ok(Link::new(name, hop.endpoint(), handle, handles)),
            _ => Err(early(no_way())),
        }
    }

    /// Logs in on each host of a way, through the one before.
    async fn log_in(&self, name: &str, way: &[Hop]) -> Result<Vec<Handle<Client>>, Error> {
        let mut handles: Vec<Handle<Client>> = Vec::new();
        for hop in way {
            let here = hop.endpoint();
            let failed = |cause| Error::new(name, Some(here.clone()), cause);
            let mut handle = self.reach(hop, handles.last()).await.map_err(failed)?;
            let identities = self.identities(&hop.config);
            identity::login(&mut handle, &here.user, &identities, &self.ring)
                .await
                .map_err(|tried| failed(Cause::LoginRefused { tried }))?;
            handles.push(handle);
        }
        Ok(handles)
    }

    /// A connection whose host key is good, through the one before where there is one.
    async fn reach(
        &self,
        hop: &Hop,
        through: Option<&Handle<Client>>,
    ) -> Result<Handle<Client>, Cause> {
        let reaching = async {
            let stream = self.stream(hop, through).await?;
            self.shake_hands(hop, stream).await
        };
        self.in_time(hop, reaching).await
    }

    /// The bytes to and from a host, through the one before where there is one.
    async fn stream(
        &self,
        hop: &Hop,
        through: Option<&Handle<Client>>,
    ) -> Result<Box<dyn Stream>, Cause> {
        let HostConfig { address, port, .. } = &hop.config;
        match through {
            None => {
                let socket = TcpStream::connect((address.as_str(), *port)).await;
                let socket = socket.map_err(|error| unreachable(&error))?;
                // Frames are small and wait for each other.
                let _ = socket.set_nodelay(true);
                Ok(Box::new(socket))
            }
            Some(before) => {
                let port = u32::from(*port);
                let channel =
                    before.channel_open_direct_tcpip(address.as_str(), port, "127.0.0.1", 0);
                let channel = channel.await.map_err(|error| Cause::Unreachable {
                    message: format!("the host before it cannot reach it: {error}"),
                })?;
                Ok(Box::new(channel.into_stream()))
            }
        }
    }

    async fn in_time<T>(
        &self,
        hop: &Hop,
        work: impl Future<Output = Result<T, Cause>>,
    ) -> Result<T, Cause> {
        let limit = hop.config.connect_timeout.unwrap_or(self.settings.connect_timeout);
        tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
            let message = format!("no answer within {} s", limit.as_secs());
            Err(Cause::Unreachable { message })
        })
    }

    async fn shake_hands(
        &self,
        hop: &Hop,
        stream: Box<dyn Stream>,
    ) -> Result<Handle<Client>, Cause> {
        let known = KnownHosts::read(&hop.config.known_hosts)?;
        let (host, port) = match &hop.config.host_key_alias {
            Some(alias) => (alias.clone(), 22),
            None => (hop.config.address.clone(), hop.config.port),
        };
        let algorithms = match &hop.pinned {
            Some(pinned) => known_hosts::pinned_algorithms(pinned),
            None => known.algorithms(&host, port),
        };
        let refused = Refusal::default();
        let client =
            Client { host, port, known, pinned: hop.pinned.clone(), refused: Arc::clone(&refused) };
        client::connect_stream(Arc::new(config(algorithms)), stream, client).await.map_err(
            |error| {
                let verdict = refused.lock().unwrap_or_else(PoisonError::into_inner).take();
                verdict.unwrap_or_else(|| handshake(&error))
            },
        )
    }

    fn identities(&self, config: &HostConfig) -> Identities {
        let agent = match &config.identity_agent {
            Some(IdentityAgent::None) => None,
            Some(IdentityAgent::Socket(path)) => Some(path.clone()),
            Some(IdentityAgent::Environment) | None => self.settings.agent.clone(),
        };
        Identities {
            agent,
            files: config.identity_files.clone(),
            named: config.identity_files_named,
            only: config.identities_only,
        }
    }
}

impl Transport for Ssh {
    fn resolve(&self, target: &Target) -> Result<Endpoint, Error> {
        let hop = self.target(target).map_err(|cause| Error::new(&target.name, None, cause))?;
        Ok(hop.endpoint())
    }

    fn connect<'a>(
        &'a self,
        target: &'a Target,
    ) -> Soon<'a, Result<Box<dyn transport::Link>, Error>> {
        Box::pin(async {
            let link: Box<dyn transport::Link> = Box::new(self.open(target).await?);
            Ok(link)
        })
    }
}

fn config(algorithms: Vec<Algorithm>) -> client::Config {
    let preferred = Preferred {
        key: Cow::Owned(algorithms),
        cipher: Cow::Borrowed(&[
            // Machines have instructions for it.
            cipher::AES_256_GCM,
            cipher::CHACHA20_POLY1305,
            cipher::AES_256_CTR,
            cipher::AES_192_CTR,
            cipher::AES_128_CTR,
        ]),
        ..Preferred::DEFAULT
    };
    client::Config {
        preferred,
        keepalive_interval: Some(KEEPALIVE),
        keepalive_max: KEEPALIVES,
        nodelay: true,
        ..client::Config::default()
    }
}

/// Why a host's key was refused: the handler can only say that it was.
type Refusal = Arc<Mutex<Option<Cause>>>;

/// What russh asks while a connection is made.
struct Client {
    host: String,
    port: u16,
    known: KnownHosts,
    pinned: Option<PublicKey>,
    refused: Refusal,
}

impl Client {
    fn check(&self, shown: &PublicKeyOrCertificate) -> Result<(), Cause> {
        let (host, port) = (self.host.as_str(), self.port);
        match (shown, &self.pinned) {
            (PublicKeyOrCertificate::PublicKey { key, .. }, Some(pinned)) => {
                self.known.check_pinned(host, port, key, pinned)
            }
            (PublicKeyOrCertificate::PublicKey { key, .. }, None) => {
                self.known.check(host, port, key)
            }
            // Never asked for.
            (PublicKeyOrCertificate::Certificate(_), _) => {
                let message = "it shows a certificate, which is not supported".to_owned();
                Err(Cause::HostKeyUnsupported { message })
            }
        }
    }
}

impl client::Handler for Client {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        shown: &PublicKeyOrCertificate,
    ) -> Result<bool, russh::Error> {
        let verdict = self.check(shown);
        let good = verdict.is_ok();
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = verdict.err();
        Ok(good)
    }
}

fn no_way() -> Cause {
    Cause::Unreachable { message: "there is no way".to_owned() }
}

fn unreachable(error: &std::io::Error) -> Cause {
    use std::io::ErrorKind;
    let message = match error.kind() {
        ErrorKind::ConnectionRefused => "connection refused: does sshd listen there?".to_owned(),
        ErrorKind::TimedOut => "no answer".to_owned(),
        _ => error.to_string(),
    };
    Cause::Unreachable { message }
}

fn handshake(error: &russh::Error) -> Cause {
    match error {
        russh::Error::NoCommonAlgo { kind: AlgorithmKind::Key, theirs, .. } => {
            let message = format!(
                "it has keys of the kinds {} alone; ed25519 and ecdsa can be verified",
                theirs.join(", ")
            );
            Cause::HostKeyUnsupported { message }
        }
        russh::Error::Disconnect | russh::Error::HUP => {
            let message = "the host closed the connection at once".to_owned();
            Cause::Handshake { message }
        }
        other => Cause::Handshake { message: other.to_string() },
    }
}
