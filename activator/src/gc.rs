//! Forgetting old generations.

use std::collections::BTreeSet;
use std::fs;

use crate::disk::Disk;
use crate::error::{Error, io};
use crate::state::State;

/// Removes what nothing needs any more. How many generations went.
///
/// # Errors
/// When the file system refuses; what is left is whole.
pub(crate) fn collect(disk: &Disk, state: &State, keep: u32) -> Result<usize, Error> {
    let links = [state.current_link(), state.confirmed_link(), state.next_link()];
    let pinned: BTreeSet<u64> = links.iter().filter_map(|link| state.number_at(link)).collect();
    let kept = state.kept()?;
    let newest: BTreeSet<u64> = kept.keys().rev().take(keep as usize).copied().collect();
    let mut removed = 0;
    for (number, id) in &kept {
        if !newest.contains(number) && !pinned.contains(number) {
            let folder = state.tree(&format!("{number}-{id}"));
            let old = state.tree(&format!(".old-{number}"));
            // Under another name first: a tree that is cut half-way must not be taken for whole.
            disk.remove_tree(&old)?;
            disk.rename(&folder, &old)?;
            disk.sync_dir(&state.generations())?;
            removed += 1;
        }
    }
    sweep_generations(disk, state)?;
    sweep_store(disk, state)?;
    Ok(removed)
}

/// Trees that were being laid out or removed when their process died.
fn sweep_generations(disk: &Disk, state: &State) -> Result<(), Error> {
    let current = fs::read_link(state.current_link()).unwrap_or_default();
    for name in names(&state.generations())? {
        if name.starts_with('.') && !current.ends_with(&name) {
            disk.remove_tree(&state.tree(&name))?;
        }
    }
    Ok(())
}

fn sweep_store(disk: &Disk, state: &State) -> Result<(), Error> {
    let mut needed = BTreeSet::new();
    for number in state.kept()?.keys() {
        let manifest = state.load(*number)?.manifest;
        needed.extend(manifest.blobs().iter().map(ToString::to_string));
        needed.extend(manifest.packages.fetched.into_values().map(|package| package.folder));
    }
    let folder = state.store_folder();
    for name in names(&folder)?.difference(&needed) {
        disk.remove_tree(&folder.join(name))?;
    }
    Ok(())
}

fn names(folder: &std::path::Path) -> Result<BTreeSet<String>, Error> {
    fs::read_dir(folder)
        .map_err(io("read", folder))?
        .map(|entry| {
            Ok(entry.map_err(io("read", folder))?.file_name().to_string_lossy().into_owned())
        })
        .collect()
}
