//! Fetched programs, laid out beside the blobs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use cairn_generation::{BlobId, Manifest, Store};

use crate::disk::Disk;
use crate::error::Error;

/// Puts every fetched program at `<state>/store/<folder>/bin/<name>`, checked. Durable when it
/// returns.
///
/// # Errors
/// When a blob is missing or damaged, or the file system refuses.
pub(crate) fn lay_out(disk: &Disk, store: &Store, manifest: &Manifest) -> Result<(), Error> {
    for package in manifest.packages.fetched.values() {
        let bin = store.folder().join(&package.folder).join("bin");
        for (name, id) in &package.bin {
            let place = bin.join(name);
            if !runs(&place) || !fs::read(&place).is_ok_and(|content| BlobId::of(&content) == *id) {
                disk.create_dirs(&bin, 0o755)?;
                disk.replace_file(&place, &store.get(id)?, 0o555, None)?;
                disk.sync_parent(&bin)?;
                disk.sync_dir(store.folder())?;
            }
        }
    }
    Ok(())
}

/// Whether every program is at its place and runs; its content is not read.
pub(crate) fn are_there(store: &Path, manifest: &Manifest) -> bool {
    manifest.packages.fetched.values().all(|package| {
        package.bin.keys().all(|name| runs(&store.join(&package.folder).join("bin").join(name)))
    })
}

/// Programs that are not as `manifest` says, by their path in the store.
pub(crate) fn drift(store: &Path, manifest: &Manifest) -> Vec<String> {
    let mut drift = Vec::new();
    for package in manifest.packages.fetched.values() {
        for (name, id) in &package.bin {
            let place = store.join(&package.folder).join("bin").join(name);
            if !runs(&place) || !fs::read(&place).is_ok_and(|content| BlobId::of(&content) == *id) {
                drift.push(place.display().to_string());
            }
        }
    }
    drift
}

fn runs(place: &Path) -> bool {
    fs::metadata(place).is_ok_and(|metadata| metadata.permissions().mode() & 0o7777 == 0o555)
}

/// A folder's name stands for its content: what runs from one may not change under it.
///
/// # Errors
/// When `to` has other programs in a folder that `current` uses.
pub(crate) fn refuse_other_content(current: &Manifest, to: &Manifest) -> Result<(), Error> {
    for package in to.packages.fetched.values() {
        let mut same = current.packages.fetched.values().filter(|old| old.folder == package.folder);
        if same.any(|old| old.bin != package.bin) {
            return Err(Error::refused(format!(
                "the package folder {} has other programs in the current generation",
                package.folder
            )));
        }
    }
    Ok(())
}
