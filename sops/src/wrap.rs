//! The data key, wrapped for recipients and unwrapped with identities.

use std::io::{Read, Write};

use age::armor::{ArmoredReader, ArmoredWriter, Format};
use age::secrecy::SecretString;
use age::{Decryptor, Encryptor};
use zeroize::Zeroizing;

use crate::cipher::DataKey;
use crate::error::{Error, NoKey};
use crate::identity::{Helper, Identities};
use crate::metadata::{Group, Metadata, Stanza};
use crate::recipient::{Recipient, RecipientKind};
use crate::shamir::{self, Share};
use crate::tree::{Entry, Node, Scalar};

/// A message of age with a key in it is far shorter.
const LONGEST_STANZA: usize = 64 << 10;

/// Opens a file's data key: one group, or as many as its threshold wants.
pub(crate) fn unwrap(
    metadata: &Metadata,
    identities: &Identities,
    helper: &mut dyn Helper,
) -> Result<DataKey, Error> {
    let mut shares: Vec<(Share, &Stanza)> = Vec::new();
    let mut notes = Vec::new();
    for group in &metadata.groups {
        if shares.len() == metadata.needed() {
            break;
        }
        shares.extend(open_group(group, identities, helper, &mut notes));
    }
    if shares.len() < metadata.needed() {
        let fingerprints =
            |group: &Group| group.recipients().map(Recipient::fingerprint).collect::<Vec<_>>();
        return Err(Error::NoKey(NoKey {
            tried: identities.fingerprints(),
            recipients: metadata.groups.iter().map(fingerprints).collect(),
            needed: metadata.needed(),
            opened: shares.len(),
            notes,
        }));
    }
    let recipient = shares.first().map(|(_, stanza)| stanza.recipient.fingerprint());
    let bytes = if metadata.groups.len() == 1 {
        shares.pop().map(|(share, _)| share).unwrap_or_default()
    } else {
        let shares: Vec<Share> = shares.into_iter().map(|(share, _)| share).collect();
        shamir::combine(&shares)?
    };
    DataKey::from_bytes(&bytes).ok_or_else(|| Error::DataKey {
        recipient: recipient.unwrap_or_default(),
        length: bytes.len(),
    })
}

/// The share of the first member that can be opened. PGP comes last: it may ask a person.
fn open_group<'a>(
    group: &'a Group,
    identities: &Identities,
    helper: &mut dyn Helper,
    notes: &mut Vec<String>,
) -> Option<(Share, &'a Stanza)> {
    for stanza in &group.stanzas {
        match stanza.recipient.kind() {
            RecipientKind::Pgp | RecipientKind::Service | RecipientKind::Plugin => {}
            RecipientKind::PostQuantum => notes.push(format!(
                "{} cannot be opened here; encrypt for an X25519 or SSH key besides",
                stanza.recipient.fingerprint()
            )),
            RecipientKind::Age | RecipientKind::SshEd25519 | RecipientKind::SshRsa => {
                if let Some(share) = open_stanza(stanza, identities, helper, notes) {
                    return Some((share, stanza));
                }
            }
        }
    }
    let pgp = group.stanzas.iter().filter(|stanza| stanza.recipient.kind() == RecipientKind::Pgp);
    for stanza in pgp {
        match helper.pgp_decrypt(&stanza.recipient.to_string(), &stanza.enc) {
            Ok(bytes) => return Some((Zeroizing::new(bytes.expose().to_vec()), stanza)),
            Err(what) => notes.push(format!("{}: {what}", stanza.recipient.fingerprint())),
        }
    }
    None
}

fn open_stanza(
    stanza: &Stanza,
    identities: &Identities,
    helper: &mut dyn Helper,
    notes: &mut Vec<String>,
) -> Option<Share> {
    for key in identities.for_recipient(&stanza.recipient) {
        let named = key.has_form(&stanza.recipient);
        let tried = match key.age_identities(named, helper) {
            Ok(identities) => identities,
            Err(what) => {
                notes.push(what);
                continue;
            }
        };
        match decrypt(&stanza.enc, &tried) {
            Ok(share) => return Some(share),
            Err(what) if named => notes.push(format!(
                "the entry of {} is damaged, or was written for another key: {what}",
                stanza.recipient.fingerprint()
            )),
            Err(_) => {}
        }
    }
    None
}

/// Opens one armored message of age.
fn decrypt(armored: &str, identities: &[Box<dyn age::Identity>]) -> Result<Share, &'static str> {
    if armored.len() > LONGEST_STANZA {
        return Err("it is longer than a key can be");
    }
    let armor = ArmoredReader::new(armored.trim().as_bytes());
    let message = Decryptor::new(armor).map_err(|_| "it is no message of age")?;
    let identities = identities.iter().map(|identity| &**identity as &dyn age::Identity);
    let reader = message.decrypt(identities).map_err(|_| "the key does not fit")?;
    let mut share = Zeroizing::new(Vec::with_capacity(64));
    let limit = LONGEST_STANZA as u64;
    reader.take(limit).read_to_end(&mut share).map_err(|_| "its content is damaged")?;
    Ok(share)
}

/// Opens a file of keys that age encrypted with a passphrase.
///
/// # Errors
/// Words.
pub(crate) fn open_protected(bytes: &[u8], passphrase: &str) -> Result<Share, &'static str> {
    if bytes.len() > LONGEST_STANZA {
        return Err("it is longer than a file of keys can be");
    }
    let message = Decryptor::new(ArmoredReader::new(bytes)).map_err(|_| "it is no file of age")?;
    let mut identity = age::scrypt::Identity::new(SecretString::from(passphrase));
    // Some seconds on any machine; a file that asks for more is not of age-keygen's making.
    identity.set_max_work_factor(22);
    let reader = message.decrypt(std::iter::once(&identity as &dyn age::Identity));
    let reader = reader.map_err(|_| "that is not its passphrase")?;
    let mut opened = Zeroizing::new(Vec::with_capacity(LONGEST_STANZA));
    let limit = LONGEST_STANZA as u64;
    reader.take(limit).read_to_end(&mut opened).map_err(|_| "its content is damaged")?;
    Ok(opened)
}

/// Wraps a data key for groups of recipients.
///
/// # Errors
/// A recipient that cannot be encrypted for here.
pub(crate) fn wrap(
    key: &DataKey,
    groups: &[Vec<Recipient>],
    threshold: usize,
    helper: &mut dyn Helper,
) -> Result<Vec<Group>, Error> {
    let shares = match groups {
        [_] => vec![Zeroizing::new(key.bytes().to_vec())],
        groups => {
            let threshold = if threshold == 0 { groups.len() } else { threshold };
            shamir::split(key.bytes(), groups.len(), threshold)?
        }
    };
    let of = |(group, share): (&Vec<Recipient>, &Share)| {
        let stanzas = group.iter().map(|recipient| wrap_one(share, recipient, helper));
        Ok(Group { stanzas: stanzas.collect::<Result<_, Error>>()? })
    };
    groups.iter().zip(&shares).map(of).collect()
}

fn wrap_one(share: &[u8], recipient: &Recipient, helper: &mut dyn Helper) -> Result<Stanza, Error> {
    let cannot = |what: &str| Error::CannotEncryptFor {
        recipient: recipient.fingerprint(),
        what: what.to_owned(),
    };
    let text = recipient.to_string();
    let mut others = Vec::new();
    let enc = match recipient.kind() {
        RecipientKind::Age => {
            let to = text.parse::<age::x25519::Recipient>().map_err(cannot)?;
            encrypt(share, &to)
        }
        RecipientKind::SshEd25519 | RecipientKind::SshRsa => {
            let to = text
                .parse::<age::ssh::Recipient>()
                .map_err(|_| cannot("age takes RSA keys of 2048 to 4096 bits, and ed25519"))?;
            encrypt(share, &to)
        }
        RecipientKind::Pgp => {
            let now = crate::file::now();
            others.push(Entry::Pair("created_at".to_owned(), Node::Scalar(Scalar::str(now))));
            Some(helper.pgp_encrypt(&text, share).map_err(|what| cannot(&what))?)
        }
        RecipientKind::PostQuantum => {
            return Err(cannot("it is post-quantum, which is not written here; use sops itself"));
        }
        RecipientKind::Plugin => {
            return Err(cannot(
                "it is of a plugin of age, which are not run here; use sops itself",
            ));
        }
        RecipientKind::Service => {
            return Err(cannot("keys of clouds and vaults are not asked here; use sops itself"));
        }
    };
    let enc = enc.ok_or_else(|| cannot("age refused it"))?;
    Ok(Stanza { recipient: recipient.clone(), enc, others })
}

fn encrypt(bytes: &[u8], to: &dyn age::Recipient) -> Option<String> {
    let encryptor = Encryptor::with_recipients(std::iter::once(to)).ok()?;
    let mut armored = Vec::new();
    let armor = ArmoredWriter::wrap_output(&mut armored, Format::AsciiArmor).ok()?;
    let mut writer = encryptor.wrap_output(armor).ok()?;
    writer.write_all(bytes).ok()?;
    writer.finish().and_then(ArmoredWriter::finish).ok()?;
    String::from_utf8(armored).ok()
}
