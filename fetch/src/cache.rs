//! The cache of the machine that compiles: downloads by SHA-256, blobs by BLAKE3.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use cairn_generation::Store;
use cairn_generation::store::StoreError;

use crate::hash::{sha256, sha256_of};
use crate::partial::Partial;
use crate::wire::Wire;
use crate::{Fetch, FetchError, at};

/// A signed list of an archive is some hundred kilobytes.
const SMALL: u64 = 64 << 20;

/// How many downloads run at the same time.
const PARALLEL: usize = 8;

/// A folder that can be deleted at any time: everything in it can be had again.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
    wire: Arc<Wire>,
}

/// A download that is wanted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wanted {
    /// Where it is.
    pub url: String,
    /// Its SHA-256, 64 lower-case hex digits.
    pub sha256: String,
}

impl Cache {
    /// The cache in `folder`, which is made when something is put in.
    pub fn new(folder: impl Into<PathBuf>) -> Cache {
        Cache { folder: folder.into(), wire: Arc::new(Wire::new()) }
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

    /// The download with this SHA-256, if it lies here whole. A cache is a disk like any other: what
    /// lies there is hashed before it is believed.
    pub fn have(&self, sha256: &str) -> Option<PathBuf> {
        let path = self.place(sha256);
        let found = File::open(&path).and_then(sha256_of);
        found.is_ok_and(|found| found == sha256).then_some(path)
    }

    /// Brings what is not here yet, several at a time. `told` hears of every piece that arrives, by
    /// its length.
    ///
    /// # Errors
    /// The first of them that cannot be had; the others are brought all the same.
    pub fn fetch_all(
        &self,
        wanted: &[Wanted],
        told: &(dyn Fn(u64) + Sync),
    ) -> Result<(), FetchError> {
        let brought = in_parallel(wanted, |one| self.bring(&one.url, &one.sha256, told));
        brought.into_iter().try_for_each(|one| one.map(drop))
    }

    /// What is behind `url`, whatever it is, and its SHA-256: for what is seen the first time.
    ///
    /// # Errors
    /// When it cannot be had.
    pub fn fetch_unknown(
        &self,
        url: &str,
        told: &(dyn Fn(u64) + Sync),
    ) -> Result<(PathBuf, String), FetchError> {
        let mut partial = Partial::open(self.partial(&sha256(url.as_bytes())))?;
        // What an earlier try left may be of another file: without a hash nobody could tell.
        partial.clear()?;
        let found = partial.complete(&self.wire, url, told)?;
        let place = self.place(&found);
        partial.keep(&place)?;
        Ok((place, found))
    }

    /// What is behind `url` now: a small file that says itself whether it can be believed.
    ///
    /// # Errors
    /// When it cannot be had.
    pub fn read_now(&self, url: &str) -> Result<Vec<u8>, FetchError> {
        let opened = self.wire.open(url, 0)?;
        let mut bytes = Vec::new();
        let read = opened.reader.take(SMALL).read_to_end(&mut bytes);
        read.map_err(|error| FetchError::transfer(url, error))?;
        Ok(bytes)
    }

    /// Keeps what was made of a download under its own SHA-256.
    pub(crate) fn put(&self, sha256: &str, bytes: &[u8]) -> Result<(), FetchError> {
        let place = self.place(sha256);
        let folder = place.parent().unwrap_or(&self.folder);
        fs::create_dir_all(folder).map_err(at(folder))?;
        let file = tempfile::Builder::new().prefix(".tmp-").tempfile_in(folder);
        let mut file = file.map_err(at(folder))?;
        std::io::Write::write_all(&mut file, bytes).map_err(at(&place))?;
        file.persist(&place).map_err(|error| at(&place)(error.error))?;
        Ok(())
    }

    fn bring(&self, url: &str, sha256: &str, told: &dyn Fn(u64)) -> Result<PathBuf, FetchError> {
        let sha256 = sha256.to_lowercase();
        if let Some(path) = self.have(&sha256) {
            return Ok(path);
        }
        let mut partial = Partial::open(self.partial(&sha256))?;
        // Somebody else may have brought it while we waited.
        if let Some(path) = self.have(&sha256) {
            return Ok(path);
        }
        let mut found = partial.complete(&self.wire, url, told)?;
        if found != sha256 {
            // What an earlier try left may have been the fault.
            partial.clear()?;
            found = partial.complete(&self.wire, url, told)?;
        }
        if found != sha256 {
            partial.discard()?;
            let (url, expected) = (url.to_owned(), sha256);
            return Err(FetchError::Hash { url, expected, found });
        }
        let place = self.place(&sha256);
        partial.keep(&place)?;
        Ok(place)
    }

    fn place(&self, sha256: &str) -> PathBuf {
        self.folder.join("downloads").join(sha256)
    }

    fn partial(&self, name: &str) -> PathBuf {
        self.folder.join("partial").join(name)
    }
}

/// Does this for each, several at a time; results in their order.
pub(crate) fn in_parallel<T: Sync, R: Send>(all: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..PARALLEL.min(all.len()) {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(one) = all.get(number) else { break };
                    let result = work(one);
                    done.lock().unwrap_or_else(PoisonError::into_inner).insert(number, result);
                }
            });
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
}

impl Fetch for Cache {
    fn fetch(&self, url: &str, sha256: &str) -> Result<PathBuf, FetchError> {
        self.bring(url, sha256, &|_| ())
    }

    fn prefetch(&self, wanted: &[Wanted]) {
        // Whoever asks for one that failed hears why.
        let _ = self.fetch_all(wanted, &|_| ());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HI: &str = "98ea6e4f216f2fb4b69fff9b3a44842c38686ca685f3f55dc48c5d3fb1107be4";

    fn world() -> (tempfile::TempDir, PathBuf, String, Cache) {
        let folder = tempfile::tempdir().expect("a folder");
        let source = folder.path().join("source");
        let url = format!("file://{}", source.display());
        let cache = Cache::new(folder.path().join("cache"));
        (folder, source, url, cache)
    }

    #[test]
    fn a_file_is_fetched_once() {
        let (_folder, source, url, cache) = world();
        fs::write(&source, "hi\n").expect("written");
        let path = cache.fetch(&url, HI).expect("fetched");
        assert_eq!(fs::read(&path).expect("read"), b"hi\n");
        fs::remove_file(&source).expect("removed");
        assert_eq!(cache.fetch(&url, HI).expect("kept"), path);
        fs::write(&path, "damaged").expect("written");
        assert!(matches!(cache.fetch(&url, HI), Err(FetchError::Missing { .. })));
    }

    #[test]
    fn another_content_is_refused_and_not_kept() {
        let (_folder, source, url, cache) = world();
        fs::write(&source, "ho\n").expect("written");
        assert!(matches!(cache.fetch(&url, HI), Err(FetchError::Hash { .. })));
        assert!(!cache.folder().join("downloads").exists());
        assert_eq!(fs::read_dir(cache.folder().join("partial")).expect("a folder").count(), 0);
        assert!(matches!(cache.fetch("ftp://x", HI), Err(FetchError::Scheme { .. })));
    }

    #[test]
    fn what_broke_off_is_gone_on_with() {
        let (_folder, source, url, cache) = world();
        let partial = cache.partial(HI);
        fs::create_dir_all(partial.parent().expect("a folder")).expect("made");
        // The rest alone is read: the beginning in the source is another.
        fs::write(&partial, "h").expect("written");
        fs::write(&source, "?i\n").expect("written");
        cache.fetch(&url, HI).expect("fetched");
        assert!(!partial.exists());
    }

    #[test]
    fn a_wrong_beginning_is_thrown_away() {
        let (_folder, source, url, cache) = world();
        let partial = cache.partial(HI);
        fs::create_dir_all(partial.parent().expect("a folder")).expect("made");
        fs::write(&partial, "wrong").expect("written");
        fs::write(&source, "hi\n").expect("written");
        let path = cache.fetch(&url, HI).expect("fetched");
        assert_eq!(fs::read(path).expect("read"), b"hi\n");
    }

    #[test]
    fn many_at_a_time_tell_the_first_failure() {
        let (folder, source, url, cache) = world();
        fs::write(&source, "hi\n").expect("written");
        let gone = format!("file://{}/gone", folder.path().display());
        let wanted = |url: &str, sha256: &str| Wanted { url: url.into(), sha256: sha256.into() };
        let all = [wanted(&gone, &HI.replace('9', "8")), wanted(&url, HI)];
        assert!(matches!(cache.fetch_all(&all, &|_| ()), Err(FetchError::Missing { .. })));
        assert!(cache.have(HI).is_some());
    }

    #[test]
    fn what_nobody_knows_is_known_afterwards() {
        let (_folder, source, url, cache) = world();
        fs::write(&source, "hi\n").expect("written");
        let (path, sha256) = cache.fetch_unknown(&url, &|_| ()).expect("fetched");
        assert_eq!((sha256.as_str(), cache.have(HI)), (HI, Some(path)));
    }
}
