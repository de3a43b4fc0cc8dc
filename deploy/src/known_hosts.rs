//! Which keys a host may show: OpenSSH's `known_hosts` files, read as OpenSSH reads them.
//!
//! Hashed names, wildcards, negation, `[host]:port` and `@revoked` mean what they mean there.
//! `@cert-authority` is not supported: host certificates are never asked for, and a host that only
//! an authority vouches for is refused with the reason. RSA keys cannot be verified. A host that no
//! line knows is refused: nothing is ever learnt by itself, whatever `StrictHostKeyChecking` says.

use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use russh::keys::{Algorithm, EcdsaCurve, HashAlg, PublicKey};
use sha1::Sha1;

use crate::error::{Cause, Expected, Place};
use crate::pattern;

/// The algorithms that can be verified here, best first.
const VERIFIABLE: [Algorithm; 4] = [
    Algorithm::Ed25519,
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
    Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
];

/// How `known_hosts` files name a host: `host`, or `[host]:port` where the port is not 22.
fn name_of(host: &str, port: u16) -> String {
    let host = host.to_lowercase();
    if port == 22 { host } else { format!("[{host}]:{port}") }
}

/// The lines of some `known_hosts` files.
#[derive(Debug, Clone, Default)]
pub struct KnownHosts {
    entries: Vec<Entry>,
    files: Vec<PathBuf>,
}

#[derive(Debug, Clone)]
struct Entry {
    place: Place,
    marker: Option<Marker>,
    names: Names,
    key: PublicKey,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marker {
    Revoked,
    CertAuthority,
}

#[derive(Debug, Clone)]
enum Names {
    Patterns(String),
    Hashed { salt: Vec<u8>, hash: Vec<u8> },
}

impl KnownHosts {
    /// Reads files in their order. One that does not exist knows nothing. A line that is none of
    /// the format is passed over, as OpenSSH does, unless it revokes.
    ///
    /// # Errors
    /// When a file exists and cannot be read, or has an `@revoked` line that is not understood: a
    /// key that must not be trusted could be hidden there.
    pub fn read(files: &[PathBuf]) -> Result<Self, Cause> {
        let mut known = Self { entries: Vec::new(), files: files.to_vec() };
        for path in files {
            let content = match std::fs::read(path) {
                Ok(content) => content,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => {
                    let message = error.to_string();
                    return Err(Cause::KnownHosts { path: path.clone(), message });
                }
            };
            known.add(path, &String::from_utf8_lossy(&content))?;
        }
        Ok(known)
    }

    fn add(&mut self, path: &Path, text: &str) -> Result<(), Cause> {
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let place = Place { path: path.to_owned(), line: index + 1 };
            match parse(line, place) {
                Some(entry) => self.entries.push(entry),
                None if line.starts_with("@revoked") => {
                    let message = format!("line {} revokes what is not a key", index + 1);
                    return Err(Cause::KnownHosts { path: path.to_owned(), message });
                }
                None => {}
            }
        }
        Ok(())
    }

    /// The host-key algorithms to ask for, so that a host shows a key that is known of it where it
    /// has one: those of its lines in their order, then the rest.
    pub fn algorithms(&self, host: &str, port: u16) -> Vec<Algorithm> {
        let (name, plain) = (name_of(host, port), name_of(host, 22));
        let known = self.of(&name).chain(self.of(&plain));
        in_order(known.filter(|entry| entry.marker.is_none()).map(|entry| entry.key.algorithm()))
    }

    /// Whether the host may show this key.
    ///
    /// # Errors
    /// When the key is revoked, another one is known, or none is.
    pub fn check(&self, host: &str, port: u16, key: &PublicKey) -> Result<(), Cause> {
        let name = name_of(host, port);
        self.check_revoked(&name, key)?;
        let same = |entry: &Entry| entry.marker.is_none() && same_key(&entry.key, key);
        // As OpenSSH: a key that is known of the host is good on its other ports.
        if self.of(&name).any(same) || self.of(&name_of(host, 22)).any(same) {
            return Ok(());
        }
        let shown = key.algorithm().as_str().to_owned();
        let fingerprint = fingerprint(key);
        let plain = || self.of(&name).filter(|entry| entry.marker.is_none());
        // A line of the same algorithm says it best.
        let other = plain()
            .find(|entry| entry.key.algorithm() == key.algorithm())
            .or_else(|| plain().find(|entry| can_be_verified(&entry.key)));
        if let Some(entry) = other {
            let expected = Expected::Known(entry.place.clone());
            return Err(Cause::HostKeyChanged { algorithm: shown, fingerprint, expected });
        }
        if let Some(entry) = self.of(&name).find(|entry| entry.marker != Some(Marker::Revoked)) {
            let why = match entry.marker {
                Some(_) => "trusts a certificate authority, which is not supported",
                None => "knows it by a key of a kind that cannot be verified",
            };
            let message = format!("{} {why}; it shows {shown} {fingerprint}", entry.place);
            return Err(Cause::HostKeyUnsupported { message });
        }
        Err(Cause::HostKeyUnknown {
            algorithm: shown,
            fingerprint,
            key: openssh_text(key),
            known_hosts: self.files.first().cloned().unwrap_or_default(),
        })
    }

    /// Whether the host shows the one key that it may show.
    ///
    /// # Errors
    /// When it is another, or revoked.
    pub fn check_pinned(
        &self,
        host: &str,
        port: u16,
        key: &PublicKey,
        pinned: &PublicKey,
    ) -> Result<(), Cause> {
        self.check_revoked(&name_of(host, port), key)?;
        if same_key(key, pinned) {
            return Ok(());
        }
        Err(Cause::HostKeyChanged {
            algorithm: key.algorithm().as_str().to_owned(),
            fingerprint: fingerprint(key),
            expected: Expected::Pinned(fingerprint(pinned)),
        })
    }

    fn check_revoked(&self, name: &str, key: &PublicKey) -> Result<(), Cause> {
        let revoked = |entry: &&Entry| entry.marker == Some(Marker::Revoked);
        match self.of(name).filter(revoked).find(|entry| same_key(&entry.key, key)) {
            Some(entry) => {
                let place = entry.place.clone();
                Err(Cause::HostKeyRevoked { fingerprint: fingerprint(key), place })
            }
            None => Ok(()),
        }
    }

    /// The lines that speak of the host with this name.
    fn of(&self, name: &str) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.names.match_name(name))
    }
}

/// The algorithms to ask a host for that may show one key alone.
pub(crate) fn pinned_algorithms(pinned: &PublicKey) -> Vec<Algorithm> {
    in_order(std::iter::once(pinned.algorithm()))
}

/// `SHA256:…`, as OpenSSH shows it.
pub(crate) fn fingerprint(key: &PublicKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

/// Whether both are the same key: comments do not matter.
pub(crate) fn same_key(a: &PublicKey, b: &PublicKey) -> bool {
    a.key_data() == b.key_data()
}

pub(crate) fn can_be_verified(key: &PublicKey) -> bool {
    VERIFIABLE.contains(&key.algorithm())
}

pub(crate) fn openssh_text(key: &PublicKey) -> String {
    PublicKey::from(key.key_data().clone()).to_openssh().unwrap_or_default()
}

/// Every verifiable algorithm once, those of `first` first.
fn in_order(first: impl Iterator<Item = Algorithm>) -> Vec<Algorithm> {
    let mut order = Vec::new();
    for algorithm in first.chain(VERIFIABLE) {
        if VERIFIABLE.contains(&algorithm) && !order.contains(&algorithm) {
            order.push(algorithm);
        }
    }
    order
}

fn parse(line: &str, place: Place) -> Option<Entry> {
    let mut fields = line.split_ascii_whitespace();
    let first = fields.next()?;
    let (marker, names) = match first {
        "@revoked" => (Some(Marker::Revoked), fields.next()?),
        "@cert-authority" => (Some(Marker::CertAuthority), fields.next()?),
        unknown if unknown.starts_with('@') => return None,
        names => (None, names),
    };
    let (algorithm, base64) = (fields.next()?, fields.next()?);
    let key = PublicKey::from_openssh(&format!("{algorithm} {base64}")).ok()?;
    Some(Entry { place, marker, names: Names::parse(names)?, key })
}

impl Names {
    fn parse(text: &str) -> Option<Self> {
        let Some(hashed) = text.strip_prefix("|1|") else {
            return Some(Self::Patterns(text.to_lowercase()));
        };
        let (salt, hash) = hashed.split_once('|')?;
        let decode = |text| BASE64_STANDARD.decode(text).ok();
        Some(Self::Hashed { salt: decode(salt)?, hash: decode(hash)? })
    }

    fn match_name(&self, name: &str) -> bool {
        match self {
            Self::Patterns(list) => pattern::list_matches(list.split(','), name),
            Self::Hashed { salt, hash } => Hmac::<Sha1>::new_from_slice(salt)
                .is_ok_and(|mac| mac.chain_update(name).verify_slice(hash).is_ok()),
        }
    }
}

#[cfg(test)]
mod tests;
