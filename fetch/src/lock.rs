//! `cairn.lock`: exactly what a fleet takes from elsewhere, to be read in a review.
//!
//! One object of JSON, keys in byte order, one name a line. `debian` has a part for each suite and
//! architecture: every package file with its hash and what needs it, and for each set of packages that
//! hosts ask for, what else these bring. `inputs` has fleets and flakes of others, `fetched` downloads by
//! URL.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

mod relock;

pub use relock::{Demand, Demands, Download, LockTrouble, Move, Update, cover, relock};

use crate::debian::Asked;
use crate::input::{InputError, InputLock};

/// The lock's name in a fleet's folder.
pub const FILE: &str = "cairn.lock";

/// The version of the format.
pub const VERSION: u32 = 1;

/// Everything that is locked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// [`VERSION`] of the writer.
    pub version: u32,
    /// Debian packages, by suite and architecture (`bookworm amd64`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub debian: BTreeMap<String, Part>,
    /// What inputs are pinned to.
    #[serde(default, skip_serializing_if = "InputLock::is_empty")]
    pub inputs: InputLock,
    /// Downloads by URL.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fetched: BTreeMap<String, Fetched>,
}

/// What is locked of one suite and architecture.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The archives that were asked, by name.
    pub archives: BTreeMap<String, Suites>,
    /// Package files, by name; `name=version` where the fleet asks for a version.
    pub packages: BTreeMap<String, Locked>,
    /// What hosts ask for, and what that brings.
    pub sets: Vec<Set>,
}

/// The suites of an archive: when each one's signed list was made, as it says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Suites {
    /// By suite; empty where the list does not say.
    pub suites: BTreeMap<String, String>,
    /// Components of each suite.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<String>,
}

/// A package file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Locked {
    /// The package's version.
    pub version: String,
    /// The archive that has it, by name.
    pub archive: String,
    /// Where the file is, below the archive's root.
    pub file: String,
    /// The file's SHA-256, in hex.
    pub sha256: String,
    /// The file's length in bytes.
    pub size: u64,
    /// What needs it: `fleet`, where the fleet asks for it, and packages.
    pub why: BTreeSet<String>,
}

/// Packages that are asked for together.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Set {
    /// What hosts ask for: `name`, or `name=version`.
    pub asked: BTreeSet<String>,
    /// Whether recommended packages come along.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recommends: bool,
    /// What that brings beside itself and Debian's base.
    pub brings: BTreeSet<String>,
}

/// A download.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fetched {
    /// Its SHA-256, in hex.
    pub sha256: String,
    /// How it was checked when it was locked: the URL of the publisher's list of hashes, or `first use`.
    pub checked: String,
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

/// What is wrong with a text that is to be a lock.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// Not JSON of this shape.
    #[error("{0}")]
    Shape(#[from] serde_json::Error),
    /// Of another version.
    #[error("its version is {found}, not {VERSION}")]
    Version {
        /// The version in the file.
        found: u32,
    },
    /// A hash that is none.
    #[error("`{of}` has no SHA-256 of 64 hexadecimal digits")]
    Hash {
        /// What it is of.
        of: String,
    },
    /// A set names what is not there.
    #[error("a set brings `{name}`, which is not among the packages of `{part}`")]
    Loose {
        /// The name.
        name: String,
        /// The part.
        part: String,
    },
}

impl Default for Lock {
    fn default() -> Lock {
        Lock {
            version: VERSION,
            debian: BTreeMap::new(),
            inputs: InputLock::new(),
            fetched: BTreeMap::new(),
        }
    }
}

/// The word in `why` for what the fleet asks for itself.
pub const FLEET: &str = "fleet";

/// How what is asked for is named in a lock.
pub fn key(asked: &Asked) -> String {
    match &asked.version {
        Some(version) => format!("{}={version}", asked.name),
        None => asked.name.clone(),
    }
}

/// The package's name in a key.
pub fn name_of(key: &str) -> &str {
    key.split_once('=').map_or(key, |(name, _)| name)
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
        Lock::parse(&text).map_err(|error| malformed(error.to_string()))
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

    /// Reads a lock, and refuses one that does not hang together.
    ///
    /// # Errors
    /// When it is no lock of this version.
    pub fn parse(text: &str) -> Result<Lock, Fault> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let Version { version } = serde_json::from_str(text)?;
        if version != VERSION {
            return Err(Fault::Version { found: version });
        }
        let lock: Lock = serde_json::from_str(text)?;
        lock.check()?;
        Ok(lock)
    }

    fn check(&self) -> Result<(), Fault> {
        let is_hash = |hash: &str| {
            hash.len() == 64
                && hash.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        };
        let packages = self.debian.values().flat_map(|part| &part.packages);
        let hashes = packages.map(|(name, one)| (name, &one.sha256));
        let fetched = self.fetched.iter().map(|(url, one)| (url, &one.sha256));
        if let Some((of, _)) = hashes.chain(fetched).find(|(_, hash)| !is_hash(hash)) {
            return Err(Fault::Hash { of: of.clone() });
        }
        for (part, locked) in &self.debian {
            let named = locked.sets.iter().flat_map(|set| set.asked.iter().chain(&set.brings));
            let mut named = named.filter(|name| !locked.packages.contains_key(*name));
            if let Some(name) = named.next() {
                return Err(Fault::Loose { name: name.clone(), part: part.clone() });
            }
        }
        Ok(())
    }

    /// The text of the file.
    pub fn text(&self) -> String {
        // These types have no map whose keys are no strings, the one thing that JSON cannot hold.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// What a host that asks for these gets: keys and files, its own before what they bring. None
    /// where the lock does not have just this set.
    pub fn packages(
        &self,
        part: &str,
        asked: &BTreeSet<String>,
        recommends: bool,
    ) -> Option<Vec<(&str, &Locked)>> {
        let part = self.debian.get(part)?;
        let same = |set: &&Set| set.asked == *asked && set.recommends == recommends;
        let set = part.sets.iter().find(same)?;
        let named = set.asked.iter().chain(&set.brings);
        named.map(|key| Some((name_of(key), part.packages.get(key)?))).collect()
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

    #[test]
    fn what_does_not_hang_together_is_refused() {
        let refused = |text: &str| Lock::parse(text).expect_err("refused").to_string();
        assert!(refused("{").contains("EOF"));
        assert!(refused(r#"{"version":9}"#).contains("version is 9"));
        assert!(refused(r#"{"version":1,"debain":{}}"#).contains("debain"));
        let fetched = r#"{"version":1,"fetched":{"u":{"sha256":"00","checked":"first use"}}}"#;
        assert!(refused(fetched).contains("`u`"));
        let set = r#"{"version":1,"debian":{"a amd64":{"archives":{},"packages":{},"sets":[{"asked":["x"],"brings":[]}]}}}"#;
        assert!(refused(set).contains("`x`"));
        let lock = Lock::default();
        assert_eq!(Lock::parse(&lock.text()).expect("a lock"), lock);
    }
}
