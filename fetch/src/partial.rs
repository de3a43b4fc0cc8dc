//! A download that is not whole yet: kept when it breaks off, and gone on with the next time.

use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crate::hash::Hasher;
use crate::wire::Wire;
use crate::{FetchError, at};

/// How often a transfer that breaks off is gone on with.
const TRIES: u32 = 3;

/// The file of a download in the making. One process works on it at a time.
pub(crate) struct Partial {
    path: PathBuf,
    file: File,
}

impl Partial {
    /// Opens it, and waits for whoever works on it already.
    pub(crate) fn open(path: PathBuf) -> Result<Partial, FetchError> {
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(at(folder))?;
        let mut options = File::options();
        let file = options.read(true).write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(at(&path))?;
        file.lock().map_err(at(&path))?;
        Ok(Partial { path, file })
    }

    /// Brings the rest of it, and gives the SHA-256 of the whole.
    pub(crate) fn complete(
        &mut self,
        wire: &Wire,
        url: &str,
        told: &dyn Fn(u64),
    ) -> Result<String, FetchError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.go_on(wire, url, told) {
                Err(FetchError::Transfer { .. }) if tries < TRIES => {}
                ended => return ended,
            }
        }
    }

    fn go_on(&mut self, wire: &Wire, url: &str, told: &dyn Fn(u64)) -> Result<String, FetchError> {
        let mut hasher = Hasher::default();
        self.file.seek(SeekFrom::Start(0)).map_err(at(&self.path))?;
        let here = hasher.copy(&self.file, &mut io::sink(), &|_| ()).map_err(at(&self.path))?;
        let opened = wire.open(url, here)?;
        if opened.from != here {
            hasher = Hasher::default();
            self.clear()?;
        }
        hasher
            .copy(opened.reader, &mut self.file, told)
            .map_err(|error| FetchError::transfer(url, error))?;
        Ok(hasher.hex())
    }

    /// Starts over.
    pub(crate) fn clear(&mut self) -> Result<(), FetchError> {
        self.file.set_len(0).map_err(at(&self.path))?;
        self.file.seek(SeekFrom::Start(0)).map_err(at(&self.path))?;
        Ok(())
    }

    /// It is whole: puts it at its place.
    pub(crate) fn keep(self, place: &Path) -> Result<(), FetchError> {
        let folder = place.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(at(folder))?;
        fs::rename(&self.path, place).map_err(at(place))
    }

    /// It is none that anybody wants.
    pub(crate) fn discard(self) -> Result<(), FetchError> {
        fs::remove_file(&self.path).map_err(at(&self.path))
    }
}
