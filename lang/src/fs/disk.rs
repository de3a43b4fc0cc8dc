//! A folder on the disk, and nothing outside of it.

use std::fs::{self, FileType};
use std::io;
use std::path::{Path, PathBuf};

use super::{FileKind, FileSystem, FsError};

/// A folder on the disk. Links are followed only where they end inside it.
#[derive(Clone, Debug)]
pub struct DiskFs {
    root: PathBuf,
}

impl DiskFs {
    /// The folder at `root`, which must exist.
    pub fn new(root: &Path) -> io::Result<DiskFs> {
        let root = root.canonicalize()?;
        if !root.is_dir() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        Ok(DiskFs { root })
    }

    fn resolve(&self, path: &str) -> Result<PathBuf, FsError> {
        let real = self.root.join(path).canonicalize().map_err(failure)?;
        if !real.starts_with(&self.root) {
            return Err(FsError::Escapes(real.display().to_string()));
        }
        Ok(real)
    }
}

impl FileSystem for DiskFs {
    fn read(&self, path: &str) -> Result<Vec<u8>, FsError> {
        let real = self.resolve(path)?;
        if !fs::metadata(&real).map_err(failure)?.is_file() {
            return Err(FsError::NotAFile);
        }
        fs::read(&real).map_err(failure)
    }

    fn kind(&self, path: &str) -> Result<Option<FileKind>, FsError> {
        let Some((parent, name)) =
            path.rsplit_once('/').or((!path.is_empty()).then_some(("", path)))
        else {
            return Ok(Some(FileKind::Directory));
        };
        let parent = match self.resolve(parent) {
            Err(FsError::NotFound) => return Ok(None),
            parent => parent?,
        };
        match fs::symlink_metadata(parent.join(name)) {
            Ok(metadata) => Ok(Some(kind_of(metadata.file_type()))),
            Err(error) => match failure(error) {
                FsError::NotFound => Ok(None),
                error => Err(error),
            },
        }
    }

    fn resolved_kind(&self, path: &str) -> Result<Option<FileKind>, FsError> {
        match self.resolve(path) {
            Err(FsError::NotFound) => Ok(None),
            real => Ok(Some(kind_of(fs::metadata(real?).map_err(failure)?.file_type()))),
        }
    }

    fn link_target(&self, path: &str) -> Result<Option<String>, FsError> {
        if self.kind(path)? != Some(FileKind::Symlink) {
            return Ok(None);
        }
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let target = fs::read_link(self.resolve(parent)?.join(name)).map_err(failure)?;
        Ok(Some(target.to_string_lossy().into_owned()))
    }

    fn list(&self, path: &str) -> Result<Vec<(String, FileKind)>, FsError> {
        let real = self.resolve(path)?;
        if !real.is_dir() {
            return Err(FsError::NotADirectory);
        }
        let mut entries = Vec::new();
        for entry in fs::read_dir(real).map_err(failure)? {
            let entry = entry.map_err(failure)?;
            let name = entry.file_name().into_string().map_err(|name| {
                FsError::Io(format!("the name {} is not UTF-8", name.to_string_lossy()))
            })?;
            entries.push((name, kind_of(entry.file_type().map_err(failure)?)));
        }
        entries.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(entries)
    }

    fn real_path(&self, path: &str) -> Option<PathBuf> {
        Some(if path.is_empty() { self.root.clone() } else { self.root.join(path) })
    }
}

fn kind_of(kind: FileType) -> FileKind {
    match kind {
        kind if kind.is_file() => FileKind::Regular,
        kind if kind.is_dir() => FileKind::Directory,
        kind if kind.is_symlink() => FileKind::Symlink,
        _ => FileKind::Unknown,
    }
}

fn failure(error: io::Error) -> FsError {
    match error.kind() {
        // A NUL or an over-long name names nothing; a file used as a folder has nothing below it.
        io::ErrorKind::NotFound
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::InvalidInput
        | io::ErrorKind::InvalidFilename => FsError::NotFound,
        _ => FsError::Io(error.to_string()),
    }
}
