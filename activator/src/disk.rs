//! Every change of the disk goes through here.
//!
//! What is written under its final name is whole: a temporary name in the same folder, a flush, a
//! rename. Temporary names are derived from the final ones, so that what a kill left behind is
//! found again.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::error::{Error, io};

/// The writing side of a file system.
#[derive(Debug, Clone, Copy)]
pub struct Disk;

/// Numeric owner and group.
pub type Ids = (u32, u32);

impl Disk {
    /// Makes one folder; one that is there already is fine.
    pub fn create_dir(&self, path: &Path, mode: u32) -> Result<(), Error> {
        match fs::create_dir(path) {
            Ok(()) => fs::set_permissions(path, Permissions::from_mode(mode))
                .map_err(io("set the mode of", path)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
            Err(error) => Err(io("make the folder", path)(error)),
        }
    }

    /// Makes a folder and those above it.
    pub fn create_dirs(&self, path: &Path, mode: u32) -> Result<(), Error> {
        if path.is_dir() {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            self.create_dirs(parent, mode)?;
        }
        self.create_dir(path, mode)
    }

    /// Writes a file that nobody sees yet; whoever calls flushes the file system afterwards.
    pub fn write_new(
        &self,
        path: &Path,
        content: &[u8],
        mode: u32,
        ids: Option<Ids>,
    ) -> Result<(), Error> {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)
            .map_err(io("create", path))?;
        file.write_all(content).map_err(io("write", path))?;
        if let Some((uid, gid)) = ids {
            std::os::unix::fs::fchown(&file, Some(uid), Some(gid))
                .map_err(io("set the owner of", path))?;
        }
        // After the owner: a change of owner clears the set-id bits.
        file.set_permissions(Permissions::from_mode(mode)).map_err(io("set the mode of", path))
    }

    /// Puts a whole file at `path`, in one rename; durable when it returns.
    pub fn replace_file(
        &self,
        path: &Path,
        content: &[u8],
        mode: u32,
        ids: Option<Ids>,
    ) -> Result<(), Error> {
        let new = temporary(path);
        self.remove_file(&new)?;
        let written = self.write_new(&new, content, mode, ids).and_then(|()| {
            File::open(&new).and_then(|file| file.sync_all()).map_err(io("flush", &new))?;
            self.rename(&new, path)
        });
        if written.is_err() {
            // What is not whole is of no use to anybody.
            let _ = fs::remove_file(&new);
        }
        written?;
        self.sync_parent(path)
    }

    /// Makes a link where nothing is.
    pub fn new_link(&self, path: &Path, to: &str) -> Result<(), Error> {
        symlink(to, path).map_err(io("link", path))
    }

    /// Puts a link at `path`, in one rename, whatever file or link is there.
    pub fn replace_link(&self, path: &Path, to: &str) -> Result<(), Error> {
        let new = temporary(path);
        self.remove_file(&new)?;
        self.new_link(&new, to)?;
        self.rename(&new, path)
    }

    /// One rename(2).
    pub fn rename(&self, from: &Path, to: &Path) -> Result<(), Error> {
        fs::rename(from, to).map_err(io("rename to", to))
    }

    /// Two folders change places at once.
    pub fn exchange(&self, one: &Path, other: &Path) -> Result<(), Error> {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)
            .map_err(|error| io("exchange", other)(error.into()))
    }

    /// Removes a file or link; one that is gone already is fine.
    pub fn remove_file(&self, path: &Path) -> Result<(), Error> {
        if fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
            return Ok(());
        }
        match fs::remove_file(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other.map_err(io("remove", path)),
        }
    }

    /// Removes a folder when it is empty. Whether it is gone.
    pub fn remove_empty_dir(&self, path: &Path) -> Result<bool, Error> {
        match fs::remove_dir(path) {
            Ok(()) => Ok(true),
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound => Ok(true),
                io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::NotADirectory => Ok(false),
                _ => Err(io("remove", path)(error)),
            },
        }
    }

    /// Removes a file, or a folder with all that it holds; its folders may be read-only.
    pub fn remove_tree(&self, path: &Path) -> Result<(), Error> {
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(io("remove", path)(error)),
            Ok(metadata) if !metadata.is_dir() => return self.remove_file(path),
            Ok(_) => {}
        }
        make_writable(path).map_err(io("remove", path))?;
        fs::remove_dir_all(path).map_err(io("remove", path))
    }

    /// Sets permission bits.
    pub fn set_mode(&self, path: &Path, mode: u32) -> Result<(), Error> {
        fs::set_permissions(path, Permissions::from_mode(mode)).map_err(io("set the mode of", path))
    }

    /// Appends to a file and flushes it.
    pub fn append(&self, path: &Path, content: &[u8]) -> Result<(), Error> {
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(path)
            .map_err(io("open", path))?;
        file.write_all(content).map_err(io("append to", path))?;
        file.sync_all().map_err(io("flush", path))
    }

    /// Cuts a file to its first `length` bytes.
    pub fn truncate(&self, path: &Path, length: u64) -> Result<(), Error> {
        let file = OpenOptions::new().write(true).open(path).map_err(io("open", path))?;
        file.set_len(length).and_then(|()| file.sync_all()).map_err(io("cut", path))
    }

    /// Flushes a folder: a name in it is durable only then.
    pub fn sync_dir(&self, path: &Path) -> Result<(), Error> {
        File::open(path).and_then(|folder| folder.sync_all()).map_err(io("flush", path))
    }

    /// Flushes the folder that holds `path`.
    pub fn sync_parent(&self, path: &Path) -> Result<(), Error> {
        self.sync_dir(path.parent().unwrap_or(path))
    }

    /// Flushes the whole file system that holds `path`: one call for many files.
    pub fn sync_fs(&self, path: &Path) -> Result<(), Error> {
        let folder = File::open(path).map_err(io("flush", path))?;
        rustix::fs::syncfs(&folder).map_err(|error| io("flush", path)(error.into()))
    }
}

/// The name under which the next content of `path` is written.
///
/// It has a dot and no known suffix: sudo, cron, systemd and their like skip such names.
pub fn temporary(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".cairn-new");
    path.with_file_name(name)
}

fn make_writable(path: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(path)?;
    if !metadata.is_dir() {
        return Ok(());
    }
    if metadata.permissions().mode() & 0o700 != 0o700 {
        fs::set_permissions(path, Permissions::from_mode(0o700))?;
    }
    fs::read_dir(path)?.try_for_each(|entry| make_writable(&entry?.path()))
}
