//! What goes wrong on a node, in words: where, what, why, and what to do.

use std::io;
use std::path::{Path, PathBuf};

use cairn_generation::GenerationId;
use cairn_generation::canonical::CanonicalError;
use cairn_generation::layout::LayoutError;
use cairn_generation::manifest::ManifestError;
use cairn_generation::store::StoreError;
use cairn_generation::wire::Step;

/// Why a step cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file system refused.
    #[error("cannot {what} {}: {source}", path.display())]
    Io {
        /// What was tried, as a verb.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// A blob is missing or damaged.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The manifest cannot be read.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A text that we write cannot be written.
    #[error(transparent)]
    Canonical(#[from] CanonicalError),
    /// The manifest has no tree.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// Our own state does not read back.
    #[error("{} is damaged: {why}", path.display())]
    State {
        /// The file at fault.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Another switch holds the lock.
    #[error(
        "another switch is under way{holder}; wait for it to end, or for its watchdog to end it"
    )]
    Busy {
        /// ` (by whom, since when)`, where it is known.
        holder: String,
    },
    /// No kept generation answers to this name.
    #[error("no kept generation is `{wanted}`: `history` lists them")]
    NoGeneration {
        /// What was asked for.
        wanted: String,
    },
    /// A kept generation no longer has the content that it is named after.
    #[error("generation {number} ({}) is damaged: {why}; switch to it from its sources instead", id.short())]
    Damaged {
        /// Its number.
        number: u64,
        /// Its id.
        id: GenerationId,
        /// What is wrong.
        why: String,
    },
    /// Something that the host is, has or says forbids it.
    #[error("{0}")]
    Refused(String),
}

/// A failed switch.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The step in which it failed; none where it was no switch.
    pub step: Option<Step>,
    /// Where, what, why, what to do.
    pub message: String,
    /// Whether the host is as it was before: false needs a look.
    pub unchanged: bool,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { step: None, message: error.to_string(), unchanged: true }
    }
}

/// Names what was tried, and on what, when the file system refuses.
pub(crate) fn io<'a>(
    what: &'static str,
    path: &'a Path,
) -> impl FnOnce(io::Error) -> Error + use<'a> {
    move |source| Error::Io { what, path: path.to_owned(), source }
}

impl Error {
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::Refused(message.into())
    }
}
