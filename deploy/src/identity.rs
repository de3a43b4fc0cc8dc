//! Which keys are offered, in which order, and who unlocks them.

mod keys;

use std::path::{Path, PathBuf};

use russh::client::{AuthResult, Handle, Handler};
use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::{Algorithm, HashAlg, PublicKey};
use russh::{MethodKind, MethodSet};
use tokio::net::UnixStream;

use crate::error::Attempt;
use crate::known_hosts::{fingerprint, same_key};
pub(crate) use keys::KeyRing;
use keys::{FileKey, Unusable};

/// Who is asked for the passphrase of an encrypted key.
pub trait Passphrases: Send + Sync {
    /// The passphrase of the key in `path`; none leaves the key out. It is asked for once the first
    /// host would accept the key, once for a whole fleet, and never for two keys at a time. It may
    /// take as long as a person takes.
    fn passphrase(&self, path: &Path) -> Option<String>;
}

/// Nobody is there to be asked: encrypted keys are left out.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoPassphrases;

impl Passphrases for NoPassphrases {
    fn passphrase(&self, _path: &Path) -> Option<String> {
        None
    }
}

/// The keys that may be offered to one host.
#[derive(Debug, Clone)]
pub(crate) struct Identities {
    /// The socket of the agent.
    pub(crate) agent: Option<PathBuf>,
    /// Identity files in their order.
    pub(crate) files: Vec<PathBuf>,
    /// Whether the files were named: one that is missing is worth telling then.
    pub(crate) named: bool,
    /// Whether keys of the agent need a file.
    pub(crate) only: bool,
}

/// Logs in with the first key that the server takes: those of the agent that have an identity
/// file, the agent's others, then the files themselves, as OpenSSH does.
///
/// # Errors
/// What was tried.
pub(crate) async fn login<H: Handler>(
    handle: &mut Handle<H>,
    user: &str,
    identities: &Identities,
    ring: &KeyRing,
) -> Result<(), Vec<Attempt>> {
    let mut login = Login { handle, user, tried: Vec::new() };
    let (files, missing) = keys::read_all(identities);
    let offered = match &identities.agent {
        Some(socket) => login.agent(socket, &files, identities.only).await,
        None => Ok(Vec::new()),
    };
    let finished = match offered {
        Ok(offered) => login.files(files, &offered, ring).await,
        Err(finished) => Err(finished),
    };
    match finished {
        Err(Finished::Accepted) => Ok(()),
        Err(Finished::Stopped) => Err(login.tried),
        Ok(()) => {
            login.tried.extend(missing);
            Err(login.tried)
        }
    }
}

/// No other key is to be tried.
enum Finished {
    Accepted,
    Stopped,
}

/// One key after the other.
struct Login<'a, H: Handler> {
    handle: &'a mut Handle<H>,
    user: &'a str,
    tried: Vec<Attempt>,
}

impl<H: Handler> Login<'_, H> {
    /// Tries the agent's keys, and gives them.
    async fn agent(
        &mut self,
        socket: &Path,
        files: &[FileKey],
        only: bool,
    ) -> Result<Vec<PublicKey>, Finished> {
        let (mut agent, identities) = match self.identities_of(socket).await {
            Ok(found) => found,
            Err(error) => {
                let source = format!("agent {}", socket.display());
                self.tried.push(Attempt { source, fingerprint: None, result: error });
                return Ok(Vec::new());
            }
        };
        let file_of = |identity: &AgentIdentity| {
            files.iter().position(|file| same_key(&file.public, &identity.public_key()))
        };
        let mut ordered: Vec<_> = identities
            .into_iter()
            .map(|identity| (file_of(&identity).unwrap_or(usize::MAX), identity))
            .filter(|(file, _)| !only || *file != usize::MAX)
            .collect();
        ordered.sort_by_key(|(file, _)| *file);
        for (_, identity) in &ordered {
            let public = identity.public_key().into_owned();
            let hash = rsa_hash(&public);
            let result = match identity {
                AgentIdentity::PublicKey { key, .. } => {
                    let key = key.clone();
                    self.handle.authenticate_publickey_with(self.user, key, hash, &mut agent).await
                }
                AgentIdentity::Certificate { certificate, .. } => {
                    let certificate = certificate.clone();
                    self.handle
                        .authenticate_certificate_with(self.user, certificate, hash, &mut agent)
                        .await
                }
            };
            let source = match identity.comment() {
                "" => "agent".to_owned(),
                comment => format!("agent ({comment})"),
            };
            self.judge(source, &public, result.map_err(|error| error.to_string()))?;
        }
        Ok(ordered.iter().map(|(_, identity)| identity.public_key().into_owned()).collect())
    }

    async fn identities_of(
        &mut self,
        socket: &Path,
    ) -> Result<(AgentClient<UnixStream>, Vec<AgentIdentity>), String> {
        let unreachable = |error| format!("the agent does not answer: {error}");
        let mut agent = AgentClient::connect_uds(socket).await.map_err(unreachable)?;
        if let Some(binding) = self.handle.agent_session_binding() {
            // Only keys that are bound to certain hosts need it, and old agents do not know it.
            let _ = agent.bind_session(binding, false).await;
        }
        let identities = agent.request_identities().await.map_err(unreachable)?;
        Ok((agent, identities))
    }

    /// Tries the files whose keys the agent did not offer.
    async fn files(
        &mut self,
        files: Vec<FileKey>,
        offered: &[PublicKey],
        ring: &KeyRing,
    ) -> Result<(), Finished> {
        for file in files {
            if offered.iter().any(|key| same_key(key, &file.public)) {
                continue;
            }
            let source = file.path.display().to_string();
            let public = file.public.clone();
            let result = match file.signer(ring) {
                Ok(mut signer) => {
                    let key = public.clone();
                    let tried =
                        self.handle.authenticate_publickey_with(self.user, key, None, &mut signer);
                    tried.await.map_err(|error| error.to_string())
                }
                Err(Unusable(why)) => Err(why),
            };
            self.judge(source, &public, result)?;
        }
        Ok(())
    }

    /// Writes down how an attempt ended; fails where it is the last.
    fn judge(
        &mut self,
        source: String,
        public: &PublicKey,
        result: Result<AuthResult, String>,
    ) -> Result<(), Finished> {
        let mut stop = false;
        let result = match result {
            Ok(AuthResult::Success) => return Err(Finished::Accepted),
            Ok(AuthResult::Failure { remaining_methods, partial_success: true }) => {
                stop = true;
                format!("accepted, but the server wants more: {}", names(&remaining_methods))
            }
            Ok(AuthResult::Failure { .. }) if self.handle.is_closed() => {
                stop = true;
                "the server closed the connection: too many keys were tried?".to_owned()
            }
            Ok(AuthResult::Failure { remaining_methods, .. }) => {
                if remaining_methods.contains(&MethodKind::PublicKey) {
                    "refused by the server".to_owned()
                } else {
                    stop = true;
                    format!("the server takes no keys, but {}", names(&remaining_methods))
                }
            }
            Err(why) => why,
        };
        let fingerprint = Some(fingerprint(public));
        self.tried.push(Attempt { source, fingerprint, result });
        if stop { Err(Finished::Stopped) } else { Ok(()) }
    }
}

/// An agent signs for an RSA key by a hash that sshd has known since 2016.
fn rsa_hash(key: &PublicKey) -> Option<HashAlg> {
    matches!(key.algorithm(), Algorithm::Rsa { .. }).then_some(HashAlg::Sha512)
}

fn names(methods: &MethodSet) -> String {
    let names: Vec<&str> = methods.iter().map(Into::into).collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}
