//! A tree that comes from elsewhere, written to the disk entry by entry: nothing in it may lead
//! out of its folder, or mean another thing on another machine.

use std::collections::BTreeMap;
use std::fs::{self, File, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::error::InputError;

/// An input is configuration: what is larger than this was not meant to be one.
pub(super) const LARGEST_TREE: u64 = 4 << 30;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Folder,
    Leaf,
}

/// A tree under construction, in a folder that goes away unless it is kept.
pub(super) struct TreeWriter {
    folder: tempfile::TempDir,
    entries: BTreeMap<String, Kind>,
    /// The first spelling of every name, by what a file system without upper case makes of it.
    spellings: BTreeMap<String, String>,
    room: u64,
}

impl TreeWriter {
    /// An empty tree in a new folder inside of `folder`.
    pub(super) fn new(folder: &Path) -> Result<TreeWriter, InputError> {
        fs::create_dir_all(folder).map_err(|error| InputError::io(folder, &error))?;
        let folder = tempfile::Builder::new()
            .prefix(".tmp-")
            .tempdir_in(folder)
            .map_err(|error| InputError::io(folder, &error))?;
        let (entries, spellings) = (BTreeMap::new(), BTreeMap::new());
        Ok(TreeWriter { folder, entries, spellings, room: LARGEST_TREE })
    }

    /// A folder, and those above it.
    pub(super) fn folder(&mut self, path: &str) -> Result<(), InputError> {
        let mut above = String::new();
        for part in path.split('/') {
            check_name(path, part)?;
            if !above.is_empty() {
                above.push('/');
            }
            above.push_str(part);
            match self.entries.get(&above) {
                Some(Kind::Folder) => continue,
                Some(Kind::Leaf) => return Err(twice(&above)),
                None => {}
            }
            self.spell(&above)?;
            let place = self.folder.path().join(&above);
            fs::create_dir(&place).map_err(|error| InputError::io(&place, &error))?;
            self.entries.insert(above.clone(), Kind::Folder);
        }
        Ok(())
    }

    /// A file with what `content` gives.
    pub(super) fn file(
        &mut self,
        path: &str,
        executable: bool,
        content: &mut dyn Read,
    ) -> Result<(), InputError> {
        let place = self.leaf(path)?;
        let failed = |error: io::Error| InputError::io(&place, &error);
        let mut file = File::create_new(&place).map_err(failed)?;
        let written = io::copy(&mut content.take(self.room + 1), &mut file).map_err(failed)?;
        let too_large = || {
            let message = format!("the tree is larger than {} GiB", LARGEST_TREE >> 30);
            InputError::new("input::too-large", message, "an input is text: fetch data as packages")
        };
        self.room = self.room.checked_sub(written).ok_or_else(too_large)?;
        let mode = if executable { 0o755 } else { 0o644 };
        fs::set_permissions(&place, Permissions::from_mode(mode)).map_err(failed)
    }

    /// A symbolic link. Where it leads is looked at when it is followed.
    pub(super) fn link(&mut self, path: &str, to: &str) -> Result<(), InputError> {
        let place = self.leaf(path)?;
        symlink(to, &place).map_err(|error| InputError::io(&place, &error))
    }

    /// What is in another tree; a `.git` at its root is left out.
    pub(super) fn copy(&mut self, from: &Path) -> Result<(), InputError> {
        let mut folders = vec![String::new()];
        while let Some(folder) = folders.pop() {
            let place = from.join(&folder);
            let entries = fs::read_dir(&place).map_err(|error| InputError::io(&place, &error))?;
            for entry in entries {
                let entry = entry.map_err(|error| InputError::io(&place, &error))?;
                let name = entry.file_name().into_string().map_err(|name| {
                    let message = format!("a name is not UTF-8: {}", name.display());
                    InputError::new("input::bad-entry", message, "have it renamed")
                })?;
                let path = match folder.as_str() {
                    "" if name == super::nar::GIT_FOLDER => continue,
                    "" => name,
                    folder => format!("{folder}/{name}"),
                };
                if self.copy_entry(from, &path)? {
                    folders.push(path);
                }
            }
        }
        Ok(())
    }

    /// Copies one entry; whether it is a folder.
    fn copy_entry(&mut self, from: &Path, path: &str) -> Result<bool, InputError> {
        let place = from.join(path);
        let failed = |error: io::Error| InputError::io(&place, &error);
        let data = fs::symlink_metadata(&place).map_err(failed)?;
        if data.is_dir() {
            self.folder(path)?;
            return Ok(true);
        }
        if data.is_symlink() {
            let to = fs::read_link(&place).map_err(failed)?;
            self.link(path, &to.to_string_lossy())?;
            return Ok(false);
        }
        let executable = data.permissions().mode() & 0o100 != 0;
        let mut file = File::open(&place).map_err(failed)?;
        self.file(path, executable, &mut file)?;
        Ok(false)
    }

    /// Where the tree is while it is written.
    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Moves the tree to `to`, for good. Whoever was faster there has put the same content.
    pub(super) fn keep(self, to: &Path) -> Result<(), InputError> {
        let failed = |error: io::Error| InputError::io(to, &error);
        fs::set_permissions(self.folder.path(), Permissions::from_mode(0o755)).map_err(failed)?;
        match fs::rename(self.folder.path(), to) {
            Ok(()) => drop(self.folder.keep()),
            Err(_) if to.is_dir() => {}
            Err(error) => return Err(failed(error)),
        }
        Ok(())
    }

    /// Makes room for a leaf: its folders are there, and nothing of its name.
    fn leaf(&mut self, path: &str) -> Result<PathBuf, InputError> {
        if let Some((above, _)) = path.rsplit_once('/') {
            self.folder(above)?;
        }
        check_name(path, path.rsplit('/').next().unwrap_or(path))?;
        if self.entries.insert(path.to_owned(), Kind::Leaf).is_some() {
            return Err(twice(path));
        }
        self.spell(path)?;
        Ok(self.folder.path().join(path))
    }

    fn spell(&mut self, path: &str) -> Result<(), InputError> {
        match self.spellings.insert(path.to_lowercase(), path.to_owned()) {
            Some(other) if other != path => Err(InputError::new(
                "input::case",
                format!("`{other}` and `{path}` are one file where case does not count"),
                "the tree would differ between machines: have one of them renamed",
            )),
            _ => Ok(()),
        }
    }
}

/// Whether a part of a path may be a name in a tree.
pub(super) fn check_name(path: &str, part: &str) -> Result<(), InputError> {
    if matches!(part, "" | "." | "..") || part.contains('\0') || part.eq_ignore_ascii_case(".git") {
        return Err(InputError::new(
            "input::bad-entry",
            format!("`{path}` in it is no name of a file inside of the tree"),
            "somebody has made this to write elsewhere: do not use it",
        ));
    }
    Ok(())
}

fn twice(path: &str) -> InputError {
    InputError::new(
        "input::bad-entry",
        format!("`{path}` is in it twice, as different things"),
        "it is damaged, or made to mislead: do not use it",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn writer(folder: &tempfile::TempDir) -> TreeWriter {
        TreeWriter::new(folder.path()).expect("a tree")
    }

    #[test]
    fn nothing_leads_out() {
        let folder = tempfile::tempdir().expect("a folder");
        for path in ["../x", "a/../../x", "/x", "", "a//b", ".git/hooks/x", "a/.GIT/config"] {
            let error = writer(&folder).file(path, false, &mut &b""[..]).expect_err(path);
            assert_eq!(error.code, "input::bad-entry", "{path}");
        }
        // Neither does a link that was written before what is below it.
        let mut tree = writer(&folder);
        tree.link("a", "/tmp").expect("a link");
        let error = tree.file("a/b", false, &mut &b""[..]).expect_err("below a link");
        assert_eq!(error.to_string(), "`a` is in it twice, as different things");
    }

    #[test]
    fn names_that_differ_by_case_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut tree = writer(&folder);
        tree.file("modules/Base.nix", false, &mut &b""[..]).expect("a file");
        let error = tree.file("modules/base.nix", false, &mut &b""[..]).expect_err("another");
        assert_eq!(error.code, "input::case");
    }

    #[test]
    fn what_is_kept_is_there_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut tree = writer(&folder);
        tree.file("a/b", true, &mut &b"x"[..]).expect("a file");
        tree.keep(&folder.path().join("kept")).expect("kept");
        drop(writer(&folder));
        let names: Vec<_> = fs::read_dir(folder.path()).expect("listed").collect();
        assert_eq!(names.len(), 1);
        assert_eq!(fs::read(folder.path().join("kept/a/b")).expect("read"), b"x");
    }
}
