//! Pinned generations: `pins/<number>` is a link to each. Gc keeps what they lead to.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::PathBuf;

use crate::disk::Disk;
use crate::error::{Error, io};
use crate::state::{Generation, State};

/// Numbers of pinned generations. A link that leads to none pins none.
///
/// # Errors
/// When the folder cannot be read: whoever removes generations must know.
pub(crate) fn read(state: &State) -> Result<BTreeSet<u64>, Error> {
    let folder = folder(state);
    let entries = match fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeSet::new()),
        other => other.map_err(io("read", &folder))?,
    };
    let mut pinned = BTreeSet::new();
    for entry in entries {
        let entry = entry.map_err(io("read", &folder))?;
        // What is half-written is no pin yet.
        if !entry.file_name().to_string_lossy().starts_with('.') {
            pinned.extend(state.number_at(&entry.path()));
        }
    }
    Ok(pinned)
}

/// Pins a generation. Whether it was not pinned before. Durable when it returns.
///
/// # Errors
/// When the file system refuses.
pub(crate) fn add(disk: &Disk, state: &State, generation: &Generation) -> Result<bool, Error> {
    if generation.number == 0 {
        return Err(Error::refused("generation 0, the host as found, stays without a pin"));
    }
    let (folder, link) = (folder(state), link(state, generation.number));
    if state.number_at(&link) == Some(generation.number) {
        return Ok(false);
    }
    disk.create_dir(&folder, 0o755)?;
    disk.sync_parent(&folder)?;
    disk.replace_link(&link, &format!("../generations/{}", generation.folder()))?;
    disk.sync_dir(&folder)?;
    Ok(true)
}

/// Lets a generation go. Whether it was pinned. Durable when it returns.
///
/// # Errors
/// When the file system refuses.
pub(crate) fn remove(disk: &Disk, state: &State, number: u64) -> Result<bool, Error> {
    let link = link(state, number);
    if fs::symlink_metadata(&link).is_err() {
        return Ok(false);
    }
    disk.remove_file(&link)?;
    disk.sync_parent(&link)?;
    Ok(true)
}

fn folder(state: &State) -> PathBuf {
    state.file("pins")
}

fn link(state: &State, number: u64) -> PathBuf {
    folder(state).join(number.to_string())
}
