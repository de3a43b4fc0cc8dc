//! Secrets of a generation: opened in memory, then shown below `/run/cairn/secrets`.
//!
//! Nothing of them touches a disk. [`open()`] decrypts all and verifies all before anything is
//! visible; a [`Vault`] writes them into a folder of its own in a ramfs, and one rename of the link
//! shows them. An older folder stays until the switch is confirmed. After a boot there is none, and
//! recovery fills the vault again from the ciphertext of the generation that it comes up in.

mod memory;
mod open;
mod pending;
mod process;
mod template;
mod vault;

use std::collections::BTreeSet;

pub(crate) use open::{Opened, open};
pub(crate) use pending::Pending;
pub(crate) use process::keep_private;
pub(crate) use vault::Vault;

/// What the secrets of a generation do beside being there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecretEffects {
    /// Units whose secrets are not as they were, to be restarted if they run.
    pub restart: BTreeSet<String>,
    /// The same, to be reloaded.
    pub reload: BTreeSet<String>,
    /// What people should know: optional secrets that cannot be decrypted.
    pub warnings: Vec<String>,
}
