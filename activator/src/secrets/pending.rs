//! Units that have yet to hear of secrets that were flipped: kept beside the secrets, in memory.
//!
//! A kill between the flip and the restart would otherwise leave a unit with a value that nobody
//! sees any more, and nothing to tell by.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::disk::Disk;
use crate::error::{Error, io};
use crate::state::{read_json, write_json};

/// Units that are owed a restart or a reload.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pending {
    pub(crate) restart: BTreeSet<String>,
    pub(crate) reload: BTreeSet<String>,
}

impl Pending {
    /// Those that an earlier switch left; none mostly.
    pub(crate) fn load(path: &Path) -> Result<Self, Error> {
        Ok(read_json(path)?.unwrap_or_default())
    }

    /// Writes them down, before the flip.
    pub(crate) fn save(&self, path: &Path) -> Result<(), Error> {
        if self == &Self::default() { Self::clear(path) } else { write_json(&Disk, path, self) }
    }

    /// All of them have heard.
    pub(crate) fn clear(path: &Path) -> Result<(), Error> {
        match fs::remove_file(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(io("remove", path)(error)),
            _ => Ok(()),
        }
    }
}
