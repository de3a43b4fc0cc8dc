//! Generation 0: the host as it was found, kept for as long as Cairn stands in its place.
//!
//! Files lie in `generations/0/` under their own paths; `origin.json` beside them says what they
//! were. A path is captured when a generation takes it over, before anything is journalled, and
//! again when it had been given back in between: the host's own file is then the truth.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use cairn_generation::Manifest;
use cairn_generation::diff::UnitPlan;
use serde::{Deserialize, Serialize};

use crate::disk::Disk;
use crate::error::{Error, io};
use crate::state::{State, read_json, write_json};

/// What the host had before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Files and links that stood where managed ones stand now, by absolute path.
    #[serde(default)]
    pub files: BTreeMap<String, Original>,
    /// Folders that were made for managed files.
    #[serde(default)]
    pub folders: BTreeSet<String>,
    /// Values of sysctls before the first one was set.
    #[serde(default)]
    pub sysctl: BTreeMap<String, String>,
    /// The host's name before it got one.
    #[serde(default)]
    pub hostname: Option<String>,
    /// Modules that were not loaded before.
    #[serde(default)]
    pub modules: BTreeSet<String>,
    /// Lines of /etc/passwd, group, shadow, gshadow, subuid and subgid of users and groups that were
    /// there before, by `<file>:<name>`.
    #[serde(default)]
    pub accounts: BTreeMap<String, String>,
    /// Accounts and parts of them that we made, as `<what>:<name>`: `user`, `group`, `member`, `home`,
    /// `subuid`, `subgid`, and `file` for a whole file.
    #[serde(default)]
    pub made: BTreeSet<String>,
    /// Packages that appeared with one that a generation named, dependencies included.
    #[serde(default)]
    pub packages: BTreeSet<String>,
    /// Units of the host that ran when a managed one of the same name took their place.
    #[serde(default)]
    pub units: BTreeSet<String>,
    /// Packages that a generation named, as `name` or `name=version`, when the host was last brought to
    /// exactly these; none when others have come since.
    #[serde(default)]
    pub settled: Option<BTreeSet<String>>,
}

/// A file or link of the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Original {
    /// A regular file, whose bytes lie in `generations/0`.
    File {
        /// Permission bits.
        mode: u32,
        /// Owner.
        uid: u32,
        /// Group.
        gid: u32,
    },
    /// A symbolic link.
    Link {
        /// Its literal target.
        to: String,
    },
}

impl Origin {
    /// What is kept of the host.
    pub fn load(state: &State) -> Result<Self, Error> {
        Ok(read_json(&index(state))?.unwrap_or_default())
    }

    /// Keeps it. Durable when it returns; nothing is written when nothing changed.
    pub fn save(&self, disk: &Disk, state: &State) -> Result<(), Error> {
        if Self::load(state).is_ok_and(|saved| saved == *self) {
            return Ok(());
        }
        write_json(disk, &index(state), self)
    }

    /// Copies what stands at `path` into generation 0.
    pub fn capture(&mut self, disk: &Disk, state: &State, path: &str) -> Result<(), Error> {
        let host = state.host(path);
        let metadata = fs::symlink_metadata(&host).map_err(io("read", &host))?;
        let original = if metadata.is_symlink() {
            let to = fs::read_link(&host).map_err(io("read", &host))?;
            Original::Link { to: to.to_string_lossy().into_owned() }
        } else {
            let kept = kept_file(state, path);
            if let Some(parent) = kept.parent() {
                disk.create_dirs(parent, 0o755)?;
            }
            let content = fs::read(&host).map_err(io("read", &host))?;
            let (mode, uid, gid) =
                (metadata.permissions().mode() & 0o7777, metadata.uid(), metadata.gid());
            disk.replace_file(&kept, &content, mode, owner(&kept, uid, gid))?;
            Original::File { mode, uid, gid }
        };
        self.files.insert(path.to_owned(), original);
        Ok(())
    }

    /// Units that ran before Cairn had a definition of them run again under their own when ours goes.
    pub(crate) fn give_back_units(&self, to: &Manifest, plan: &mut UnitPlan) {
        for unit in self.units.iter().filter(|unit| !to.units.contains_key(*unit)) {
            if plan.stop.remove(unit) {
                plan.restart.insert(unit.clone());
            }
        }
    }

    /// Puts the original back at `path`, in one rename.
    pub fn restore(&self, disk: &Disk, state: &State, path: &str) -> Result<(), Error> {
        let host = state.host(path);
        match self.files.get(path) {
            Some(Original::Link { to }) => disk.replace_link(&host, to),
            Some(Original::File { mode, uid, gid }) => {
                let kept = kept_file(state, path);
                let content = fs::read(&kept).map_err(io("read", &kept))?;
                disk.replace_file(&host, &content, *mode, owner(&kept, *uid, *gid))
            }
            None => disk.remove_file(&host),
        }
    }
}

/// Where the original of `path` lies.
pub(crate) fn kept_file(state: &State, path: &str) -> PathBuf {
    state.tree("0").join(path.trim_start_matches('/'))
}

fn index(state: &State) -> PathBuf {
    state.file("origin.json")
}

/// Owners can be given to others by root alone; elsewhere everything is ours already.
fn owner(_path: &Path, uid: u32, gid: u32) -> Option<(u32, u32)> {
    rustix::process::geteuid().is_root().then_some((uid, gid))
}
