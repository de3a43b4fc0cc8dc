//! What a fleet takes from elsewhere: downloads and Debian's archives, locked, verified, cached.
//!
//! Nothing here knows of hosts. [`Cache`] keeps downloads by their SHA-256, [`debian`] reads signed
//! indexes and solves dependencies, [`input`] brings fleets and flakes of others, [`lock`] is the file
//! `cairn.lock`.

use std::io;
use std::path::PathBuf;

mod archive;
mod cache;
pub mod debian;
mod hash;
pub mod input;
pub mod lock;
mod mirrors;
mod netrc;
mod partial;
mod percent;
mod proxy;
mod wire;

pub use archive::{ArchiveError, take};
pub use cache::{Cache, Wanted};
pub(crate) use hash::sha256 as sha256_hex;
pub use lock::Lock;
pub use mirrors::Mirrors;

/// Whoever can get a download. The compiler asks this and nothing else for what is not in the fleet.
pub trait Fetch: Send + Sync {
    /// A file with the bytes behind `url`, which have this SHA-256 (64 lower-case hex digits).
    ///
    /// # Errors
    /// When it cannot be had, or has another hash.
    fn fetch(&self, url: &str, sha256: &str) -> Result<PathBuf, FetchError>;

    /// Brings what will be asked for soon, if that is faster together. What cannot be had is said
    /// when it is asked for.
    fn prefetch(&self, _wanted: &[Wanted]) {}
}

/// Why a download cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Not a URL of a kind that can be fetched.
    #[error("`{url}` cannot be fetched: only `file:`, `http:` and `https:` URLs can")]
    Scheme {
        /// The URL.
        url: String,
    },
    /// The way to it is said in words that mean none.
    #[error("`{url}` cannot be fetched: `{variable}` in the environment is no address of a proxy")]
    Proxy {
        /// The URL.
        url: String,
        /// The variable's name.
        variable: String,
    },
    /// The server, or the way to it, failed.
    #[error("`{url}` cannot be fetched: {message}")]
    Transfer {
        /// The URL.
        url: String,
        /// What failed.
        message: String,
    },
    /// The server has no such thing.
    #[error("`{url}` is not there: {message}")]
    Missing {
        /// The URL.
        url: String,
        /// What the server said.
        message: String,
    },
    /// The bytes are not those that were asked for.
    #[error("`{url}` has the SHA-256 {found}, not {expected}")]
    Hash {
        /// The URL.
        url: String,
        /// The hash that was asked for.
        expected: String,
        /// The hash of what came.
        found: String,
    },
    /// The cache failed.
    #[error("{path}: {source}")]
    Io {
        /// The file at fault.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
}

impl FetchError {
    /// What to do.
    pub fn help(&self) -> String {
        match self {
            FetchError::Scheme { .. } => {
                "write a file as `file:///absolute/path`, or a server as `https://…`".to_owned()
            }
            FetchError::Proxy { variable, .. } => {
                format!("write `{variable}=http://host:port`, or unset it to go without a proxy")
            }
            FetchError::Transfer { .. } | FetchError::Missing { .. } => {
                "check the URL, and that it can be reached from here. \
                 Nothing is fetched that is in the cache already"
                    .to_owned()
            }
            FetchError::Hash { found, .. } => format!(
                "if the download is the one that you want, as its publisher's list of hashes says, \
                 write `hash = \"{found}\"`; otherwise somebody has changed it"
            ),
            FetchError::Io { .. } => {
                "check the cache's folder ($XDG_CACHE_HOME/cairn): its permissions, and the disk's \
                 free space"
                    .to_owned()
            }
        }
    }

    pub(crate) fn transfer(url: &str, error: impl ToString) -> FetchError {
        FetchError::Transfer { url: url.to_owned(), message: error.to_string() }
    }
}

/// Nothing can be fetched: for fleets without fetched packages, and tests.
#[derive(Clone, Copy, Debug, Default)]
pub struct Offline;

impl Fetch for Offline {
    fn fetch(&self, url: &str, _sha256: &str) -> Result<PathBuf, FetchError> {
        Err(FetchError::transfer(url, "there is no network here"))
    }
}

pub(crate) fn at(path: &std::path::Path) -> impl FnOnce(io::Error) -> FetchError + '_ {
    move |source| FetchError::Io { path: path.to_owned(), source }
}
