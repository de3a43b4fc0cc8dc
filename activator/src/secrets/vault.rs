//! Where decrypted secrets lie: a folder for each set of them, and a link to the one that is shown.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use cairn_generation::wire::{Drift, DriftKind};
use zeroize::Zeroize;

use crate::disk::Disk;
use crate::error::{Error, io};
use crate::secrets::memory;
use crate::secrets::open::{Opened, Plain};

/// The folder is passed through by the owners of secrets, and listed by root alone.
const PASSAGE: u32 = 0o711;

/// Decrypted secrets of one host.
#[derive(Debug, Clone)]
pub(crate) struct Vault {
    /// `/run/cairn`.
    run: PathBuf,
}

impl Vault {
    /// The vault in the folder `run`, which lies in memory.
    pub(crate) fn at(run: &Path) -> Self {
        Self { run: run.to_owned() }
    }

    /// Where units are noted that have yet to hear of a flip.
    pub(crate) fn pending(&self) -> PathBuf {
        self.run.join("secrets.pending")
    }

    fn link(&self) -> PathBuf {
        self.run.join("secrets")
    }

    fn folders(&self) -> PathBuf {
        self.run.join("secrets.d")
    }

    /// Files that are not shown as `opened` has them, each with what is wrong, sorted. What is
    /// shown beyond them is among them.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub(crate) fn differences(&self, opened: &Opened) -> Result<Vec<Drift>, Error> {
        let shown = self.link();
        let mut found = BTreeSet::new();
        list(&shown, "", &mut found)?;
        let mut drift = Vec::new();
        for (path, plain) in &opened.files {
            found.remove(path);
            drift.extend(difference(&shown, path, plain));
        }
        let strays = found.into_iter();
        drift.extend(
            strays.map(|path| Drift::new(DriftKind::Secret, path, "is not of the generation")),
        );
        drift.sort();
        Ok(drift)
    }

    /// Writes `opened` into a folder that nobody is led to yet, and gives its name.
    ///
    /// What there is to tell is in `warnings`.
    ///
    /// # Errors
    /// When the kernel or the file system refuses; nothing is left then.
    pub(crate) fn stage(
        &self,
        opened: &Opened,
        warnings: &mut Vec<String>,
    ) -> Result<String, Error> {
        let disk = Disk;
        disk.create_dirs(&self.run, PASSAGE)?;
        disk.set_mode(&self.run, PASSAGE)?;
        let folders = self.folders();
        disk.create_dir(&folders, PASSAGE)?;
        warnings.extend(memory::make_sure(&folders)?);
        disk.set_mode(&folders, PASSAGE)?;
        let last = self.numbers()?.last().copied().unwrap_or_default();
        let name = last.saturating_add(1).to_string();
        let folder = folders.join(&name);
        let staged = self.fill(&folder, opened);
        if staged.is_err() {
            // What is not whole is of no use to anybody.
            let _ = wipe(&folder);
        }
        staged.map(|()| name)
    }

    fn fill(&self, folder: &Path, opened: &Opened) -> Result<(), Error> {
        let disk = Disk;
        // Nobody gets in before all is there.
        disk.create_dir(folder, 0o700)?;
        for (path, plain) in &opened.files {
            let place = folder.join(path);
            if let Some(parent) = place.parent() {
                disk.create_dirs(parent, PASSAGE)?;
            }
            disk.write_new(&place, plain.content.expose(), plain.mode, Some(plain.ids))?;
        }
        disk.set_mode(folder, PASSAGE)
    }

    /// Shows the staged folder of this name, in one rename.
    ///
    /// # Errors
    /// When the file system refuses.
    pub(crate) fn flip(&self, name: &str) -> Result<(), Error> {
        Disk.replace_link(&self.link(), &format!("secrets.d/{name}"))
    }

    /// Shows nothing any more.
    ///
    /// # Errors
    /// When the file system refuses.
    pub(crate) fn hide(&self) -> Result<(), Error> {
        Disk.remove_file(&self.link())
    }

    /// Wipes every folder but the one that is shown, and what a kill left of another; where none
    /// is shown, nothing is left.
    ///
    /// # Errors
    /// When the file system refuses.
    pub(crate) fn wipe_others(&self) -> Result<(), Error> {
        let shown = fs::read_link(self.link()).ok();
        let shown = shown.as_deref().and_then(Path::file_name).and_then(|name| name.to_str());
        for number in self.numbers()? {
            let name = number.to_string();
            if shown != Some(&name) {
                wipe(&self.folders().join(name))?;
            }
        }
        if shown.is_none() && self.folders().exists() {
            memory::take_away(&self.folders())?;
            Disk.remove_empty_dir(&self.folders())?;
        }
        Ok(())
    }

    /// Numbers of all folders, in order.
    fn numbers(&self) -> Result<BTreeSet<u64>, Error> {
        let folders = self.folders();
        let entries = match fs::read_dir(&folders) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeSet::new()),
            other => other.map_err(io("read", &folders))?,
        };
        let mut numbers = BTreeSet::new();
        for entry in entries {
            let name = entry.map_err(io("read", &folders))?.file_name();
            numbers.extend(name.to_str().and_then(|name| name.parse::<u64>().ok()));
        }
        Ok(numbers)
    }
}

/// How what stands at `path` differs from `plain`, if it does. No content is ever told.
fn difference(shown: &Path, path: &str, plain: &Plain) -> Option<Drift> {
    let wrong = |what: &str| Drift::new(DriftKind::Secret, path, what);
    let place = shown.join(path);
    let Ok(metadata) = fs::symlink_metadata(&place) else { return Some(wrong("is gone")) };
    if !metadata.is_file() {
        return Some(wrong("is no regular file any more"));
    }
    let mut content = fs::read(&place).unwrap_or_default();
    let same = content == plain.content.expose();
    content.zeroize();
    if !same {
        return Some(wrong("has another content"));
    }
    let mode = metadata.permissions().mode() & 0o7777;
    if mode != plain.mode {
        let values = (format!("{:04o}", plain.mode), format!("{mode:04o}"));
        return Some(wrong("has another mode").between(values.0, values.1));
    }
    ((metadata.uid(), metadata.gid()) != plain.ids).then(|| wrong("has another owner"))
}

/// Paths of all that is no folder below `folder`.
fn list(folder: &Path, prefix: &str, found: &mut BTreeSet<String>) -> Result<(), Error> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        other => other.map_err(io("read", folder))?,
    };
    for entry in entries {
        let entry = entry.map_err(io("read", folder))?;
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            list(&entry.path(), &format!("{path}/"), found)?;
        } else {
            found.insert(path);
        }
    }
    Ok(())
}

/// Overwrites what files hold, then removes them: pages of a ramfs are not cleared when they are freed.
fn wipe(folder: &Path) -> Result<(), Error> {
    let mut found = BTreeSet::new();
    list(folder, "", &mut found)?;
    for path in found {
        let place = folder.join(path);
        let size = match fs::symlink_metadata(&place) {
            Ok(metadata) if metadata.is_file() => metadata.len(),
            _ => continue,
        };
        let zeros = vec![0; usize::try_from(size).unwrap_or_default()];
        let over = OpenOptions::new().write(true).open(&place);
        over.and_then(|mut file| file.write_all(&zeros)).map_err(io("wipe", &place))?;
    }
    Disk.remove_tree(folder)
}

impl Opened {
    /// Units that have to do with these files.
    pub(crate) fn units_of<'a>(
        &'a self,
        paths: impl Iterator<Item = &'a str>,
    ) -> (BTreeSet<String>, BTreeSet<String>) {
        let touched: BTreeMap<&str, &Plain> =
            paths.filter_map(|path| Some((path, self.files.get(path)?))).collect();
        let restart = touched.values().flat_map(|plain| plain.restart.iter().cloned());
        let reload = touched.values().flat_map(|plain| plain.reload.iter().cloned());
        (restart.collect(), reload.collect())
    }
}
