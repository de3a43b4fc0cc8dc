//! The cache of the machine that compiles: downloads by SHA-256, blobs by BLAKE3.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use cairn_generation::Store;
use cairn_generation::store::StoreError;
use sha2::{Digest, Sha256};

use super::{Fetch, FetchError};

/// A folder that can be deleted at any time: everything in it can be had again.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
}

impl Cache {
    /// The cache in `folder`, which is made when something is put in.
    pub fn new(folder: impl Into<PathBuf>) -> Cache {
        Cache { folder: folder.into() }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The store of the blobs of all generations that were built here.
    ///
    /// # Errors
    /// When its folder cannot be made.
    pub fn store(&self) -> Result<Store, StoreError> {
        Store::open(self.folder.join("store"))
    }

    fn download(&self, url: &str, sha256: &str, to: &Path) -> Result<(), FetchError> {
        let folder = to.parent().unwrap_or(&self.folder);
        fs::create_dir_all(folder).map_err(at(folder))?;
        let mut file =
            tempfile::Builder::new().prefix(".tmp-").tempfile_in(folder).map_err(at(folder))?;
        let failed = |error: io::Error| FetchError::Transfer {
            url: url.to_owned(),
            message: error.to_string(),
        };
        let found = copy_hashed(open(url)?, file.as_file_mut()).map_err(failed)?;
        if found != sha256 {
            let (url, expected) = (url.to_owned(), sha256.to_owned());
            return Err(FetchError::Hash { url, expected, found });
        }
        file.persist(to).map_err(|error| at(to)(error.error))?;
        Ok(())
    }
}

impl Fetch for Cache {
    fn fetch(&self, url: &str, sha256: &str) -> Result<PathBuf, FetchError> {
        let sha256 = sha256.to_lowercase();
        let path = self.folder.join("downloads").join(&sha256);
        // A cache is a disk like any other: what lies there is hashed before it is believed.
        let whole = File::open(&path)
            .and_then(|file| copy_hashed(file, &mut io::sink()))
            .is_ok_and(|found| found == sha256);
        if !whole {
            self.download(url, &sha256, &path)?;
        }
        Ok(path)
    }
}

fn open(url: &str) -> Result<Box<dyn Read>, FetchError> {
    let transfer = |message: String| FetchError::Transfer { url: url.to_owned(), message };
    if let Some(path) = url.strip_prefix("file:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        let file = File::open(path).map_err(|error| transfer(error.to_string()))?;
        return Ok(Box::new(file));
    }
    if !url.starts_with("http://") && !url.starts_with("https://") {
        return Err(FetchError::Scheme { url: url.to_owned() });
    }
    // Some servers compress again what is an archive already; the hash is of the plain file.
    let answer = ureq::get(url)
        .header("Accept-Encoding", "identity")
        .call()
        .map_err(|error| transfer(error.to_string()))?;
    Ok(Box::new(answer.into_body().into_reader()))
}

fn copy_hashed(mut from: impl Read, to: &mut impl Write) -> io::Result<String> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let piece = buffer.get(..count).unwrap_or_default();
        hasher.update(piece);
        to.write_all(piece)?;
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> FetchError + '_ {
    move |source| FetchError::Io { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HI: &str = "98ea6e4f216f2fb4b69fff9b3a44842c38686ca685f3f55dc48c5d3fb1107be4";

    #[test]
    fn a_file_is_fetched_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let source = folder.path().join("source");
        fs::write(&source, "hi\n").expect("written");
        let url = format!("file://{}", source.display());
        let cache = Cache::new(folder.path().join("cache"));
        let path = cache.fetch(&url, HI).expect("fetched");
        assert_eq!(fs::read(&path).expect("read"), b"hi\n");
        fs::remove_file(&source).expect("removed");
        assert_eq!(cache.fetch(&url, HI).expect("kept"), path);
        fs::write(&path, "damaged").expect("written");
        assert!(matches!(cache.fetch(&url, HI), Err(FetchError::Transfer { .. })));
    }

    #[test]
    fn another_content_is_refused_and_not_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let source = folder.path().join("source");
        fs::write(&source, "ho\n").expect("written");
        let cache = Cache::new(folder.path().join("cache"));
        let url = format!("file://{}", source.display());
        assert!(matches!(cache.fetch(&url, HI), Err(FetchError::Hash { .. })));
        let kept = fs::read_dir(cache.folder().join("downloads")).expect("a folder").count();
        assert_eq!(kept, 0);
        assert!(matches!(cache.fetch("ftp://x", HI), Err(FetchError::Scheme { .. })));
    }
}
