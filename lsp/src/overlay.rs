//! The fleet's folder as the editor has it: unsaved texts over the disk.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use cairn_lang::{DiskFs, FileKind, FileSystem, FsError};

/// Texts of open documents by their paths in the fleet.
pub(crate) type Texts = Arc<BTreeMap<String, Arc<str>>>;

/// Open documents over a folder.
pub(crate) struct Overlay {
    disk: DiskFs,
    texts: Texts,
}

impl Overlay {
    pub(crate) fn new(disk: DiskFs, texts: Texts) -> Overlay {
        Overlay { disk, texts }
    }

    fn is_folder_of_texts(&self, path: &str) -> bool {
        self.texts.keys().any(|known| {
            known.strip_prefix(path).is_some_and(|rest| path.is_empty() || rest.starts_with('/'))
        })
    }
}

impl FileSystem for Overlay {
    fn read(&self, path: &str) -> Result<Vec<u8>, FsError> {
        match self.texts.get(path) {
            Some(text) => Ok(text.as_bytes().to_vec()),
            None => self.disk.read(path),
        }
    }

    fn kind(&self, path: &str) -> Result<Option<FileKind>, FsError> {
        if self.texts.contains_key(path) {
            return Ok(Some(FileKind::Regular));
        }
        Ok(match self.disk.kind(path)? {
            None if self.is_folder_of_texts(path) => Some(FileKind::Directory),
            known => known,
        })
    }

    fn resolved_kind(&self, path: &str) -> Result<Option<FileKind>, FsError> {
        match self.kind(path)? {
            Some(FileKind::Symlink) => self.disk.resolved_kind(path),
            known => Ok(known),
        }
    }

    fn link_target(&self, path: &str) -> Result<Option<String>, FsError> {
        if self.texts.contains_key(path) {
            return Ok(None);
        }
        self.disk.link_target(path)
    }

    fn list(&self, path: &str) -> Result<Vec<(String, FileKind)>, FsError> {
        let mut entries = match self.disk.list(path) {
            Err(FsError::NotFound) if self.is_folder_of_texts(path) => Vec::new(),
            entries => entries?,
        };
        let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
        let known: BTreeSet<String> = entries.iter().map(|(name, _)| name.clone()).collect();
        let mut new = BTreeMap::new();
        for rest in self.texts.keys().filter_map(|key| key.strip_prefix(&prefix)) {
            let (name, kind) = match rest.split_once('/') {
                Some((folder, _)) => (folder, FileKind::Directory),
                None => (rest, FileKind::Regular),
            };
            if !known.contains(name) {
                new.insert(name.to_owned(), kind);
            }
        }
        entries.extend(new);
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(entries)
    }

    fn real_path(&self, path: &str) -> Option<PathBuf> {
        self.disk.real_path(path)
    }
}
