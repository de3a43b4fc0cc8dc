//! What the sweeps switch: a folder with files of its own, and generations that each have what the
//! others lack.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use cairn_generation::manifest::{self, Content, FetchedPackage, Method, Unit};
use cairn_generation::{Manifest, Store};
use tempfile::TempDir;

/// The host as found.
const HOST: [(&str, &str); 3] =
    [("etc/motd", "found motd"), ("etc/hosts", "found hosts"), ("etc/mine", "not yours")];

/// One thing that is asked of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Switch(Name),
    Test(Name),
    Rollback(u64),
    Gc(u32),
    Recover,
}

/// A generation of the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name {
    One,
    Two,
}

/// A managed file: its path, what it holds (`->x` is a link to x), and how it stands there.
pub(crate) type File<'a> = (&'a str, &'a str, Method);

/// The manifests, and the blobs of whoever deploys them.
pub(crate) struct World {
    folder: TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::of(
            &[
                ("/etc/motd", "motd one", Method::Link),
                ("/etc/hosts", "hosts one", Method::Copy),
                ("/etc/app/deep/a", "a one", Method::Link),
                ("/etc/app/b", "b one", Method::Copy),
                ("/etc/turns", "turns one", Method::Link),
                ("/etc/localtime", "->../usr/share/zoneinfo/UTC", Method::Copy),
            ],
            &[
                ("/etc/hosts", "hosts two", Method::Copy),
                ("/etc/app/deep/a", "a two", Method::Link),
                ("/etc/app/c", "c two", Method::Link),
                ("/etc/turns", "turns two", Method::Copy),
                ("/opt/new/d", "d two", Method::Copy),
            ],
        )
    }

    /// Two generations with these files, and a unit and a program each.
    pub(crate) fn of(one: &[File<'_>], two: &[File<'_>]) -> Self {
        let world = Self { folder: folder() };
        let blobs = Store::open(world.blobs()).unwrap();
        let one = manifest(one, "a.service", &blobs);
        let two = manifest(two, "b.service", &blobs);
        fs::write(world.manifest(Name::One), one).unwrap();
        fs::write(world.manifest(Name::Two), two).unwrap();
        world
    }

    pub(crate) fn blobs(&self) -> PathBuf {
        self.folder.path().join("blobs")
    }

    /// The folder with the manifests and the blobs.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn manifest(&self, name: Name) -> PathBuf {
        self.folder.path().join(match name {
            Name::One => "one.json",
            Name::Two => "two.json",
        })
    }

    /// What the program `node` is given to carry out `order` on the folder `root`.
    pub(crate) fn words(&self, root: &Path, order: Order) -> Vec<String> {
        let rest = match order {
            Order::Switch(name) => vec!["switch".to_owned(), path(&self.manifest(name))],
            Order::Test(name) => vec!["test".to_owned(), path(&self.manifest(name))],
            Order::Rollback(number) => vec!["rollback".to_owned(), number.to_string()],
            Order::Gc(keep) => vec!["gc".to_owned(), keep.to_string()],
            Order::Recover => vec!["recover".to_owned()],
        };
        [path(root), path(&self.blobs())].into_iter().chain(rest).collect()
    }

    /// Carries out `order`, which must succeed.
    pub(crate) fn must(&self, root: &Path, order: Order) {
        let output = Command::new(node()).args(self.words(root, order)).output().unwrap();
        assert!(output.status.success(), "{order:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// The program that switches a folder.
pub(crate) fn node() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_node"))
}

fn path(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

/// Lays the host as found out in `root`, which is made.
pub(crate) fn lay_out_host(root: &Path) {
    fs::create_dir_all(root.join("etc")).unwrap();
    for (path, content) in HOST {
        fs::write(root.join(path), content).unwrap();
        fs::set_permissions(root.join(path), fs::Permissions::from_mode(0o644)).unwrap();
    }
}

/// In memory where there is such a file system: the sweeps flush thousands of times.
pub(crate) fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

/// A manifest of these files, one unit and one fetched program.
fn manifest(files: &[File<'_>], unit: &str, blobs: &Store) -> Vec<u8> {
    let mut manifest = Manifest::empty("demo");
    for (path, content, method) in files {
        let content = match content.strip_prefix("->") {
            Some(to) => Content::To(to.to_owned()),
            None => Content::Blob(blobs.put(content.as_bytes()).unwrap()),
        };
        let file = manifest::File {
            content,
            mode: "0640".to_owned(),
            user: "root".to_owned(),
            group: "root".to_owned(),
            method: *method,
        };
        manifest.files.insert((*path).to_owned(), file);
    }
    let text = Some(format!("[Service]\nExecStart=/bin/{unit}\n"));
    let wanted_by = ["multi-user.target".to_owned()].into();
    manifest.units.insert(unit.to_owned(), Unit { text, wanted_by, ..Unit::default() });
    let program = blobs.put(format!("#!/bin/sh\necho {unit}\n").as_bytes()).unwrap();
    let package = FetchedPackage {
        folder: format!("{}-tool", blake3::hash(unit.as_bytes())),
        version: None,
        sha256: "0".repeat(64),
        bin: [("tool".to_owned(), program)].into(),
        files: std::collections::BTreeMap::new(),
    };
    manifest.packages.fetched.insert("tool".to_owned(), package);
    manifest.encode().unwrap().1
}
