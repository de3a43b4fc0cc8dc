//! Those who can open a file, by their public keys.

use std::fmt;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bech32::FromBase32;

use crate::error::Error;
use crate::ssh;

/// Who can open a file. Two are equal when they are the same key in the same form; a comment after
/// an SSH key does not count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Recipient(Form);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Form {
    Age(String),
    Ssh { algorithm: String, blob: Vec<u8> },
    Plugin { name: String, text: String },
    PostQuantum(String),
    Pgp(String),
    Service { list: &'static str, name: String },
}

/// What a recipient is, for whoever chooses by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecipientKind {
    /// `age1…`: X25519.
    Age,
    /// `ssh-ed25519 …`.
    SshEd25519,
    /// `ssh-rsa …`.
    SshRsa,
    /// `age1NAME1…`: opened by a plugin of age.
    Plugin,
    /// `age1pq1…`: a hybrid of X25519 and ML-KEM, which cannot be opened here.
    PostQuantum,
    /// A fingerprint of PGP.
    Pgp,
    /// A key of a cloud or of a vault.
    Service,
}

impl Recipient {
    /// Parses a recipient of age: X25519, SSH (a comment after it is dropped), plugin, post-quantum.
    pub fn parse(text: &str) -> Result<Recipient, Error> {
        let text = text.trim();
        let wrong = |what: String| Error::Recipient { text: shortened(text), what };
        if text.starts_with("ssh-") {
            let (algorithm, blob) = ssh::parse_public(text).map_err(wrong)?;
            if !matches!(algorithm.as_str(), "ssh-ed25519" | "ssh-rsa") {
                return Err(wrong("of SSH, age knows `ssh-ed25519` and `ssh-rsa`".to_owned()));
            }
            if algorithm == "ssh-ed25519" && ssh::age_recipient(&blob).is_none() {
                return Err(wrong("its key is no point of the curve".to_owned()));
            }
            return Ok(Recipient(Form::Ssh { algorithm, blob }));
        }
        if text.to_ascii_uppercase().starts_with("AGE-SECRET-KEY-") {
            // Never in a message.
            return Err(Error::Recipient {
                text: "AGE-SECRET-KEY-…".to_owned(),
                what: "it is a private key; its public one is what `cairn secrets keygen` printed"
                    .to_owned(),
            });
        }
        if text.starts_with("age1pq1") && text.len() > 100 && is_bech32_text(text) {
            return Ok(Recipient(Form::PostQuantum(text.to_owned())));
        }
        let kinds = "`age1…`, `ssh-ed25519 …` and `ssh-rsa …` are recipients";
        if !text.starts_with("age1") {
            return Err(wrong(kinds.to_owned()));
        }
        let (hrp, data, variant) = bech32::decode(text).map_err(|_| {
            wrong("its checksum is wrong, so a letter of it is, or some are missing".to_owned())
        })?;
        let bytes = Vec::<u8>::from_base32(&data).map_err(|_| wrong(kinds.to_owned()))?;
        if variant != bech32::Variant::Bech32 {
            return Err(wrong(kinds.to_owned()));
        }
        match hrp.strip_prefix("age") {
            Some("") if bytes.len() == 32 => Ok(Recipient(Form::Age(text.to_owned()))),
            Some(plugin) if plugin.len() > 1 && plugin.starts_with('1') => {
                let name = plugin.trim_start_matches('1').to_owned();
                Ok(Recipient(Form::Plugin { name, text: text.to_owned() }))
            }
            _ => Err(wrong(kinds.to_owned())),
        }
    }

    /// A key of PGP, by its fingerprint.
    pub fn pgp(fingerprint: &str) -> Recipient {
        let hex = fingerprint.chars().filter(|letter| !letter.is_whitespace());
        Recipient(Form::Pgp(hex.collect::<String>().to_ascii_uppercase()))
    }

    pub(crate) fn service(list: &'static str, name: &str) -> Recipient {
        Recipient(Form::Service { list, name: name.to_owned() })
    }

    /// The forms in which a file may name a host, by its public host key (a line of
    /// `ssh_host_ed25519_key.pub`): the key itself, and for ed25519 what it is to age.
    pub fn forms_of_host_key(key: &str) -> Result<Vec<Recipient>, Error> {
        let recipient = Recipient::parse(key)?;
        let Form::Ssh { blob, .. } = &recipient.0 else {
            return Err(Error::Recipient {
                text: shortened(key),
                what: "a host key is `ssh-ed25519 …` or `ssh-rsa …`".to_owned(),
            });
        };
        let age = ssh::age_recipient(blob).map(|text| Recipient(Form::Age(text)));
        Ok([recipient].into_iter().chain(age).collect())
    }

    /// What it is.
    pub fn kind(&self) -> RecipientKind {
        match &self.0 {
            Form::Age(_) => RecipientKind::Age,
            Form::Ssh { algorithm, .. } if algorithm == "ssh-rsa" => RecipientKind::SshRsa,
            Form::Ssh { .. } => RecipientKind::SshEd25519,
            Form::Plugin { .. } => RecipientKind::Plugin,
            Form::PostQuantum(_) => RecipientKind::PostQuantum,
            Form::Pgp(_) => RecipientKind::Pgp,
            Form::Service { .. } => RecipientKind::Service,
        }
    }

    /// A short name for messages: `ssh-ed25519 SHA256:…` for SSH, else the key as it is written.
    pub fn fingerprint(&self) -> String {
        match &self.0 {
            Form::Ssh { algorithm, blob } => format!("{algorithm} {}", ssh::fingerprint(blob)),
            Form::Pgp(fingerprint) => format!("pgp {fingerprint}"),
            Form::PostQuantum(text) => format!("{} (post-quantum)", shortened(text)),
            Form::Plugin { name, text } => format!("{text} (plugin {name})"),
            Form::Service { list, name } => format!("{list} {name}"),
            Form::Age(text) => text.clone(),
        }
    }

    /// The list of the metadata that it stands in.
    pub(crate) fn list(&self) -> &'static str {
        match &self.0 {
            Form::Age(_) | Form::Ssh { .. } | Form::Plugin { .. } | Form::PostQuantum(_) => "age",
            Form::Pgp(_) => "pgp",
            Form::Service { list, .. } => list,
        }
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Age(text) | Form::Plugin { text, .. } | Form::PostQuantum(text) => {
                f.write_str(text)
            }
            Form::Ssh { algorithm, blob } => {
                write!(f, "{algorithm} {}", BASE64_STANDARD.encode(blob))
            }
            Form::Pgp(name) | Form::Service { name, .. } => f.write_str(name),
        }
    }
}

fn is_bech32_text(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

fn shortened(text: &str) -> String {
    let end = text.char_indices().nth(40).map_or(text.len(), |(at, _)| at);
    if end == text.len() { text.to_owned() } else { format!("{}…", &text[..end]) }
}
