//! What apt is doing to packages, written down before it begins and forgotten when it is over.
//!
//! A note that is there when nothing runs tells of an apt, a dpkg or a host that was cut off. It is ended
//! before apt is asked for anything else:
//!
//! | note | what dpkg may have left | how it is ended |
//! |---|---|---|
//! | none | nothing of ours | |
//! | `Installing` | packages that are not configured; files of a package that it did not write down yet | dpkg configures what it can; then the very same package files are installed once more, after which dpkg knows all that lies there. Where that fails, what is whole and new is purged, and what was there before goes to the version of the generation |
//! | `Removing` | packages of which a part is gone | these are purged; those that were not begun stay, for the next removal to decide on |

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use cairn_generation::BlobId;
use serde::{Deserialize, Serialize};

use super::dpkg;
use crate::disk::Disk;
use crate::error::Error;
use crate::origin::Origin;
use crate::state::{State, read_json, write_json};

/// The note.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Underway {
    /// Packages come, or move to another version.
    Installing {
        /// Packages that were there before.
        before: BTreeSet<String>,
        /// The files that the generation brings of those that come, by package.
        files: BTreeMap<String, BlobId>,
    },
    /// Packages go, with their settings.
    Removing {
        /// All that go.
        names: BTreeSet<String>,
    },
}

impl Underway {
    /// What was cut off, if anything was.
    pub(crate) fn load(state: &State) -> Result<Option<Self>, Error> {
        read_json(&path(state))
    }

    /// The package files that ending it takes.
    pub(crate) fn blobs(&self) -> impl Iterator<Item = BlobId> {
        let files = match self {
            Self::Installing { files, .. } => Some(files.values().copied()),
            Self::Removing { .. } => None,
        };
        files.into_iter().flatten()
    }

    /// Whether anything was cut off.
    pub(crate) fn is_there(state: &State) -> bool {
        fs::symlink_metadata(path(state)).is_ok()
    }

    /// Writes it down. Durable when it returns.
    pub(crate) fn begin(&self, disk: &Disk, state: &State) -> Result<(), Error> {
        write_json(disk, &path(state), self)
    }

    /// It is over: what came is remembered as ours, what went is forgotten.
    pub(crate) fn close(
        &self,
        disk: &Disk,
        state: &State,
        origin: &mut Origin,
    ) -> Result<(), Error> {
        let there = dpkg::installed()?;
        match self {
            Self::Installing { before, .. } => {
                origin.packages.extend(there.into_keys().filter(|name| !before.contains(name)));
                // Should the host go back, there is something to do.
                origin.settled = None;
            }
            Self::Removing { .. } => origin.packages.retain(|name| there.contains_key(name)),
        }
        origin.save(disk, state)?;
        disk.remove_file(&path(state))
    }
}

fn path(state: &State) -> PathBuf {
    state.file("packages-underway.json")
}
