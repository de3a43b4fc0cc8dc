//! Trees of generations on the disk: laid out whole under another name, checked, laid out again.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use cairn_generation::layout::{Entry, Source};
use cairn_generation::manifest::STATE_DIR;
use cairn_generation::{BlobId, Store};
use serde::Serialize;

use crate::disk::{Disk, Ids};
use crate::error::Error;
use crate::origin::Original;
use crate::state::{Generation, State};

/// Turns names of a user and a group into numbers; none where owners are recorded, not applied.
pub(crate) type Owners<'a> = &'a dyn Fn(&str, &str) -> Result<Option<Ids>, Error>;

/// Owner, group and mode of a file in `owners.json`, for trees whose owners are not applied.
#[derive(Serialize)]
struct Recorded<'a> {
    user: &'a str,
    group: &'a str,
    mode: String,
}

/// Makes sure that the generation lies on the node as its manifest says. Durable when it returns.
///
/// # Errors
/// When a blob is missing or damaged, an owner unknown, or the file system refuses.
pub(crate) fn stage(
    disk: &Disk,
    state: &State,
    store: &Store,
    generation: &Generation,
    owners: Owners,
) -> Result<(), Error> {
    if generation.number == 0 {
        return Ok(());
    }
    let folder = state.tree(&generation.folder());
    let there = fs::symlink_metadata(&folder).is_ok();
    if there && verify(state, generation, owners).is_none() {
        return Ok(());
    }
    let new = state.tree(&format!(".new-{}", generation.folder()));
    disk.remove_tree(&new)?;
    disk.create_dir(&new, 0o755)?;
    for (path, entry) in &generation.layout.tree {
        write_entry(disk, store, &new.join(path), entry, owners)?;
    }
    disk.write_new(&new.join("manifest.json"), &generation.text, 0o600, None)?;
    record_owners(disk, &new, generation, owners)?;
    disk.sync_fs(&new)?;
    if there {
        disk.exchange(&new, &folder)?;
        disk.sync_dir(&state.generations())?;
        return disk.remove_tree(&new);
    }
    disk.rename(&new, &folder)?;
    disk.sync_dir(&state.generations())
}

/// What is not as the generation says, if anything: every file is read and compared.
pub(crate) fn verify(state: &State, generation: &Generation, owners: Owners) -> Option<String> {
    let folder = state.tree(&generation.folder());
    if generation.number > 0
        && fs::read(folder.join("manifest.json")).ok().as_ref() != Some(&generation.text)
    {
        return Some("manifest.json has another content".to_owned());
    }
    generation.layout.tree.iter().find_map(|(path, entry)| {
        differs(&folder.join(path), entry, owners).map(|why| format!("{path} {why}"))
    })
}

/// How what stands at `place` differs from `entry`, as the end of a sentence; none when it does not.
pub(crate) fn differs(place: &Path, entry: &Entry, owners: Owners) -> Option<&'static str> {
    let Ok(metadata) = fs::symlink_metadata(place) else { return Some("is gone") };
    match entry {
        Entry::Link { to } => match fs::read_link(place) {
            Ok(found) if found == Path::new(to) => None,
            Ok(_) => Some("leads elsewhere"),
            Err(_) => Some("is no link any more"),
        },
        Entry::File { .. } if !metadata.is_file() => Some("is no regular file any more"),
        Entry::File { source, mode, user, group } => {
            if !holds(place, source) {
                Some("has another content")
            } else if metadata.permissions().mode() & 0o7777 != *mode {
                Some("has another mode")
            } else {
                match owners(user, group) {
                    Ok(Some(ids)) if ids != (metadata.uid(), metadata.gid()) => {
                        Some("has another owner")
                    }
                    Ok(_) => None,
                    Err(_) => Some("has an owner that the host does not know"),
                }
            }
        }
    }
}

/// The two values behind what [`differs`] says, where they are short: what `entry` has, and what
/// stands at `place`.
pub(crate) fn values(place: &Path, entry: &Entry) -> Option<(String, String)> {
    let metadata = fs::symlink_metadata(place).ok()?;
    match entry {
        Entry::Link { to } => {
            Some((to.clone(), fs::read_link(place).ok()?.to_string_lossy().into_owned()))
        }
        Entry::File { .. } if !metadata.is_file() => None,
        Entry::File { source, mode, user, group } => {
            let content = fs::read(place).ok()?;
            if !is_content(&content, source) {
                let id = match source {
                    Source::Blob(id) => *id,
                    Source::Text(text) => BlobId::of(text.as_bytes()),
                };
                return Some((short(&id), short(&BlobId::of(&content))));
            }
            let found = metadata.permissions().mode() & 0o7777;
            if found != *mode {
                return Some((format!("{mode:04o}"), format!("{found:04o}")));
            }
            Some((format!("{user}:{group}"), format!("{}:{}", metadata.uid(), metadata.gid())))
        }
    }
}

/// The first digits of a hash, as people read it.
fn short(id: &BlobId) -> String {
    id.to_string().chars().take(12).collect()
}

/// Whether the file at `place` holds these bytes.
pub(crate) fn holds(place: &Path, source: &Source) -> bool {
    fs::read(place).is_ok_and(|content| is_content(&content, source))
}

/// Whether these are the bytes of `source`.
pub(crate) fn is_content(content: &[u8], source: &Source) -> bool {
    match source {
        Source::Blob(id) => BlobId::of(content) == *id,
        Source::Text(text) => content == text.as_bytes(),
    }
}

fn write_entry(
    disk: &Disk,
    store: &Store,
    place: &Path,
    entry: &Entry,
    owners: Owners,
) -> Result<(), Error> {
    if let Some(parent) = place.parent() {
        disk.create_dirs(parent, 0o755)?;
    }
    match entry {
        Entry::Link { to } => disk.new_link(place, to),
        Entry::File { source, mode, user, group } => {
            let content = match source {
                Source::Blob(id) => store.get(id)?,
                Source::Text(text) => text.clone().into_bytes(),
            };
            disk.write_new(place, &content, *mode, owners(user, group)?)
        }
    }
}

/// In a tree whose owners are not applied, `owners.json` says whose its files would be.
fn record_owners(
    disk: &Disk,
    tree: &Path,
    generation: &Generation,
    owners: Owners,
) -> Result<(), Error> {
    if owners("root", "root")?.is_some() {
        return Ok(());
    }
    let mut recorded = BTreeMap::new();
    for (path, entry) in &generation.layout.tree {
        if let Entry::File { mode, user, group, .. } = entry {
            recorded.insert(path, Recorded { user, group, mode: format!("{mode:04o}") });
        }
    }
    let path = tree.join("owners.json");
    let text = serde_json::to_vec_pretty(&recorded)
        .map_err(|error| Error::State { path: path.clone(), why: error.to_string() })?;
    disk.write_new(&path, &text, 0o644, None)
}

/// A tree that shows a generation and, at some paths, the host's originals: while `current` leads
/// there, links can be put where originals stand, or back, and nobody sees a difference.
///
/// # Errors
/// When the file system refuses.
pub(crate) fn bridge(
    disk: &Disk,
    state: &State,
    name: &str,
    base: &Generation,
    originals: &BTreeMap<&str, &Original>,
) -> Result<(), Error> {
    let folder = state.tree(name);
    disk.remove_tree(&folder)?;
    disk.create_dir(&folder, 0o755)?;
    let mut links: BTreeMap<String, String> = BTreeMap::new();
    for path in base.layout.tree.keys() {
        let up = "../".repeat(path.matches('/').count() + 1);
        links.insert(path.clone(), format!("{up}{}/{path}", base.folder()));
    }
    for (path, original) in originals {
        let inside = path.trim_start_matches('/');
        let depth = inside.matches('/').count();
        let to = match original {
            Original::File { .. } => {
                format!("{}0/{inside}", "../".repeat(depth + 1))
            }
            Original::Link { to } if to.starts_with('/') => to.clone(),
            Original::Link { to } => {
                let parent = inside.rsplit_once('/').map_or("", |(parent, _)| parent);
                let state_depth = STATE_DIR.matches('/').count() + 2;
                format!("{}{parent}/{to}", "../".repeat(depth + state_depth))
            }
        };
        links.insert(inside.to_owned(), to);
    }
    for (path, to) in links {
        let place = folder.join(path);
        if let Some(parent) = place.parent() {
            disk.create_dirs(parent, 0o755)?;
        }
        disk.new_link(&place, &to)?;
    }
    disk.sync_fs(&folder)
}
