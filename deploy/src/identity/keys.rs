//! Keys in files.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use russh::Signer;
use russh::keys::agent::AgentIdentity;
use russh::keys::signature::Signer as _;
use russh::keys::ssh_encoding::Encode as _;
use russh::keys::{HashAlg, PrivateKey, PublicKey};
use tokio::sync::Mutex;

use super::{Identities, Passphrases};
use crate::error::Attempt;
use crate::known_hosts::can_be_verified;

/// An identity file of which at least the public key is known.
pub(super) struct FileKey {
    pub(super) path: PathBuf,
    pub(super) public: PublicKey,
    private: Result<PrivateKey, Unusable>,
}

/// Why a key cannot sign.
#[derive(Debug, Clone)]
pub(super) struct Unusable(pub(super) String);

/// Reads identity files; those that give no key come back as attempts that failed.
pub(super) fn read_all(identities: &Identities) -> (Vec<FileKey>, Vec<Attempt>) {
    let (mut keys, mut failed) = (Vec::new(), Vec::new());
    for path in &identities.files {
        match read(path) {
            Ok(key) => keys.push(key),
            Err(error) if error.kind() == io::ErrorKind::NotFound && !identities.named => {}
            Err(error) => failed.push(Attempt {
                source: path.display().to_string(),
                fingerprint: None,
                result: error.to_string(),
            }),
        }
    }
    (keys, failed)
}

fn read(path: &Path) -> io::Result<FileKey> {
    // Beside a key that only an agent holds lies its public half alone.
    let beside = || {
        let mut name = path.as_os_str().to_owned();
        name.push(".pub");
        std::fs::read_to_string(name).ok().and_then(|text| PublicKey::from_openssh(&text).ok())
    };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            let public = beside().ok_or(error)?;
            let private = Err(Unusable("its private half is not there".to_owned()));
            return Ok(FileKey { path: path.to_owned(), public, private });
        }
    };
    if let Ok(public) = PublicKey::from_openssh(&text) {
        let private = Err(Unusable("it is a public key, and no agent has the other half".into()));
        return Ok(FileKey { path: path.to_owned(), public, private });
    }
    match PrivateKey::from_openssh(&text).map_err(|error| error.to_string()).or_else(|openssh| {
        russh::keys::decode_secret_key(&text, None).map_err(|other| match other {
            russh::keys::Error::CouldNotReadKey => openssh,
            other => other.to_string(),
        })
    }) {
        Ok(private) => {
            let public = private.public_key().clone();
            let private = usable(path, &public).map(|()| private);
            Ok(FileKey { path: path.to_owned(), public, private })
        }
        Err(message) => match beside() {
            Some(public) => Ok(FileKey {
                path: path.to_owned(),
                public,
                private: Err(Unusable(format!("it cannot be read: {message}"))),
            }),
            None => Err(io::Error::other(format!("it is no key that is understood: {message}"))),
        },
    }
}

fn usable(path: &Path, public: &PublicKey) -> Result<(), Unusable> {
    if !can_be_verified(public) {
        let name = public.algorithm();
        return Err(Unusable(format!(
            "a key of the kind {} signs through an agent alone: `ssh-add {}`",
            name.as_str(),
            path.display()
        )));
    }
    let mode = path.metadata().map_or(0, |meta| meta.permissions().mode() & 0o777);
    if mode & 0o077 != 0 {
        let path = path.display();
        return Err(Unusable(format!("others may read it: `chmod 600 {path}`")));
    }
    Ok(())
}

impl FileKey {
    /// What signs with it.
    pub(super) fn signer(self, ring: &KeyRing) -> Result<FileSigner<'_>, Unusable> {
        Ok(FileSigner { path: self.path, key: self.private?, ring })
    }
}

/// Signs with a key of a file, which is unlocked when the server would take it.
pub(super) struct FileSigner<'a> {
    path: PathBuf,
    key: PrivateKey,
    ring: &'a KeyRing,
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub(super) enum SignError {
    #[error("the connection was lost")]
    Lost(#[from] russh::SendError),
    #[error("the server would take it, but {0}")]
    Locked(String),
}

impl Signer for FileSigner<'_> {
    type Error = SignError;

    async fn auth_sign(
        &mut self,
        _key: &AgentIdentity,
        _hash: Option<HashAlg>,
        mut to_sign: Vec<u8>,
    ) -> Result<Vec<u8>, SignError> {
        let locked = |error: String| SignError::Locked(error);
        let unlocked = self.ring.unlock(&self.path, &self.key).await.map_err(locked)?;
        let signature = unlocked.key_data().try_sign(&to_sign);
        let signature = signature.map_err(|error| locked(error.to_string()))?;
        signature.encode_prefixed(&mut to_sign).map_err(|error| locked(error.to_string()))?;
        Ok(to_sign)
    }
}

/// Encrypted keys that were unlocked, so that a fleet asks once.
pub(crate) struct KeyRing {
    passphrases: Arc<dyn Passphrases>,
    /// Held while somebody is asked, so that hosts that wait for the same key find it then.
    unlocked: Mutex<BTreeMap<PathBuf, Result<Arc<PrivateKey>, String>>>,
}

impl KeyRing {
    pub(crate) fn new(passphrases: Arc<dyn Passphrases>) -> Self {
        Self { passphrases, unlocked: Mutex::default() }
    }

    async fn unlock(&self, path: &Path, key: &PrivateKey) -> Result<Arc<PrivateKey>, String> {
        if !key.is_encrypted() {
            return Ok(Arc::new(key.clone()));
        }
        let mut unlocked = self.unlocked.lock().await;
        if let Some(result) = unlocked.get(path) {
            return result.clone();
        }
        let (passphrases, key) = (Arc::clone(&self.passphrases), key.clone());
        let file = path.to_owned();
        let asked = tokio::task::spawn_blocking(move || {
            let passphrase = passphrases.passphrase(&file).ok_or_else(|| {
                format!(
                    "it is encrypted and nobody gave its passphrase: `ssh-add {}`",
                    file.display()
                )
            })?;
            let opened = key.decrypt(passphrase);
            opened.map(Arc::new).map_err(|_| "its passphrase is wrong".to_owned())
        });
        let result = asked.await.unwrap_or_else(|error| Err(error.to_string()));
        unlocked.insert(path.to_owned(), result.clone());
        result
    }
}
