//! Things made once and kept under `target/hosts`, each named by a hash of its recipe.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// Where the harness keeps what it makes. `CAIRN_TEST_CACHE` names another place.
pub(crate) fn root() -> PathBuf {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/hosts");
    let root = std::env::var_os("CAIRN_TEST_CACHE").map_or_else(default, PathBuf::from);
    fs::create_dir_all(&root).expect("the cache directory can be made");
    root.canonicalize().expect("the cache directory exists")
}

/// The directory `<name>-<hash of recipe>`, made by `make` if it is not there yet.
///
/// Only one process makes it, and it appears whole or not at all.
pub(crate) fn directory(name: &str, recipe: &str, make: impl FnOnce(&Path)) -> PathBuf {
    let hash = blake3::hash(recipe.as_bytes()).to_hex();
    let path = root().join(format!("{name}-{}", &hash[..12]));
    let _lock = lock(&root().join(format!("{name}.lock")));
    if !path.exists() {
        let temporary = path.with_extension("new");
        if temporary.exists() {
            fs::remove_dir_all(&temporary).expect("an unfinished directory can be removed");
        }
        fs::create_dir(&temporary).expect("a directory can be made");
        make(&temporary);
        fs::rename(&temporary, &path).expect("a directory can be renamed");
    }
    path
}

/// Takes the lock file at `path`, waiting for whoever holds it. Dropping the file frees it.
pub(crate) fn lock(path: &Path) -> File {
    let file = File::create(path).expect("a lock file can be made");
    file.lock().expect("a lock can be taken");
    file
}
