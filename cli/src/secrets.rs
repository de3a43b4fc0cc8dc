//! Files of secrets on this machine: whose keys open them, where they are, for whom they should be.

pub(crate) mod files;
pub(crate) mod inventory;
pub(crate) mod keys;
pub(crate) mod person;
pub(crate) mod private;
pub(crate) mod rules;
pub(crate) mod subject;

use crate::error::CommandError;

/// What is wrong with a file, with what can be done.
pub(crate) fn failed(file: &str, error: &cairn_sops::Error) -> CommandError {
    let failed = CommandError::user(format!("{file}: {error}"));
    match error {
        cairn_sops::Error::NoKey(_) => failed.hint(
            "your keys are looked for in SOPS_AGE_KEY, SOPS_AGE_KEY_FILE, \
             ~/.config/sops/age/keys.txt, SOPS_AGE_SSH_PRIVATE_KEY_FILE and ~/.ssh/id_ed25519; \
             somebody whose key opens the file adds yours with `cairn secrets rekey`",
        ),
        cairn_sops::Error::MacMismatch
        | cairn_sops::Error::MacTampered
        | cairn_sops::Error::Tampered { .. } => {
            failed.hint("take the file's last good version from version control")
        }
        cairn_sops::Error::NotCiphertext { .. } => failed.hint(
            "values are changed with `cairn secrets set` and `cairn secrets edit`, which encrypt them",
        ),
        cairn_sops::Error::NotEncrypted => {
            failed.hint("`cairn secrets edit` makes new encrypted files")
        }
        _ => failed,
    }
}
