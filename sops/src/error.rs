//! What can be wrong with a file, in words that a person can act on. Never a secret's text.

use crate::format::Format;

/// Why a file cannot be read, opened or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Larger than any file of secrets has reason to be.
    #[error("the file has {size} bytes; files of secrets may have {limit} at most")]
    TooLarge {
        /// Bytes in the file.
        size: usize,
        /// Bytes that it may have.
        limit: usize,
    },
    /// Maps and lists in each other beyond the limit.
    #[error("maps and lists are nested more than {limit} deep{}", at(*line))]
    TooDeep {
        /// Levels that there may be.
        limit: usize,
        /// From 1; 0 where it is not known.
        line: usize,
    },
    /// Not UTF-8.
    #[error(
        "not UTF-8: byte {offset} (line {line}) is no text; a file of bytes has the format `binary`"
    )]
    NotUtf8 {
        /// Where, in bytes from 0.
        offset: usize,
        /// From 1.
        line: usize,
    },
    /// Not in the format that it should have.
    #[error("not {}: {what}{}", format.article(), at(*line))]
    Syntax {
        /// What was expected.
        format: Format,
        /// From 1; 0 where it is not known.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// A key twice in one map: which one is meant is anybody's guess.
    #[error("the key `{key}` stands twice in one map{}", at(*line))]
    DuplicateKey {
        /// The key.
        key: String,
        /// From 1; 0 where it is not known.
        line: usize,
    },
    /// YAML that means another place of the file.
    #[error("YAML anchors and aliases are not kept by sops{}: write the value out", at(*line))]
    Alias {
        /// From 1.
        line: usize,
    },
    /// No metadata of sops.
    #[error("not encrypted by sops: there is no `sops` metadata in it")]
    NotEncrypted,
    /// Metadata that makes no sense.
    #[error("the metadata of sops is damaged: {what}")]
    Metadata {
        /// What is wrong.
        what: String,
    },
    /// Of a later sops, which may mean other things by the same words.
    #[error("written by sops {version}, which is newer than what is understood here (sops 3)")]
    NewerFormat {
        /// As the file has it.
        version: String,
    },
    /// No identity opens the file.
    #[error(transparent)]
    NoKey(#[from] NoKey),
    /// A key was opened that is none.
    #[error("the data key for {recipient} is damaged: it has {length} bytes, not 32")]
    DataKey {
        /// For whom it was written.
        recipient: String,
        /// Bytes that it has.
        length: usize,
    },
    /// The shares of the key groups do not make a key.
    #[error("the shares of the key groups do not belong together: {what}")]
    Shares {
        /// What is wrong.
        what: String,
    },
    /// A value that is no ciphertext of this place and key.
    #[error(
        "`{path}` was changed since it was encrypted, or belongs to another key: it does not decrypt"
    )]
    Tampered {
        /// Keys joined by `/`.
        path: String,
    },
    /// A value that should be ciphertext, and is not.
    #[error("`{path}` should be encrypted by this file's rules, and is not: {what}")]
    NotCiphertext {
        /// Keys joined by `/`.
        path: String,
        /// What is there instead.
        what: String,
    },
    /// A value of a kind that is not known here.
    #[error(
        "`{path}` is of type `{kind}`, which is not known here; a newer sops may have written it"
    )]
    UnknownType {
        /// Keys joined by `/`.
        path: String,
        /// As the file has it.
        kind: String,
    },
    /// The message authentication code is absent.
    #[error("the file has no message authentication code (`mac`): nothing shows that it is whole")]
    NoMac,
    /// The code is not the one of the content.
    #[error(
        "the file was changed since it was encrypted: its message authentication code is another \
         (a value removed, moved, or changed by hand)"
    )]
    MacMismatch,
    /// The code itself does not decrypt.
    #[error("the message authentication code does not decrypt: it, or `lastmodified`, was changed")]
    MacTampered,
    /// Text that is no recipient.
    #[error("`{text}` is no recipient: {what}")]
    Recipient {
        /// As it was given.
        text: String,
        /// What is wrong, or what would be right.
        what: String,
    },
    /// A recipient that can be read and not written to.
    #[error("cannot encrypt for {recipient}: {what}")]
    CannotEncryptFor {
        /// The recipient.
        recipient: String,
        /// Why.
        what: String,
    },
    /// Text that is no identity.
    #[error("{source_name} is no private key that opens files of sops: {what}")]
    Identity {
        /// Where it came from.
        source_name: String,
        /// What is wrong.
        what: String,
    },
    /// A path that leads nowhere.
    #[error("there is no `{path}` in the file{}", nearest(near))]
    NoSuchKey {
        /// Keys joined by `/`.
        path: String,
        /// Keys that are there.
        near: Vec<String>,
    },
    /// A path to a map or list where a value was wanted.
    #[error("`{path}` is {what}, not a value")]
    NotAValue {
        /// Keys joined by `/`.
        path: String,
        /// `a map`, `a list`, `null`.
        what: &'static str,
    },
    /// A value that the format cannot hold, or would change.
    #[error("`{path}` cannot be written: {what}")]
    CannotWrite {
        /// Keys joined by `/`.
        path: String,
        /// Why.
        what: String,
    },
    /// A `.sops.yaml` that makes no sense.
    #[error(".sops.yaml: {what}")]
    Rules {
        /// What is wrong.
        what: String,
    },
}

/// No identity that was tried opens the file.
#[derive(Debug)]
pub struct NoKey {
    /// Identities that were tried, by fingerprint, each with where it came from.
    pub tried: Vec<String>,
    /// Those who can open it, by fingerprint, a list for each key group.
    pub recipients: Vec<Vec<String>>,
    /// How many groups must be opened, and how many were.
    pub needed: usize,
    /// Groups that were opened.
    pub opened: usize,
    /// What else is worth knowing: a key that fits and whose stanza is damaged, say.
    pub notes: Vec<String>,
}

impl std::error::Error for NoKey {}

impl std::fmt::Display for NoKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.recipients.len() > 1 {
            write!(
                f,
                "{} of {} key groups can be opened, {} are needed; ",
                self.opened,
                self.recipients.len(),
                self.needed
            )?;
        }
        match self.tried.as_slice() {
            [] => f.write_str("there is no key to open it with")?,
            tried => write!(f, "no key at hand opens it: tried {}", tried.join(", "))?,
        }
        let groups: Vec<String> = self.recipients.iter().map(|group| group.join(", ")).collect();
        write!(f, "; it is encrypted for {}", groups.join("; or, in another group, "))?;
        self.notes.iter().try_for_each(|note| write!(f, "; {note}"))
    }
}

fn at(line: usize) -> String {
    if line == 0 { String::new() } else { format!(" (line {line})") }
}

fn nearest(near: &[String]) -> String {
    match near {
        [] => String::new(),
        near => format!("; there are {}", near.join(", ")),
    }
}
