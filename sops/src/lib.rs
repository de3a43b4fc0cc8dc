//! SOPS files: read without a key, opened with one, written so that sops reads them.
//!
//! ```text
//! bytes ── File::parse ──► File ── unlock(Identities) ──► DataKey
//!                           │ metadata, recipients, leaves      │
//!                           └────────── decrypt ◄───────────────┘
//!                                          │ the whole file verified
//!                                        Plain ── get(path), whole()
//! ```
//!
//! What needs no key: [`File::parse`], [`File::metadata`], [`File::leaves`], [`File::leaf`], [`File::recipients`].
//! What a node does: [`Identities`] once, [`File::unlock`] once a file, [`File::decrypt`] once, and then
//! [`Plain::get`] for each secret. What an editor does: [`Plain::parse`], [`File::create`], [`File::update`],
//! [`File::rekey`], [`File::write`].
//!
//! Nothing here prints, asks, or runs a program: whoever can do that passes a [`Helper`]. No error
//! holds the text of a secret.

mod cipher;
mod creation;
mod error;
mod file;
mod format;
mod identity;
mod metadata;
mod recipient;
mod rules;
mod secret;
mod shamir;
mod ssh;
mod tree;
mod walk;
mod wrap;

pub use cipher::DataKey;
pub use creation::{CreationRule, CreationRules};
pub use error::{Error, NoKey};
pub use file::{File, Plain};
pub use format::Format;
pub use identity::{Helper, Identities, NewKey, NoHelper};
pub use metadata::{Group, Metadata, Stanza};
pub use recipient::{Recipient, RecipientKind};
pub use rules::{Rule, RuleKind};
pub use secret::SecretBytes;
pub use tree::Kind;
pub use walk::{Leaf, State};

/// The largest file that is read, in bytes.
pub const MAX_SIZE: usize = 16 << 20;

/// How deep maps and lists may be nested.
pub const MAX_DEPTH: usize = 100;
