//! /etc/passwd, group, shadow, gshadow, subuid and subgid as lines. A line that is not touched keeps its bytes.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, fcntl_lock};

use crate::disk::{Disk, temporary};
use crate::error::{Error, io};

/// The files, in the order in which they are written: a group is there before its users, and a
/// user's password before the user.
pub(crate) const FILES: [&str; 6] = ["group", "gshadow", "shadow", "subuid", "subgid", "passwd"];

/// One file's lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Table {
    lines: Vec<String>,
    /// Whether the file is there: minimal hosts have no gshadow.
    pub(crate) exists: bool,
}

impl Table {
    pub(crate) fn parse(text: &str) -> Self {
        Self { lines: text.lines().map(str::to_owned).collect(), exists: true }
    }

    pub(crate) fn text(&self) -> String {
        self.lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
    }

    /// The whole line of this name.
    pub(crate) fn line(&self, name: &str) -> Option<&str> {
        self.lines.iter().map(String::as_str).find(|line| name_of(line) == name)
    }

    /// The fields of this name's line.
    pub(crate) fn fields(&self, name: &str) -> Option<Vec<String>> {
        self.line(name).map(|line| line.split(':').map(str::to_owned).collect())
    }

    /// The number in the third field of this name's line.
    pub(crate) fn id(&self, name: &str) -> Option<u32> {
        self.fields(name)?.get(2)?.parse().ok()
    }

    /// The name whose line has this number.
    pub(crate) fn name_of_id(&self, id: u32) -> Option<&str> {
        let id = id.to_string();
        let line = self.lines.iter().find(|line| line.split(':').nth(2) == Some(&id))?;
        Some(name_of(line))
    }

    /// Replaces the name's line, or adds one at the end.
    pub(crate) fn set(&mut self, line: String) {
        let name = name_of(&line).to_owned();
        match self.lines.iter_mut().find(|old| name_of(old) == name) {
            Some(old) => *old = line,
            None => self.lines.push(line),
        }
    }

    /// Where nobody has a line any more, there is no file.
    pub(crate) fn drop_if_empty(&mut self) {
        self.exists &= !self.lines.is_empty();
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.lines.retain(|line| name_of(line) != name);
    }

    /// Every line, whosever it is.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }

    /// Every line of this name.
    pub(crate) fn lines_of(&self, name: &str) -> impl Iterator<Item = &str> {
        self.lines().filter(move |line| name_of(line) == name)
    }

    /// Replaces the name's lines one after another, each where it stood; more are added at the end.
    pub(crate) fn set_all(&mut self, name: &str, lines: &[String]) {
        let mut new = lines.iter();
        self.lines.retain_mut(|line| {
            if name_of(line) != name {
                return true;
            }
            match new.next() {
                Some(new) => line.clone_from(new),
                None => return false,
            }
            true
        });
        self.lines.extend(new.cloned());
        self.exists |= !lines.is_empty();
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(|line| name_of(line)).filter(|name| !name.is_empty())
    }
}

fn name_of(line: &str) -> &str {
    line.split(':').next().unwrap_or("")
}

/// All the files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Database {
    pub(crate) passwd: Table,
    pub(crate) shadow: Table,
    pub(crate) group: Table,
    pub(crate) gshadow: Table,
    pub(crate) subuid: Table,
    pub(crate) subgid: Table,
}

impl Database {
    /// Reads the host's files.
    pub(crate) fn read(etc: &Path) -> Result<Self, Error> {
        let mut database = Self::default();
        for name in FILES {
            let path = etc.join(name);
            match fs::read_to_string(&path) {
                Ok(text) => *database.table(name) = Table::parse(&text),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(io("read", &path)(error)),
            }
        }
        Ok(database)
    }

    pub(crate) fn table(&mut self, name: &str) -> &mut Table {
        match name {
            "passwd" => &mut self.passwd,
            "shadow" => &mut self.shadow,
            "group" => &mut self.group,
            "subuid" => &mut self.subuid,
            "subgid" => &mut self.subgid,
            _ => &mut self.gshadow,
        }
    }

    /// The line that `<file>:<name>` stands for.
    pub(crate) fn line(&mut self, key: &str) -> Option<String> {
        let (file, name) = key.split_once(':')?;
        self.table(file).line(name).map(str::to_owned)
    }

    /// Writes files that differ from `before`, each in one rename, with their modes and owners.
    pub(crate) fn write(
        &mut self,
        before: &mut Self,
        disk: &Disk,
        etc: &Path,
    ) -> Result<(), Error> {
        for name in FILES {
            let table = self.table(name).clone();
            let path = etc.join(name);
            if table == *before.table(name) {
                // What a kill may have left.
                disk.remove_file(&temporary(&path))?;
                continue;
            }
            if !table.exists {
                disk.remove_file(&path)?;
                continue;
            }
            let (mode, ids) = match fs::metadata(&path) {
                Ok(found) => {
                    (found.permissions().mode() & 0o7777, Some((found.uid(), found.gid())))
                }
                Err(_) if name.starts_with("sub") => (0o644, None),
                Err(_) => (0o640, None),
            };
            disk.replace_file(&path, table.text().as_bytes(), mode, ids)?;
        }
        Ok(())
    }
}

/// The lock that passwd, useradd and vipw take: lckpwdf(3).
pub(crate) struct Locked {
    _file: fs::File,
}

impl Locked {
    pub(crate) fn take(etc: &Path) -> Result<Self, Error> {
        let path: PathBuf = etc.join(".pwd.lock");
        let file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(io("open", &path))?;
        for _ in 0..150 {
            match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Self { _file: file }),
                Err(rustix::io::Errno::ACCESS | rustix::io::Errno::AGAIN) => {
                    std::thread::sleep(std::time::Duration::from_millis(100));
                }
                Err(error) => return Err(io("lock", &path)(error.into())),
            }
        }
        Err(Error::refused(
            "another program has locked /etc/passwd for 15 s; end it (passwd, vipw, useradd) and try again",
        ))
    }
}
