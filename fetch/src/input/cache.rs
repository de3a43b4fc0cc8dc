//! Trees of inputs by the hash of their content, and copies of the repositories that they are of.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::archive;
use super::error::{InputError, Note};
use super::git::Repository;
use super::lock::Locked;
use super::nar;
use super::reference::{Reference, Source};
use super::tree::TreeWriter;

/// What lies in a cache can be deleted at any time, and had again as long as its source is there.
pub(super) struct InputCache<'c> {
    folder: &'c Path,
}

/// A tree that was had.
pub(super) struct Had {
    pub(super) tree: PathBuf,
    pub(super) locked: Locked,
    pub(super) notes: Vec<Note>,
}

impl InputCache<'_> {
    pub(super) fn new(folder: &Path) -> InputCache<'_> {
        InputCache { folder }
    }

    /// What `reference` leads to now. Relative folders start at `base`.
    pub(super) fn latest(&self, reference: &Reference, base: &Path) -> Result<Had, InputError> {
        let locked =
            Locked { url: reference.text.clone(), rev: None, date: None, hash: String::new() };
        match &reference.source {
            Source::Path(path) => {
                let tree = folder(path, base)?;
                let hash = nar::hash(&tree).map_err(|error| InputError::io(&tree, &error))?;
                Ok(Had { tree, locked: Locked { hash, ..locked }, notes: Vec::new() })
            }
            Source::Git(url) => {
                let repository = self.repository(url, base)?;
                let commit = match &reference.rev {
                    Some(rev) => repository.revision(rev, reference.branch.as_deref())?,
                    None => repository.latest(reference.branch.as_deref())?,
                };
                let mut tree = TreeWriter::new(&self.trees())?;
                let submodules = repository.export(&commit, &mut tree)?;
                let notes = submodules.iter().map(|path| submodule(path)).collect();
                let locked = Locked { rev: Some(commit.rev), date: Some(commit.time), ..locked };
                self.keep(tree, locked, notes)
            }
            Source::Tarball(url) => {
                let archive = self.download(url)?;
                let mut tree = TreeWriter::new(&self.trees())?;
                let date = archive::unpack(&archive, &mut tree)?;
                self.keep(tree, Locked { date: Some(date), ..locked }, Vec::new())
            }
        }
    }

    /// The tree that was locked, verified; fetched where it is not at hand.
    pub(super) fn locked(
        &self,
        reference: &Reference,
        locked: &Locked,
        base: &Path,
    ) -> Result<Had, InputError> {
        let place = self.place(&locked.hash)?;
        let is_folder = matches!(reference.source, Source::Path(_));
        if !is_folder && place.is_dir() {
            if nar::hash(&place).is_ok_and(|hash| hash == locked.hash) {
                return Ok(Had { tree: place, locked: locked.clone(), notes: Vec::new() });
            }
            // A cache is a disk like any other.
            fs::remove_dir_all(&place).map_err(|error| InputError::io(&place, &error))?;
        }
        let rev = locked.rev.clone().or_else(|| reference.rev.clone());
        let had = self.latest(&Reference { rev, ..reference.clone() }, base)?;
        if had.locked.hash == locked.hash {
            return Ok(Had { locked: locked.clone(), ..had });
        }
        Err(changed(reference, locked, &had.locked.hash))
    }

    /// Keeps a copy of a folder, so that it can be compared with once it is another. A folder that cannot be
    /// copied is an input all the same.
    pub(super) fn remember(&self, had: &Had) {
        let copy = || {
            let place = self.place(&had.locked.hash)?;
            if place.is_dir() {
                return Ok(());
            }
            let mut copy = TreeWriter::new(&self.trees())?;
            copy.copy(&had.tree)?;
            copy.keep(&place)
        };
        let _: Result<(), InputError> = copy();
    }

    /// The tree that was locked, where there is a copy of it.
    pub(super) fn remembered(&self, locked: &Locked) -> Option<Had> {
        let tree = self.place(&locked.hash).ok()?;
        let is_whole = nar::hash(&tree).is_ok_and(|hash| hash == locked.hash);
        is_whole.then(|| Had { tree, locked: locked.clone(), notes: Vec::new() })
    }

    fn keep(&self, tree: TreeWriter, locked: Locked, notes: Vec<Note>) -> Result<Had, InputError> {
        let hash = nar::hash(tree.path()).map_err(|error| InputError::io(tree.path(), &error))?;
        let place = self.place(&hash)?;
        // What may be there is not known to be whole.
        match fs::remove_dir_all(&place) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(InputError::io(&place, &error));
            }
            _ => {}
        }
        tree.keep(&place)?;
        Ok(Had { tree: place, locked: Locked { hash, ..locked }, notes })
    }

    fn trees(&self) -> PathBuf {
        self.folder.join("inputs")
    }

    /// Where the tree of a hash lies: its name is the hash, with what no file name may hold replaced.
    fn place(&self, hash: &str) -> Result<PathBuf, InputError> {
        let digest = hash.strip_prefix("sha256-").unwrap_or("");
        let is_base64 = |c: char| c.is_ascii_alphanumeric() || "+/=".contains(c);
        if digest.len() != 44 || !digest.chars().all(is_base64) {
            let message = format!("`{hash}` in the lock is no hash of a tree");
            let help = "a lock is written by `cairn lock`: take it back out of version control";
            return Err(InputError::new("input::bad-lock", message, help));
        }
        Ok(self.trees().join(digest.trim_end_matches('=').replace('/', "_")))
    }

    /// An archive, whose content nobody knows yet.
    fn download(&self, url: &str) -> Result<PathBuf, InputError> {
        let had = crate::Cache::new(self.folder).fetch_unknown(url, &|_| ());
        had.map(|(path, _)| path)
            .map_err(|error| InputError::new("input::unreachable", error.to_string(), error.help()))
    }

    fn repository(&self, url: &str, base: &Path) -> Result<Repository, InputError> {
        let url = absolute(url, base);
        let name = crate::sha256_hex(url.as_bytes());
        Repository::open(&self.folder.join("git").join(name), &url)
    }
}

/// A repository beside the fleet is named from the fleet.
pub(super) fn absolute(url: &str, base: &Path) -> String {
    match url.strip_prefix("file:") {
        Some(path) if !path.starts_with('/') => format!("file://{}", base.join(path).display()),
        _ => url.to_owned(),
    }
}

fn folder(path: &str, base: &Path) -> Result<PathBuf, InputError> {
    let place = base.join(path);
    match place.canonicalize() {
        Ok(folder) if folder.is_dir() => Ok(folder),
        Ok(_) => {
            let message = format!("{} is no folder", place.display());
            Err(InputError::new(
                "input::unreachable",
                message,
                "name the folder that holds the input",
            ))
        }
        Err(error) => {
            let message = format!("the folder {} cannot be read: {error}", place.display());
            let help = "a relative path starts at the folder of the cairn.nix that names the input";
            Err(InputError::new("input::unreachable", message, help))
        }
    }
}

fn submodule(path: &str) -> Note {
    Note {
        input: String::new(),
        message: format!("the submodule `{path}` is an empty folder here"),
        help: "take it as an input of its own if something in it is needed".to_owned(),
    }
}

fn changed(reference: &Reference, locked: &Locked, found: &str) -> InputError {
    let (message, help) = match &reference.source {
        Source::Path(path) => (
            format!("the folder {path} is not as it was locked"),
            "if the change is meant, take it in with `cairn lock --update NAME`; to work on both sides \
             at once, use `--override-input NAME PATH`"
                .to_owned(),
        ),
        Source::Git(_) | Source::Tarball(_) => (
            match &locked.rev {
                Some(rev) => format!("{reference} has another content at {rev} than when it was locked"),
                None => format!("{reference} has another content than when it was locked"),
            },
            "look at what came before you trust it; `cairn lock --update NAME` takes it".to_owned(),
        ),
    };
    let message = format!("{message}: its hash is {found}, not {}", locked.hash);
    InputError::new("input::changed", message, help)
}
