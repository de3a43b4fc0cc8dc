//! A host's public key, looked at without logging in there.

use std::sync::{Arc, Mutex, PoisonError};

use russh::client;
use russh::keys::{Algorithm, PublicKey, PublicKeyOrCertificate};

use super::{Hop, Ssh, config, handshake, no_way};
use crate::error::{Cause, Error};
use crate::known_hosts::{KnownHosts, openssh_text};
use crate::settings::Settings;
use crate::target::Target;

/// The public key that a host shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownKey {
    /// As OpenSSH writes it: `ssh-ed25519 AAAA…`.
    pub key: String,
    /// Whether it is the one of `deployment.hostKey`, or of `known_hosts` where that says nothing. One
    /// that is not may be anybody's on the way.
    pub trusted: bool,
}

/// The ed25519 key that a host shows. Hosts on the way there are logged in to, and the host itself is not.
///
/// # Errors
/// When the host cannot be reached, or has no such key.
pub async fn host_key(settings: Settings, target: &Target) -> Result<ShownKey, Error> {
    Ssh::new(settings).look(target).await
}

impl Ssh {
    async fn look(&self, target: &Target) -> Result<ShownKey, Error> {
        let name = target.name.as_str();
        let early = |cause| Error::new(name, None, cause);
        let route = self.target(target).and_then(|hop| self.route(hop)).map_err(early)?;
        let (last, way) = route.split_last().ok_or_else(|| early(no_way()))?;
        let handles = self.log_in(name, way).await?;
        let failed = |cause| Error::new(name, Some(last.endpoint()), cause);
        let looking = async {
            let stream = self.stream(last, handles.last()).await?;
            let seen = Seen::default();
            let eye = Eye { seen: Arc::clone(&seen) };
            // What age can encrypt for, of what can be verified here.
            let wanted = Arc::new(config(vec![Algorithm::Ed25519]));
            let ended = client::connect_stream(wanted, stream, eye).await;
            let key = seen.lock().unwrap_or_else(PoisonError::into_inner).take();
            match (key, ended) {
                (Some(key), _) => shown(last, &key),
                (None, Err(error)) => Err(handshake(&error)),
                (None, Ok(_)) => Err(no_way()),
            }
        };
        self.in_time(last, looking).await.map_err(failed)
    }
}

fn shown(hop: &Hop, key: &PublicKey) -> Result<ShownKey, Cause> {
    let known = KnownHosts::read(&hop.config.known_hosts)?;
    let (host, port) = match &hop.config.host_key_alias {
        Some(alias) => (alias.as_str(), 22),
        None => (hop.config.address.as_str(), hop.config.port),
    };
    let verdict = match &hop.pinned {
        Some(pinned) => known.check_pinned(host, port, key, pinned),
        None => known.check(host, port, key),
    };
    Ok(ShownKey { key: openssh_text(key), trusted: verdict.is_ok() })
}

type Seen = Arc<Mutex<Option<PublicKey>>>;

/// Takes the key down, and goes no further.
struct Eye {
    seen: Seen,
}

impl client::Handler for Eye {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        shown: &PublicKeyOrCertificate,
    ) -> Result<bool, russh::Error> {
        if let PublicKeyOrCertificate::PublicKey { key, .. } = shown {
            *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(key.clone());
        }
        Ok(false)
    }
}
