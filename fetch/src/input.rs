//! Inputs: what a fleet takes from elsewhere, pinned in its lock, verified when it is used.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

mod archive;
mod cache;
mod error;
mod follow;
mod git;
mod lock;
pub mod nar;
mod reference;
mod resolve;
mod tree;

pub use error::{InputError, Note};
pub use lock::{Entry, Follows, InputLock, Locked, of_flake_lock};
pub use reference::{Reference, Source};
pub use resolve::{Input, Inputs, Policy, Resolved, Resolver, Update, VENDOR};

/// What a tree says of one of its inputs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// Where it comes from; none where it follows another, or only its own inputs are spoken of.
    pub url: Option<Reference>,
    /// Whether it has outputs (`flake = false` says that it has none); none where nothing is said.
    pub has_outputs: Option<bool>,
    /// The input that stands for it, named from the tree that says so.
    pub follows: Option<String>,
    /// What is said of its own inputs.
    pub inputs: Wishes,
}

/// What a tree says of its inputs, by name.
pub type Wishes = BTreeMap<String, Wish>;

/// What the file that describes a tree says of inputs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Described {
    /// The file, by its path in the tree.
    pub file: String,
    /// Its wishes.
    pub wishes: Wishes,
}

/// Whoever can read what a tree says of its inputs: that takes the language.
pub trait Declarations {
    /// Why a tree's declarations cannot be read.
    type Error: From<InputError>;

    /// What the file in `dir` of `tree` that describes it says. `input` is the tree's place among
    /// inputs, for messages.
    ///
    /// # Errors
    /// When there is none, or it cannot be read.
    fn wishes(&self, tree: &Path, dir: &str, input: &str) -> Result<Described, Self::Error>;
}

/// What was committed to an input between two of its revisions, a line each, the newest first. Empty
/// where it is no repository, or git does not tell. Relative repositories start at `base`.
pub fn log(reference: &Reference, old: &str, new: &str, base: &Path) -> Vec<String> {
    match &reference.source {
        Source::Git(url) => git::log(&cache::absolute(url, base), old, new),
        Source::Path(_) | Source::Tarball(_) => Vec::new(),
    }
}

/// Copies the tree of an input into the fleet's own folder, in place of an older copy, and gives where.
///
/// # Errors
/// When something cannot be read or written; an older copy is whole then.
pub fn vendor(fleet: &Path, input: &Input) -> Result<PathBuf, InputError> {
    let folder = fleet.join(VENDOR);
    let place = folder.join(resolve::vendor_name(&input.name));
    if input.tree == place {
        return Ok(place);
    }
    let mut copy = tree::TreeWriter::new(&folder)?;
    copy.copy(&input.tree)?;
    match std::fs::remove_dir_all(&place) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(InputError::io(&place, &error));
        }
        _ => {}
    }
    copy.keep(&place)?;
    Ok(place)
}
