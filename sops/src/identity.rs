//! Private keys that open files.

use std::fmt;
use std::sync::OnceLock;

use age::secrecy::{ExposeSecret, SecretString};
use age::ssh::Recipient as SshRecipient;
use zeroize::Zeroizing;

use crate::error::Error;
use crate::recipient::Recipient;
use crate::secret::SecretBytes;
use crate::ssh;

/// Private keys, with where each came from. Never printed; wiped when dropped.
#[derive(Default)]
pub struct Identities {
    keys: Vec<Key>,
}

/// One private key.
pub(crate) struct Key {
    source: String,
    /// What files call it: one form, or for an ed25519 key of SSH two.
    forms: Vec<Recipient>,
    secrets: Vec<Secret>,
}

enum Secret {
    X25519(Box<age::x25519::Identity>),
    Ssh(Box<age::ssh::Identity>),
    /// With a passphrase; without it once somebody has said it.
    Locked {
        locked: Box<age::ssh::EncryptedKey>,
        opened: OnceLock<age::ssh::Identity>,
    },
}

/// A new key of a person's own.
pub struct NewKey(age::x25519::Identity);

impl NewKey {
    /// Makes one.
    pub fn generate() -> NewKey {
        NewKey(age::x25519::Identity::generate())
    }

    /// The recipient that it is (`age1…`).
    pub fn public(&self) -> String {
        self.0.to_public().to_string()
    }

    /// The key itself (`AGE-SECRET-KEY-1…`).
    pub fn private(&self) -> SecretBytes {
        SecretBytes::from(self.0.to_string().expose_secret())
    }

    /// A file with both, as age-keygen writes it.
    pub fn file(&self) -> SecretBytes {
        let (public, private) = (self.public(), self.0.to_string());
        let private = private.expose_secret();
        let created = crate::file::now();
        let text = format!("# created: {created}\n# public key: {public}\n{private}\n");
        SecretBytes::new(text.into_bytes())
    }
}

/// What needs a person, or a program of theirs. An activator has neither.
pub trait Helper {
    /// The passphrase of a private key, by where the key came from; none where nobody knows it.
    fn passphrase(&mut self, source_name: &str) -> Option<Zeroizing<String>>;

    /// Opens a message of PGP for one of its keys, as `gpg --decrypt` does; words where it cannot.
    fn pgp_decrypt(&mut self, fingerprint: &str, message: &str) -> Result<SecretBytes, String>;

    /// Encrypts for a key of PGP, as `gpg --encrypt --armor` does; words where it cannot.
    fn pgp_encrypt(&mut self, fingerprint: &str, bytes: &[u8]) -> Result<String, String>;
}

/// Nobody to ask, and no `gpg`.
#[derive(Clone, Copy, Debug)]
pub struct NoHelper;

impl Helper for NoHelper {
    fn passphrase(&mut self, _: &str) -> Option<Zeroizing<String>> {
        None
    }

    fn pgp_decrypt(&mut self, _: &str, _: &str) -> Result<SecretBytes, String> {
        Err("PGP is not opened here".to_owned())
    }

    fn pgp_encrypt(&mut self, _: &str, _: &[u8]) -> Result<String, String> {
        Err("PGP is not written here".to_owned())
    }
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.fingerprints()).finish()
    }
}

impl Identities {
    /// None.
    pub fn new() -> Identities {
        Identities::default()
    }

    /// Adds a private key of OpenSSH (ed25519 or RSA; of a host or a person). One with a passphrase
    /// is kept locked until a file asks for it and there is somebody to ask.
    ///
    /// # Errors
    /// Text that is no such key; `source_name` says in messages where it came from.
    pub fn add_ssh(&mut self, private: &str, source_name: &str) -> Result<(), Error> {
        let wrong = |what: &str| Error::Identity {
            source_name: source_name.to_owned(),
            what: what.to_owned(),
        };
        let identity = age::ssh::Identity::from_buffer(private.as_bytes(), None)
            .map_err(|_| wrong("it is no private key of OpenSSH, or it is cut short"))?;
        let public = SshRecipient::try_from(identity.clone())
            .map_err(|_| wrong("of SSH, only ed25519 and RSA keys open files"))?;
        let public = Recipient::parse(&public.to_string())?;
        let mut key =
            Key { source: source_name.to_owned(), forms: Vec::new(), secrets: Vec::new() };
        match identity {
            age::ssh::Identity::Unencrypted(_) => {
                key.secrets.push(Secret::Ssh(Box::new(identity)));
                key.forms = Recipient::forms_of_host_key(&public.to_string())?;
                if let Some(text) = ssh::age_identity(private) {
                    let secret = text.parse().map_err(|_| wrong("its ed25519 key is damaged"))?;
                    key.secrets.push(Secret::X25519(Box::new(secret)));
                }
            }
            age::ssh::Identity::Encrypted(secret) => {
                let locked = Box::new(secret);
                key.secrets.push(Secret::Locked { locked, opened: OnceLock::new() });
                key.forms.push(public);
            }
            age::ssh::Identity::Unsupported(_) => {
                return Err(wrong("it is locked in a way that age does not know, or on a device"));
            }
        }
        self.keys.push(key);
        Ok(())
    }

    /// Adds the keys of a file that age-keygen wrote: `AGE-SECRET-KEY-1…` on lines of their own.
    ///
    /// # Errors
    /// A line that is neither key nor comment, or no key at all.
    pub fn add_age(&mut self, text: &str, source_name: &str) -> Result<(), Error> {
        let wrong = |what: String| Error::Identity { source_name: source_name.to_owned(), what };
        let lines = text.lines().map(str::trim).enumerate();
        let mut found = false;
        for (at, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
            if line.starts_with("AGE-SECRET-KEY-PQ-") || line.starts_with("AGE-PLUGIN-") {
                let kind =
                    if line.starts_with("AGE-PLUGIN-") { "of a plugin" } else { "post-quantum" };
                return Err(wrong(format!(
                    "line {} is a key {kind}, which is not read here",
                    at + 1
                )));
            }
            let secret = line
                .parse::<age::x25519::Identity>()
                .map_err(|_| wrong(format!("line {} is no `AGE-SECRET-KEY-1…`", at + 1)))?;
            let public = Recipient::parse(&secret.to_public().to_string())?;
            let secrets = vec![Secret::X25519(Box::new(secret))];
            self.keys.push(Key { source: source_name.to_owned(), forms: vec![public], secrets });
            found = true;
        }
        if found { Ok(()) } else { Err(wrong("there is no key in it".to_owned())) }
    }

    /// Adds what a file holds, of any kind; one that age encrypted with a passphrase (`age -p`) is opened
    /// with the help of whoever knows it.
    ///
    /// # Errors
    /// What is no key, or a passphrase that nobody knows.
    pub fn add_file(
        &mut self,
        bytes: &[u8],
        source_name: &str,
        helper: &mut dyn Helper,
    ) -> Result<(), Error> {
        let wrong = |what: &str| Error::Identity {
            source_name: source_name.to_owned(),
            what: what.to_owned(),
        };
        let opened;
        let is_protected =
            bytes.starts_with(b"age-encryption.org/") || bytes.starts_with(b"-----BEGIN AGE");
        let bytes = if is_protected {
            let passphrase = helper
                .passphrase(source_name)
                .ok_or_else(|| wrong("it is locked by a passphrase, and nobody is there to ask"))?;
            opened = crate::wrap::open_protected(bytes, &passphrase).map_err(wrong)?;
            opened.as_slice()
        } else {
            bytes
        };
        let text = std::str::from_utf8(bytes).map_err(|_| wrong("it is not text"))?;
        self.add(text, source_name)
    }

    /// Adds what a text holds, of either kind.
    pub fn add(&mut self, text: &str, source_name: &str) -> Result<(), Error> {
        if text.trim_start().starts_with("-----BEGIN") {
            self.add_ssh(text, source_name)
        } else {
            self.add_age(text, source_name)
        }
    }

    /// What each key is called, in the forms that files may name it by, with where it came from.
    pub fn fingerprints(&self) -> Vec<String> {
        self.keys.iter().map(Key::name).collect()
    }

    /// All forms in which files may name these keys.
    pub fn recipients(&self) -> impl Iterator<Item = &Recipient> {
        self.keys.iter().flat_map(|key| &key.forms)
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Keys that a stanza names first, then all others: names are outside of what is authenticated.
    pub(crate) fn for_recipient(&self, recipient: &Recipient) -> impl Iterator<Item = &Key> {
        let (mut named, others): (Vec<_>, Vec<_>) =
            self.keys.iter().partition(|key| key.has_form(recipient));
        named.extend(others);
        named.into_iter()
    }
}

impl Key {
    fn name(&self) -> String {
        let forms: Vec<String> = self.forms.iter().map(Recipient::fingerprint).collect();
        format!("{} ({})", forms.join(" = "), self.source)
    }

    pub(crate) fn has_form(&self, recipient: &Recipient) -> bool {
        self.forms.contains(recipient)
    }

    /// What age may try. A passphrase is asked for where the stanza names this key.
    ///
    /// # Errors
    /// Words: nobody knows the passphrase, or it is another.
    pub(crate) fn age_identities(
        &self,
        named: bool,
        helper: &mut dyn Helper,
    ) -> Result<Vec<Box<dyn age::Identity>>, String> {
        let mut identities: Vec<Box<dyn age::Identity>> = Vec::new();
        for secret in &self.secrets {
            match secret {
                Secret::X25519(key) => identities.push(key.clone()),
                Secret::Ssh(key) => identities.push(key.clone()),
                Secret::Locked { locked, opened } => {
                    if named && opened.get().is_none() {
                        let key = unlock(locked, &self.source, helper)?;
                        // Nobody else can have set it: there is one asker.
                        drop(opened.set(key));
                    }
                    if let Some(key) = opened.get() {
                        identities.push(Box::new(key.clone()));
                    }
                }
            }
        }
        Ok(identities)
    }
}

fn unlock(
    locked: &age::ssh::EncryptedKey,
    source: &str,
    helper: &mut dyn Helper,
) -> Result<age::ssh::Identity, String> {
    let Some(passphrase) = helper.passphrase(source) else {
        return Err(format!("{source} is locked by a passphrase, and nobody is there to ask"));
    };
    let key = locked.decrypt(SecretString::from(passphrase.as_str()));
    key.map(age::ssh::Identity::from).map_err(|_| format!("that is not the passphrase of {source}"))
}
