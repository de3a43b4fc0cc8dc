//! Which files of a fleet have been read.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use cairn_lang::{FileKind, FileSystem, FsError};

/// The paths of files that have been read; clones share one list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reads(Arc<Mutex<BTreeSet<String>>>);

impl Reads {
    /// What has been read until now, in order.
    pub(crate) fn paths(&self) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

/// Files of which it is noted what is read.
pub(crate) struct Noted<F> {
    pub(crate) files: F,
    pub(crate) reads: Reads,
}

impl<F: FileSystem> FileSystem for Noted<F> {
    fn read(&self, path: &str) -> Result<Vec<u8>, FsError> {
        let bytes = self.files.read(path)?;
        self.reads.0.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned());
        Ok(bytes)
    }

    fn kind(&self, path: &str) -> Result<Option<FileKind>, FsError> {
        self.files.kind(path)
    }

    fn resolved_kind(&self, path: &str) -> Result<Option<FileKind>, FsError> {
        self.files.resolved_kind(path)
    }

    fn link_target(&self, path: &str) -> Result<Option<String>, FsError> {
        self.files.link_target(path)
    }

    fn list(&self, path: &str) -> Result<Vec<(String, FileKind)>, FsError> {
        self.files.list(path)
    }

    fn real_path(&self, path: &str) -> Option<PathBuf> {
        self.files.real_path(path)
    }
}
