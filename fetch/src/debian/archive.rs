//! An archive's indexes, fetched and verified: from a key over the signed list to each index.

use std::io::{self, Read};
use std::path::PathBuf;

use flate2::read::MultiGzDecoder;
use jiff::Timestamp;

use super::Index;
use super::index::Release;
use super::release::{SignatureError, SignedList, verified};
use crate::hash::sha256;
use crate::{Cache, Fetch, FetchError};

/// An archive of Debian packages, as a fleet names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Archive {
    /// Its name in the fleet.
    pub name: String,
    /// Its root, without a slash at the end.
    pub url: String,
    /// Suites; one that ends in a slash is a folder with an index of its own, and has no components.
    pub suites: Vec<String>,
    /// Components of each suite.
    pub components: Vec<String>,
    /// The keys that may sign it, binary or armoured.
    pub keyring: Keyring,
    /// Whether a list that says that it is out of date is refused.
    pub check_valid_until: bool,
}

/// Keys that may sign an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keyring {
    /// A file of this machine.
    File(PathBuf),
    /// These bytes.
    Bytes(Vec<u8>),
}

impl Keyring {
    fn read(&self) -> Result<Vec<u8>, SignatureError> {
        match self {
            Keyring::Bytes(bytes) => Ok(bytes.clone()),
            Keyring::File(path) => std::fs::read(path).map_err(|source| SignatureError::Keyring {
                path: path.display().to_string(),
                source,
            }),
        }
    }
}

/// Where the packages of an index come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The archive's name in the fleet.
    pub archive: String,
    /// The archive's root.
    pub url: String,
    /// The suite.
    pub suite: String,
    /// When the suite's list was made, as it says.
    pub date: Option<String>,
}

/// What archives offer at one time for one architecture.
#[derive(Debug, Default)]
pub struct Snapshot {
    texts: Vec<String>,
    /// Where each index comes from.
    pub origins: Vec<Origin>,
    architecture: String,
}

/// Why an archive cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// Something cannot be had, or is not what the signed list says.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The signed list is not believed.
    #[error("{url} is not believed: {source}")]
    Signature {
        /// The list.
        url: String,
        /// Why not.
        source: SignatureError,
    },
    /// The list is out of date.
    #[error("{url} was valid until {until}")]
    Expired {
        /// The list.
        url: String,
        /// What it says.
        until: String,
    },
    /// The list is another suite's.
    #[error("{url} is the list of {found}, not of {wanted}")]
    OtherSuite {
        /// The list.
        url: String,
        /// What was asked for.
        wanted: String,
        /// What came.
        found: String,
    },
    /// The suite has no such part.
    #[error("{url} has no {kind} `{wanted}`")]
    Absent {
        /// The list.
        url: String,
        /// `component` or `architecture`.
        kind: &'static str,
        /// What was asked for.
        wanted: String,
        /// What there is.
        there: Vec<String>,
    },
    /// An index is damaged although its hash is right, or packed in a way that nobody knows.
    #[error("{url} cannot be unpacked: {message}")]
    Packing {
        /// The index.
        url: String,
        /// What is wrong.
        message: String,
    },
}

impl ArchiveError {
    /// What to do.
    pub fn help(&self) -> String {
        match self {
            ArchiveError::Fetch(FetchError::Hash { .. }) => {
                "it is not what the signed list says. If the mirror is being updated, try again in \
                 a few minutes; otherwise somebody has changed it: take another mirror"
                    .to_owned()
            }
            ArchiveError::Fetch(error) => error.help(),
            ArchiveError::Signature { source: SignatureError::NoVerifier, .. } => {
                "install it: Debian's package is `gpgv`, others call it `gnupg`".to_owned()
            }
            ArchiveError::Signature { .. } => {
                "name the archive's own keyring in `debian.keyring` or \
                 `debian.archives.<name>.keyring`; if it is that one already, do not use this mirror"
                    .to_owned()
            }
            ArchiveError::Expired { .. } => {
                "the mirror is no longer updated, or this machine's clock is wrong. For a snapshot \
                 that is meant to be old, set `debian.archives.<name>.checkValidUntil = false`"
                    .to_owned()
            }
            ArchiveError::OtherSuite { .. } => {
                "check `suites`: a suite is named by its code name or by `stable`, `testing`, …"
                    .to_owned()
            }
            ArchiveError::Absent { there, .. } => format!("it has {}", there.join(", ")),
            ArchiveError::Packing { .. } => "take another mirror".to_owned(),
        }
    }
}

impl Snapshot {
    /// Fetches and verifies the indexes of these archives for `architecture` (Debian's word). What is
    /// in the cache and still what the signed lists say is not fetched again.
    ///
    /// # Errors
    /// When one of them cannot be had, or not be believed.
    pub fn load(
        cache: &Cache,
        archives: &[Archive],
        architecture: &str,
        now: Timestamp,
    ) -> Result<Snapshot, ArchiveError> {
        let architecture = architecture.to_owned();
        let mut snapshot = Snapshot { architecture, ..Snapshot::default() };
        for archive in archives {
            for suite in &archive.suites {
                snapshot.add(cache, archive, suite, now)?;
            }
        }
        Ok(snapshot)
    }

    /// All of it, to be asked.
    pub fn index(&self) -> Index<'_> {
        let texts: Vec<&str> = self.texts.iter().map(String::as_str).collect();
        Index::read(&texts, &self.architecture)
    }

    /// Where a release comes from.
    pub fn origin(&self, release: &Release<'_>) -> Option<&Origin> {
        self.origins.get(release.source)
    }

    fn add(
        &mut self,
        cache: &Cache,
        archive: &Archive,
        suite: &str,
        now: Timestamp,
    ) -> Result<(), ArchiveError> {
        let root = match suite.strip_suffix('/') {
            Some("." | "") => archive.url.clone(),
            Some(folder) => format!("{}/{folder}", archive.url),
            None => format!("{}/dists/{suite}", archive.url),
        };
        let url = format!("{root}/InRelease");
        let signed = cache.read_now(&url)?;
        let text = archive
            .keyring
            .read()
            .and_then(|keys| verified(&signed, &keys))
            .map_err(|source| ArchiveError::Signature { url: url.clone(), source })?;
        let list = SignedList::parse(&text);
        if let Some(until) = list.expired(now).filter(|_| archive.check_valid_until) {
            return Err(ArchiveError::Expired { url, until: until.to_owned() });
        }
        if !suite.ends_with('/') && !list.is_of(suite) {
            let found = list.codename.or(list.suite).unwrap_or_default();
            return Err(ArchiveError::OtherSuite { url, wanted: suite.to_owned(), found });
        }
        for path in self.paths(archive, suite, &list, &url)? {
            let text = read_index(cache, &root, &path, &list)?;
            self.texts.push(text);
            self.origins.push(Origin {
                archive: archive.name.clone(),
                url: archive.url.clone(),
                suite: suite.to_owned(),
                date: list.date.clone(),
            });
        }
        Ok(())
    }

    /// The indexes of a suite, without the endings of packed ones.
    fn paths(
        &self,
        archive: &Archive,
        suite: &str,
        list: &SignedList,
        url: &str,
    ) -> Result<Vec<String>, ArchiveError> {
        if suite.ends_with('/') {
            return Ok(vec!["Packages".to_owned()]);
        }
        let absent = |kind, wanted: &str, there: &[String]| {
            let (url, wanted, there) = (url.to_owned(), wanted.to_owned(), there.to_vec());
            Err(ArchiveError::Absent { url, kind, wanted, there })
        };
        if !list.architectures.is_empty() && !list.architectures.contains(&self.architecture) {
            return absent("architecture", &self.architecture, &list.architectures);
        }
        let mut paths = Vec::new();
        for component in &archive.components {
            let index = |architecture: &str| format!("{component}/binary-{architecture}/Packages");
            let own = index(&self.architecture);
            if PACKINGS.iter().all(|(end, _)| !list.files.contains_key(&format!("{own}{end}"))) {
                return absent("component", component, &list.components);
            }
            paths.push(own);
            let all = index("all");
            if !list.all_in_each
                && PACKINGS.iter().any(|(end, _)| list.files.contains_key(&format!("{all}{end}")))
            {
                paths.push(all);
            }
        }
        Ok(paths)
    }
}

type Unpack = fn(&[u8]) -> io::Result<Vec<u8>>;

/// How indexes are packed, fastest first.
const PACKINGS: [(&str, Unpack); 4] = [
    (".zst", |bytes| zstd::decode_all(bytes)),
    (".gz", |bytes| {
        let mut out = Vec::new();
        MultiGzDecoder::new(bytes).read_to_end(&mut out)?;
        Ok(out)
    }),
    (".xz", |mut bytes| {
        let mut out = Vec::new();
        lzma_rs::xz_decompress(&mut bytes, &mut out)
            .map_err(|error| io::Error::other(format!("{error:?}")))?;
        Ok(out)
    }),
    ("", |bytes| Ok(bytes.to_vec())),
];

/// An index by its path below the suite. It is kept unpacked, under the hash that the list has for it
/// so.
fn read_index(
    cache: &Cache,
    root: &str,
    path: &str,
    list: &SignedList,
) -> Result<String, ArchiveError> {
    let plain = list.files.get(path);
    if let Some(kept) = plain.and_then(|hash| cache.have(hash)) {
        return text(&kept.display().to_string(), std::fs::read(&kept));
    }
    let known = PACKINGS.iter().find_map(|(end, unpack)| {
        let name = format!("{path}{end}");
        list.files.get(&name).map(|hash| (name, hash, unpack))
    });
    let Some((name, hash, unpack)) = known else {
        let message = "the signed list does not name it".to_owned();
        return Err(FetchError::Missing { url: format!("{root}/{path}"), message }.into());
    };
    let url = format!("{root}/{name}");
    let by_hash = name.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
    let by_hash = format!("{root}/{by_hash}by-hash/SHA256/{hash}");
    // By its hash an index can be had while the mirror is being updated.
    let packed = match list.by_hash {
        true => cache.fetch(&by_hash, hash).or_else(|_| cache.fetch(&url, hash)),
        false => cache.fetch(&url, hash),
    }?;
    let broken = |message: String| ArchiveError::Packing { url: url.clone(), message };
    let packed = std::fs::read(&packed).map_err(|error| broken(error.to_string()))?;
    let bytes = unpack(&packed).map_err(|error| broken(error.to_string()))?;
    if let Some(expected) = plain {
        let found = sha256(&bytes);
        if found != *expected {
            return Err(FetchError::Hash { url, expected: expected.clone(), found }.into());
        }
        cache.put(expected, &bytes)?;
    }
    text(&url, Ok(bytes))
}

fn text(url: &str, bytes: io::Result<Vec<u8>>) -> Result<String, ArchiveError> {
    let bytes = bytes.map_err(|error| ArchiveError::Packing {
        url: url.to_owned(),
        message: error.to_string(),
    })?;
    // Descriptions of old packages may be in any encoding; names and hashes are not.
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}
