//! A folder of blobs, each named by the BLAKE3 of its content.
//!
//! A blob under its final name is whole: it is written under a temporary name in the same folder,
//! flushed to the disk, and renamed. It is read-only, and hashed again before every use, because a
//! disk, a purge or root can change what lies behind a name.

use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::id::BlobId;

/// A content-addressed store in one folder.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
}

/// Why a blob cannot be had or kept.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file system refused.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder at fault.
        path: PathBuf,
        /// What the file system said.
        source: io::Error,
    },
    /// No such blob.
    #[error("the store has no blob {id}")]
    Missing {
        /// The blob that was asked for.
        id: BlobId,
    },
    /// The content under this name has another hash.
    #[error("the blob {id} is damaged: its content hashes to {found}")]
    Damaged {
        /// The name it has.
        id: BlobId,
        /// The name that its content would have.
        found: BlobId,
    },
}

impl Store {
    /// Opens the store in `folder`, which is made when it is not there.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(folder: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let folder = folder.into();
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        Ok(Self { folder })
    }

    /// Where the blob lies, whether or not it is there.
    pub fn path(&self, id: &BlobId) -> PathBuf {
        self.folder.join(id.to_string())
    }

    /// The folder of the store.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keeps `content` and gives its name. Durable when it returns.
    ///
    /// # Errors
    /// When the file system refuses; nothing is left under the final name then.
    pub fn put(&self, content: &[u8]) -> Result<BlobId, StoreError> {
        let id = BlobId::of(content);
        self.put_as(&id, content)?;
        Ok(id)
    }

    /// Keeps what `reader` gives under the name that it is said to have.
    ///
    /// # Errors
    /// When the content has another hash ([`StoreError::Damaged`]) or the file system refuses;
    /// nothing is left under the final name then.
    pub fn put_as(&self, id: &BlobId, mut reader: impl Read) -> Result<(), StoreError> {
        if self.verify(id).is_ok() {
            return Ok(());
        }
        let path = self.path(id);
        let mut file = tempfile::Builder::new()
            .prefix(".tmp-")
            .tempfile_in(&self.folder)
            .map_err(at(&self.folder))?;
        let found = copy_hashed(&mut reader, file.as_file_mut()).map_err(at(&path))?;
        if found != *id {
            return Err(StoreError::Damaged { id: *id, found });
        }
        file.as_file().set_permissions(Permissions::from_mode(0o444)).map_err(at(&path))?;
        file.as_file().sync_all().map_err(at(&path))?;
        file.persist(&path).map_err(|error| at(&path)(error.error))?;
        sync_folder(&self.folder).map_err(at(&self.folder))
    }

    /// As [`Store::put_as`], but not durable until the file system is flushed: for many blobs, which
    /// are flushed together. A blob that a power cut tears is found by its hash, like any damaged one.
    ///
    /// # Errors
    /// As [`Store::put_as`].
    pub fn put_unflushed(&self, id: &BlobId, mut reader: impl Read) -> Result<(), StoreError> {
        if self.verify(id).is_ok() {
            return Ok(());
        }
        let mut file = tempfile::Builder::new()
            .prefix(".tmp-")
            .tempfile_in(&self.folder)
            .map_err(at(&self.folder))?;
        copy_hashed(&mut reader, file.as_file_mut()).map_err(at(&self.path(id)))?;
        self.take(id, file.path())?;
        // Its name is the blob's by now.
        file.disable_cleanup(true);
        Ok(())
    }

    /// Makes a file of the store's own folder the blob `id`. Not durable until the file system is
    /// flushed.
    ///
    /// # Errors
    /// When its content has another hash, or the file system refuses; it stays where it is then.
    pub fn take(&self, id: &BlobId, file: &Path) -> Result<(), StoreError> {
        let found = File::open(file).and_then(BlobId::of_reader).map_err(at(file))?;
        if found != *id {
            return Err(StoreError::Damaged { id: *id, found });
        }
        fs::set_permissions(file, Permissions::from_mode(0o444)).map_err(at(file))?;
        fs::rename(file, self.path(id)).map_err(at(file))
    }

    /// Whether something lies under this name; [`Store::verify`] tells whether it is whole.
    pub fn has(&self, id: &BlobId) -> bool {
        self.path(id).exists()
    }

    /// The blob's content, verified.
    ///
    /// # Errors
    /// When it is not there, damaged or unreadable.
    pub fn get(&self, id: &BlobId) -> Result<Vec<u8>, StoreError> {
        let mut content = Vec::new();
        let path = self.path(id);
        self.reader(id)?.read_to_end(&mut content).map_err(at(&path))?;
        match BlobId::of(&content) {
            found if found == *id => Ok(content),
            found => Err(StoreError::Damaged { id: *id, found }),
        }
    }

    /// Hashes the blob again.
    ///
    /// # Errors
    /// When it is not there, damaged or unreadable.
    pub fn verify(&self, id: &BlobId) -> Result<(), StoreError> {
        let found = BlobId::of_reader(self.reader(id)?).map_err(at(&self.path(id)))?;
        if found == *id { Ok(()) } else { Err(StoreError::Damaged { id: *id, found }) }
    }

    fn reader(&self, id: &BlobId) -> Result<File, StoreError> {
        let path = self.path(id);
        File::open(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => StoreError::Missing { id: *id },
            _ => at(&path)(source),
        })
    }
}

/// A rename is on the disk only when its folder is.
///
/// # Errors
/// When the folder cannot be opened or flushed.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> StoreError + '_ {
    move |source| StoreError::Io { path: path.to_owned(), source }
}

fn copy_hashed(reader: &mut impl Read, file: &mut File) -> io::Result<BlobId> {
    let mut hashed = HashedRead { reader, file };
    BlobId::of_reader(&mut hashed)
}

/// Writes to `file` whatever is read through it.
struct HashedRead<'a, R> {
    reader: &'a mut R,
    file: &'a mut File,
}

impl<R: Read> Read for HashedRead<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.file.write_all(buffer.get(..count).unwrap_or_default())?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_and_verifies() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("store")).unwrap();
        let id = store.put(b"stone").unwrap();
        assert_eq!(store.get(&id).unwrap(), b"stone");
        assert_eq!(store.put(b"stone").unwrap(), id);
        assert!(matches!(store.get(&BlobId::of(b"")), Err(StoreError::Missing { .. })));
    }

    #[test]
    fn damage_is_found_and_mended() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let id = store.put(b"stone").unwrap();
        fs::remove_file(store.path(&id)).unwrap();
        fs::write(store.path(&id), b"sand").unwrap();
        assert!(matches!(store.get(&id), Err(StoreError::Damaged { .. })));
        store.put(b"stone").unwrap();
        assert_eq!(store.get(&id).unwrap(), b"stone");
    }

    #[test]
    fn what_is_flushed_later_is_verified_now() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let id = BlobId::of(b"stone");
        assert!(matches!(store.put_unflushed(&id, &b"sand"[..]), Err(StoreError::Damaged { .. })));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        store.put_unflushed(&id, &b"stone"[..]).unwrap();
        assert_eq!(store.get(&id).unwrap(), b"stone");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn another_content_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let id = BlobId::of(b"stone");
        assert!(matches!(store.put_as(&id, &b"sand"[..]), Err(StoreError::Damaged { .. })));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
