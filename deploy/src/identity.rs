//! Which keys are offered, and in which order.

use std::path::Path;

/// Who is asked for the passphrase of an encrypted key.
pub trait Passphrases: Send + Sync {
    /// The passphrase of the key in `path`; none leaves the key out. Called once a key for a whole
    /// fleet, and never for two keys at once.
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
