//! Fetched packages, laid out beside the blobs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use cairn_generation::{BlobId, Manifest, Store};

use crate::disk::Disk;
use crate::error::Error;

/// Puts every fetched program at `<state>/store/<folder>/bin/<name>`, and every other file at its path
/// there, checked. Durable when it returns.
///
/// # Errors
/// When a blob is missing or damaged, or the file system refuses.
pub(crate) fn lay_out(disk: &Disk, store: &Store, manifest: &Manifest) -> Result<(), Error> {
    for package in manifest.packages.fetched.values() {
        let root = store.folder().join(&package.folder);
        for (path, id, mode) in package.contents() {
            let place = root.join(&path);
            if is_there(&place, mode) && holds(&place, id) {
                continue;
            }
            let folder = place.parent().unwrap_or(&root);
            disk.create_dirs(folder, 0o755)?;
            disk.replace_file(&place, &store.get(&id)?, mode, None)?;
            let above = folder.ancestors().take_while(|above| *above != store.folder());
            above.into_iter().try_for_each(|above| disk.sync_parent(above))?;
        }
    }
    Ok(())
}

/// Whether everything is at its place and programs run; no content is read.
pub(crate) fn are_there(store: &Path, manifest: &Manifest) -> bool {
    manifest.packages.fetched.values().all(|package| {
        let root = store.join(&package.folder);
        package.contents().all(|(path, _, mode)| is_there(&root.join(path), mode))
    })
}

/// What is not as `manifest` says, by its path in the store.
pub(crate) fn drift(store: &Path, manifest: &Manifest) -> Vec<String> {
    let mut drift = Vec::new();
    for package in manifest.packages.fetched.values() {
        let root = store.join(&package.folder);
        for (path, id, mode) in package.contents() {
            let place = root.join(path);
            if !is_there(&place, mode) || !holds(&place, id) {
                drift.push(place.display().to_string());
            }
        }
    }
    drift
}

fn is_there(place: &Path, mode: u32) -> bool {
    fs::metadata(place).is_ok_and(|metadata| metadata.permissions().mode() & 0o7777 == mode)
}

fn holds(place: &Path, id: BlobId) -> bool {
    fs::read(place).is_ok_and(|content| BlobId::of(&content) == id)
}

/// A folder's name stands for its content: what runs from one may not change under it.
///
/// # Errors
/// When `to` has other programs in a folder that `current` uses.
pub(crate) fn refuse_other_content(current: &Manifest, to: &Manifest) -> Result<(), Error> {
    for package in to.packages.fetched.values() {
        let mut same = current.packages.fetched.values().filter(|old| old.folder == package.folder);
        if same.any(|old| old.bin != package.bin || old.files != package.files) {
            return Err(Error::refused(format!(
                "the package folder {} has other programs in the current generation",
                package.folder
            )));
        }
    }
    Ok(())
}
