//! A generation as a folder to look at: what `cairn build` leaves behind.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use cairn_fetch::Cache;
use cairn_generation::Store;
use cairn_generation::layout::{Entry, Source, layout};

use crate::fleet::Built;

/// Lays a generation out as a tree, with its `manifest.json`, and gives the folder. The same
/// generation is laid out once; its blobs are in the cache's store.
///
/// # Errors
/// When a blob cannot be read, or the folder not be written.
pub fn lay_out(cache: &Cache, built: &Built) -> io::Result<PathBuf> {
    let generations = cache.folder().join("generations");
    let path = generations.join(built.id.to_string());
    if path.is_dir() {
        return Ok(path);
    }
    fs::create_dir_all(&generations)?;
    let store = cache.store().map_err(io::Error::other)?;
    let folder = tempfile::Builder::new().prefix(".tmp-").tempdir_in(&generations)?;
    write(folder.path(), built, &store)?;
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
    match fs::rename(folder.path(), &path) {
        // Another build was faster; what is there is the same.
        Err(_) if path.is_dir() => Ok(path),
        Err(error) => Err(error),
        Ok(()) => {
            let _ = folder.keep();
            Ok(path)
        }
    }
}

fn write(folder: &Path, built: &Built, store: &Store) -> io::Result<()> {
    let layout = layout(&built.manifest).map_err(io::Error::other)?;
    for (name, entry) in &layout.tree {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        match entry {
            Entry::Link { to } => symlink(to, &path)?,
            Entry::File { source, mode, .. } => {
                match source {
                    Source::Text(text) => fs::write(&path, text)?,
                    Source::Blob(id) => {
                        fs::write(&path, store.get(id).map_err(io::Error::other)?)?;
                    }
                }
                // Readable for whoever built it, whatever it will be on the host.
                fs::set_permissions(&path, Permissions::from_mode(mode | 0o400))?;
            }
        }
    }
    fs::write(folder.join("manifest.json"), &built.text)
}
