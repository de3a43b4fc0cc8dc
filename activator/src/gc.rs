//! Forgetting old generations.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::disk::Disk;
use crate::error::{Error, io};
use crate::host::underway::Underway;
use crate::journal::Journal;
use crate::pins;
use crate::state::State;

/// How long an activator that nothing names yet is left alone: whoever sent it is about to start it.
const YOUNG: Duration = Duration::from_secs(3600);

/// Removes what nothing needs any more. How many generations and programs went.
///
/// # Errors
/// When the file system refuses; what is left is whole.
pub(crate) fn collect(disk: &Disk, state: &State, keep: u32) -> Result<usize, Error> {
    let links = [state.current_link(), state.confirmed_link(), state.next_link()];
    let mut needed = pins::read(state)?;
    needed.extend(links.iter().filter_map(|link| state.number_at(link)));
    if let Some(journal) = Journal::load(state)? {
        needed.extend([journal.from, journal.to, journal.confirmed]);
    }
    let kept = state.kept()?;
    let newest: BTreeSet<u64> = kept.keys().rev().take(keep as usize).copied().collect();
    let mut removed = 0;
    for (number, id) in &kept {
        if !newest.contains(number) && !needed.contains(number) {
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
    Ok(removed + sweep_programs(disk, state)?)
}

/// Activators of earlier switches. The one of the last switch stays, and the one that runs.
fn sweep_programs(disk: &Disk, state: &State) -> Result<usize, Error> {
    let folder = state.file("activator");
    if !folder.is_dir() {
        return Ok(0);
    }
    let own = fs::read_link("/proc/self/exe").unwrap_or_default();
    let mut needed: Vec<OsString> =
        own.parent().and_then(Path::file_name).map(Into::into).into_iter().collect();
    needed.extend(fs::read_link(folder.join("current")).ok().map(Into::into));
    let mut removed = 0;
    for name in names(&folder)? {
        let place = folder.join(&name);
        let is_hash = name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        let changed = fs::symlink_metadata(&place).and_then(|found| found.modified());
        let is_old = changed.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > YOUNG));
        if is_hash && is_old && !needed.iter().any(|needed| *needed == *name) {
            disk.remove_tree(&place)?;
            removed += 1;
        }
    }
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
    // Of an installation that was cut off, by whichever generation.
    if let Some(underway) = Underway::load(state)? {
        needed.extend(underway.blobs().map(|id| id.to_string()));
    }
    let folder = state.store_folder();
    for name in names(&folder)?.difference(&needed) {
        disk.remove_tree(&folder.join(name))?;
    }
    Ok(())
}

fn names(folder: &Path) -> Result<BTreeSet<String>, Error> {
    fs::read_dir(folder)
        .map_err(io("read", folder))?
        .map(|entry| {
            Ok(entry.map_err(io("read", folder))?.file_name().to_string_lossy().into_owned())
        })
        .collect()
}
