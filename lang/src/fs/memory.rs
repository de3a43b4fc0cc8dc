//! Files in memory: the standard modules inside the command, and tests.

use std::collections::{BTreeMap, BTreeSet};

use super::{FileKind, FileSystem, FsError};

/// Files in memory, by path.
#[derive(Clone, Debug, Default)]
pub struct MemoryFs(BTreeMap<String, Vec<u8>>);

impl MemoryFs {
    /// Files from pairs of a path and a text.
    pub fn new<P: Into<String>, T: Into<Vec<u8>>>(
        files: impl IntoIterator<Item = (P, T)>,
    ) -> MemoryFs {
        MemoryFs(files.into_iter().map(|(path, text)| (path.into(), text.into())).collect())
    }

    fn below<'p>(&'p self, path: &str) -> impl Iterator<Item = &'p str> {
        let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
        self.0.keys().filter_map(move |key| key.strip_prefix(&prefix))
    }
}

impl FileSystem for MemoryFs {
    fn read(&self, path: &str) -> Result<Vec<u8>, FsError> {
        match self.0.get(path) {
            Some(text) => Ok(text.clone()),
            None if self.kind(path)?.is_some() => Err(FsError::NotAFile),
            None => Err(FsError::NotFound),
        }
    }

    fn kind(&self, path: &str) -> Result<Option<FileKind>, FsError> {
        if self.0.contains_key(path) {
            return Ok(Some(FileKind::Regular));
        }
        let is_folder = path.is_empty() || self.below(path).next().is_some();
        Ok(is_folder.then_some(FileKind::Directory))
    }

    fn list(&self, path: &str) -> Result<Vec<(String, FileKind)>, FsError> {
        match self.kind(path)? {
            None => return Err(FsError::NotFound),
            Some(FileKind::Directory) => {}
            Some(_) => return Err(FsError::NotADirectory),
        }
        let entries: BTreeSet<(&str, bool)> = self
            .below(path)
            .map(|rest| rest.split_once('/').map_or((rest, false), |(folder, _)| (folder, true)))
            .collect();
        let kind = |folder| if folder { FileKind::Directory } else { FileKind::Regular };
        Ok(entries.into_iter().map(|(name, folder)| (name.to_owned(), kind(folder))).collect())
    }
}
