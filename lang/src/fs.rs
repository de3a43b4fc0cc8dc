//! What an evaluation may read: a few roots (the fleet, the standard modules, inputs), each a
//! [`FileSystem`]. Nothing else exists: no absolute path, no `..` and no symbolic link leads out.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::symbol::Symbol;

mod disk;
mod memory;

pub use disk::DiskFs;
pub use memory::MemoryFs;

/// One of the virtual roots that a path value lives under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Root {
    /// The fleet's own folder.
    Fleet,
    /// The standard modules and library, `<cairn>`.
    Cairn,
    /// A locked input, by its place in the tree of inputs, such as `common` or `common/base`. Names
    /// are few and live as long as the process: see [`Root::input`].
    Input(&'static str),
    /// A place on some machine, such as `/etc/hosts`: it can be named, never read.
    Machine,
}

impl Root {
    /// The root of the input with this name.
    pub fn input(name: &str) -> Root {
        Root::Input(Symbol::new(name).as_str())
    }
}

/// A path under a virtual root. `path` is relative, uses `/`, has no `.` or `..`, and is empty
/// for the root itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VirtualPath {
    /// The root.
    pub root: Root,
    /// The normalised path below it.
    pub path: String,
}

impl VirtualPath {
    /// A path under a root, normalised; `None` where `..` leads out of the root.
    pub fn new(root: Root, path: &str) -> Option<VirtualPath> {
        Some(VirtualPath { root, path: normalise("", path)? })
    }

    /// This path with `suffix` appended and normalised; `None` where `..` leads out of the root.
    pub fn join(&self, suffix: &str) -> Option<VirtualPath> {
        Some(VirtualPath { root: self.root, path: normalise(&self.path, suffix)? })
    }

    /// The folder that holds this path (the root's is the root).
    pub fn parent(&self) -> VirtualPath {
        let path = self.path.rsplit_once('/').map_or("", |(parent, _)| parent);
        VirtualPath { root: self.root, path: path.to_owned() }
    }

    /// The last component.
    pub fn file_name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or("")
    }
}

/// For people: relative to the fleet, `<cairn>/…`, `<name of an input>/…`, or absolute on a machine.
impl fmt::Display for VirtualPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.root {
            Root::Fleet if self.path.is_empty() => f.write_str("."),
            Root::Fleet => f.write_str(&self.path),
            Root::Cairn if self.path.is_empty() => f.write_str("<cairn>"),
            Root::Cairn => write!(f, "<cairn>/{}", self.path),
            Root::Input(name) if self.path.is_empty() => write!(f, "<{name}>"),
            Root::Input(name) => write!(f, "<{name}>/{}", self.path),
            Root::Machine => write!(f, "/{}", self.path),
        }
    }
}

fn normalise(base: &str, suffix: &str) -> Option<String> {
    let mut parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).collect();
    for part in suffix.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// An absolute path, normalised: `..` stays at the top.
fn machine_path(absolute: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in absolute.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// What a directory entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A plain file.
    Regular,
    /// A folder.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A device, socket or pipe.
    Unknown,
}

impl FileKind {
    /// Nix's word for it, as in `readDir`.
    pub fn as_str(self) -> &'static str {
        match self {
            FileKind::Regular => "regular",
            FileKind::Directory => "directory",
            FileKind::Symlink => "symlink",
            FileKind::Unknown => "unknown",
        }
    }
}

/// Why something could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FsError {
    /// There is nothing of that name.
    #[error("there is no such file")]
    NotFound,
    /// A folder was read as a file, or a device.
    #[error("it is not a plain file")]
    NotAFile,
    /// A file was listed as a folder.
    #[error("it is not a folder")]
    NotADirectory,
    /// A symbolic link leads out of the root.
    #[error("a symbolic link leads out of what may be read, to {0}")]
    Escapes(String),
    /// The path is on no root that can be read.
    #[error("it is outside of what may be read")]
    Outside,
    /// The system refused.
    #[error("{0}")]
    Io(String),
}

/// The files under one root. Paths are relative and normalised, as in [`VirtualPath`].
pub trait FileSystem: Send + Sync {
    /// A plain file's bytes.
    fn read(&self, path: &str) -> Result<Vec<u8>, FsError>;
    /// What is there, links not followed; `None` where there is nothing.
    fn kind(&self, path: &str) -> Result<Option<FileKind>, FsError>;
    /// What is there, links followed; `None` where there is nothing.
    fn resolved_kind(&self, path: &str) -> Result<Option<FileKind>, FsError> {
        self.kind(path)
    }
    /// What a symbolic link says; `None` where there is none.
    fn link_target(&self, _path: &str) -> Result<Option<String>, FsError> {
        Ok(None)
    }
    /// A folder's entries, sorted by name.
    fn list(&self, path: &str) -> Result<Vec<(String, FileKind)>, FsError>;
    /// The place on the disk, where there is one.
    fn real_path(&self, _path: &str) -> Option<PathBuf> {
        None
    }
}

/// All roots of an evaluation.
#[derive(Default)]
pub struct Roots(BTreeMap<Root, Box<dyn FileSystem>>);

impl Roots {
    /// No root: nothing can be read.
    pub fn new() -> Roots {
        Roots::default()
    }

    /// With a root.
    #[must_use]
    pub fn with(mut self, root: Root, files: impl FileSystem + 'static) -> Roots {
        self.0.insert(root, Box::new(files));
        self
    }

    fn at(&self, path: &VirtualPath) -> Result<&dyn FileSystem, FsError> {
        self.0.get(&path.root).map(|files| &**files).ok_or(FsError::Outside)
    }

    /// A plain file's bytes.
    pub fn read(&self, path: &VirtualPath) -> Result<Vec<u8>, FsError> {
        self.at(path)?.read(&path.path)
    }

    /// What is there, links not followed; `None` where there is nothing.
    pub fn kind(&self, path: &VirtualPath) -> Result<Option<FileKind>, FsError> {
        self.at(path)?.kind(&path.path)
    }

    /// What is there, links followed; `None` where there is nothing.
    pub fn resolved_kind(&self, path: &VirtualPath) -> Result<Option<FileKind>, FsError> {
        self.at(path)?.resolved_kind(&path.path)
    }

    /// What a symbolic link says; `None` where there is none.
    pub fn link_target(&self, path: &VirtualPath) -> Result<Option<String>, FsError> {
        self.at(path)?.link_target(&path.path)
    }

    /// A folder's entries, sorted by name.
    pub fn list(&self, path: &VirtualPath) -> Result<Vec<(String, FileKind)>, FsError> {
        self.at(path)?.list(&path.path)
    }

    /// The place on the disk, where there is one.
    pub fn real_path(&self, path: &VirtualPath) -> Option<PathBuf> {
        if path.root == Root::Machine {
            return Some(PathBuf::from(format!("/{}", path.path)));
        }
        self.0.get(&path.root)?.real_path(&path.path)
    }

    /// The virtual path of an absolute one: under the innermost root that contains it, else
    /// [`Root::Machine`]. Only the text is looked at.
    pub fn locate(&self, absolute: &str) -> VirtualPath {
        let path = machine_path(absolute);
        let absolute = PathBuf::from(format!("/{path}"));
        let roots = self.0.iter().filter_map(|(root, files)| {
            let folder = files.real_path("")?;
            let below = absolute.strip_prefix(&folder).ok().and_then(Path::to_str)?.to_owned();
            Some((folder.components().count(), VirtualPath { root: *root, path: below }))
        });
        let found = roots.max_by_key(|(depth, _)| *depth).map(|(_, found)| found);
        found.unwrap_or(VirtualPath { root: Root::Machine, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_under_their_root() {
        let path = VirtualPath::new(Root::Fleet, "hosts/./a//b").expect("inside");
        assert_eq!(path.to_string(), "hosts/a/b");
        assert_eq!(path.join("../../c").map(|p| p.path), Some("hosts/c".into()));
        assert_eq!(path.join("../../../../c"), None);
        assert_eq!(VirtualPath::new(Root::Fleet, ".."), None);
    }

    #[test]
    fn memory_has_folders() {
        let files = MemoryFs::new([("hosts/a.nix", "1"), ("b.nix", "2")]);
        let roots = Roots::new().with(Root::Fleet, files);
        let at = |path| VirtualPath::new(Root::Fleet, path).expect("inside");
        assert_eq!(roots.kind(&at("hosts")), Ok(Some(FileKind::Directory)));
        assert_eq!(roots.read(&at("hosts")), Err(FsError::NotAFile));
        assert_eq!(roots.read(&at("hosts/a.nix")), Ok(b"1".to_vec()));
        let expected = [("b.nix", FileKind::Regular), ("hosts", FileKind::Directory)];
        let expected = expected.map(|(name, kind)| (name.to_owned(), kind));
        assert_eq!(roots.list(&at("")), Ok(expected.to_vec()));
    }

    #[test]
    fn links_out_of_a_folder_are_refused() {
        let outside = tempfile::tempdir().expect("a folder");
        std::fs::write(outside.path().join("secret"), "s").expect("written");
        let inside = tempfile::tempdir().expect("a folder");
        std::fs::write(inside.path().join("a"), "1").expect("written");
        let link = |to: &Path, name| std::os::unix::fs::symlink(to, inside.path().join(name));
        link(&outside.path().join("secret"), "out").expect("linked");
        link(Path::new("a"), "in").expect("linked");
        let disk = DiskFs::new(inside.path()).expect("a folder");
        assert_eq!(disk.read("in"), Ok(b"1".to_vec()));
        assert!(matches!(disk.read("out"), Err(FsError::Escapes(_))));
        assert_eq!(disk.read("none"), Err(FsError::NotFound));
        assert_eq!(disk.kind("out"), Ok(Some(FileKind::Symlink)));
    }
}
