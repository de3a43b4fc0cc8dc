//! The private keys of whoever runs the command: where sops looks for them.

use std::env;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use cairn_sops::Identities;
use zeroize::Zeroizing;

use crate::error::CommandError;
use crate::secrets::person::Person;

/// All keys that there are. Files that the environment names must be there; the usual ones may be.
pub(crate) fn own(person: &mut Person) -> Result<Identities, CommandError> {
    let mut identities = Identities::new();
    match variable("SOPS_AGE_SSH_PRIVATE_KEY_FILE") {
        Some(path) => named(&mut identities, Path::new(&path), person)?,
        None => {
            for name in [".ssh/id_ed25519", ".ssh/id_rsa"] {
                usual(&mut identities, home().map(|home| home.join(name)), person);
            }
        }
    }
    if let Some(text) = variable("SOPS_AGE_KEY").map(Zeroizing::new) {
        identities.add(&text, "SOPS_AGE_KEY").map_err(wrong)?;
    }
    if let Some(path) = variable("SOPS_AGE_KEY_FILE") {
        named(&mut identities, Path::new(&path), person)?;
    }
    let config = variable("XDG_CONFIG_HOME").map(PathBuf::from);
    let config = config.or_else(|| home().map(|home| home.join(".config")));
    usual(&mut identities, config.map(|folder| folder.join("sops/age/keys.txt")), person);
    Ok(identities)
}

/// What somebody has for reading alone: without asking, and without complaint.
pub(crate) fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn home() -> Option<PathBuf> {
    variable("HOME").map(PathBuf::from)
}

fn wrong(error: cairn_sops::Error) -> CommandError {
    CommandError::user(error.to_string())
}

fn named(
    identities: &mut Identities,
    path: &Path,
    person: &mut Person,
) -> Result<(), CommandError> {
    let bytes = fs::read(path).map(Zeroizing::new).map_err(|error| {
        CommandError::user(format!("the key file {} cannot be read: {error}", path.display()))
    })?;
    identities.add_file(&bytes, &path.display().to_string(), person).map_err(wrong)
}

/// A file that may be there; one that holds no key of a kind that opens files is passed over, with
/// a word.
fn usual(identities: &mut Identities, path: Option<PathBuf>, person: &mut Person) {
    let Some(path) = path else { return };
    let name = path.display().to_string();
    match fs::read(&path).map(Zeroizing::new) {
        Ok(bytes) => {
            if let Err(error) = identities.add_file(&bytes, &name, person) {
                person.note(&error.to_string());
            }
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => person.note(&format!("{name} cannot be read: {error}")),
    }
}
