//! `cairn.lock`: what a fleet takes from elsewhere, pinned. It lies beside `cairn.nix`, and is made to
//! be read in a diff: JSON in a stable order.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::input::{InputError, InputLock};

/// The lock's name in a fleet's folder.
pub const FILE: &str = "cairn.lock";

/// The version of the format that is written.
const VERSION: u32 = 1;

/// A fleet's lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    version: u32,
    /// What inputs are pinned to.
    #[serde(default, skip_serializing_if = "InputLock::is_empty")]
    pub inputs: InputLock,
}

impl Default for Lock {
    fn default() -> Lock {
        Lock { version: VERSION, inputs: InputLock::new() }
    }
}

/// Why a lock cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// It cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// It is no lock, or of a newer Cairn.
    #[error("{path} is no lock: {message}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
}

impl LockError {
    /// What to do.
    pub fn help(&self) -> &'static str {
        match self {
            LockError::Io { .. } => "check its permissions, and the disk's free space",
            LockError::Malformed { .. } => {
                "it is written by `cairn lock`: take it back out of version control, settle what a merge \
                 left in it, or use the cairn that wrote it"
            }
        }
    }
}

impl Lock {
    /// The lock of the fleet in `folder`; an empty one where there is none.
    ///
    /// # Errors
    /// When there is one that cannot be used.
    pub fn read(folder: &Path) -> Result<Lock, LockError> {
        let path = folder.join(FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Lock::default()),
            Err(source) => return Err(LockError::Io { path, source }),
        };
        let malformed = |message: String| LockError::Malformed { path: path.clone(), message };
        let lock: Lock =
            serde_json::from_str(&text).map_err(|error| malformed(error.to_string()))?;
        match lock.version {
            VERSION => Ok(lock),
            version => Err(malformed(format!("its version is {version}, not {VERSION}"))),
        }
    }

    /// Writes the lock of the fleet in `folder`, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written; the old one is as it was then.
    pub fn write(&self, folder: &Path) -> Result<(), LockError> {
        let path = folder.join(FILE);
        let write = || {
            let mut file = tempfile::Builder::new()
                .prefix(".cairn.lock-")
                .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
                .tempfile_in(folder)?;
            file.write_all(self.text().as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(&path).map_err(|error| error.error)
        };
        write().map(drop).map_err(|source| LockError::Io { path: path.clone(), source })
    }

    /// The lock as it is written.
    fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

/// What the lock of an input says of that input's own. A newer Cairn's may say more.
pub(crate) fn inputs(text: &str) -> Result<InputLock, InputError> {
    #[derive(Deserialize)]
    struct Inputs {
        #[serde(default)]
        inputs: InputLock,
    }
    serde_json::from_str::<Inputs>(text).map(|lock| lock.inputs).map_err(|error| {
        let message = format!("its {FILE} cannot be read: {error}");
        InputError::new(
            "input::bad-lock",
            message,
            "whoever keeps it can write it anew: `cairn lock`",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_lock_is_left_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(Lock::read(folder.path()).expect("none"), Lock::default());
        Lock::default().write(folder.path()).expect("written");
        assert_eq!(Lock::read(folder.path()).expect("read"), Lock::default());
        for text in
            ["", "{", "[]", r#"{"version":2}"#, r#"{"version":1,"unknown":{}}"#, "<<<<<<< x"]
        {
            let path = folder.path().join(FILE);
            fs::write(&path, text).expect("written");
            let error = Lock::read(folder.path()).expect_err(text);
            assert!(error.to_string().contains("is no lock"), "{error}");
            assert_eq!(fs::read_to_string(&path).expect("read"), text);
        }
    }
}
