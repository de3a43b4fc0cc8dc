//! A folder switched as if it were the root of a host, by a user who is nobody.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use cairn_tests::{Cairn, Case, Fleet, Outcome};
use tempfile::TempDir;

pub(crate) const CASES: &[Case] = &[
    ("the sample fleet, as the README runs it", sample_fleet),
    ("an edit is switched to, and rolled back", edit),
    ("a file in the way is refused", file_in_the_way),
];

const NOBODY: u32 = 65534;

/// A folder that `nobody` owns, and the command run as `nobody`, where this test is root.
struct Folder {
    keep: TempDir,
}

impl Folder {
    fn new() -> Self {
        let keep = tempfile::tempdir().unwrap();
        fs::set_permissions(keep.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let _ = chown(keep.path(), Some(NOBODY), Some(NOBODY));
        Self { keep }
    }

    fn root(&self) -> PathBuf {
        self.keep.path().join("root")
    }

    fn run(&self, fleet: &Fleet, arguments: &[&str]) -> Outcome {
        fs::set_permissions(fleet.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let root = self.root().display().to_string();
        let mut cairn =
            Cairn::new(fleet.path()).env("HOME", &self.keep.path().display().to_string());
        if fs::metadata("/proc/self")
            .is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
        {
            cairn = cairn.under(&["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]);
            cairn = cairn.copied_to(self.keep.path());
        }
        let mut words = arguments.to_vec();
        words.extend(["--into", &root]);
        cairn.run(&words)
    }
}

/// Every file below `root` that a host would see, with what it holds.
fn seen(root: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut left = vec![root.to_owned()];
    while let Some(folder) = left.pop() {
        for entry in fs::read_dir(&folder).unwrap().flatten() {
            let path = entry.path();
            let name = path.strip_prefix(root).unwrap().display().to_string();
            if name == "var/lib/cairn" {
                continue;
            }
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                left.push(path);
            } else {
                let to = fs::read_link(&path).map(|to| to.display().to_string());
                let content = fs::read(&path).map(|content| blake3::hash(&content).to_string());
                found.push((name, format!("{:?} {:?}", to.ok(), content.ok())));
            }
        }
    }
    found.sort();
    found
}

fn sample_fleet() {
    let folder = Folder::new();
    let fleet = Fleet::sample();
    let first = folder.run(&fleet, &["switch", "demo"]).ok();
    let _ = first.says(&["/etc/motd", "beacon@north.service", "start"]);
    let root = folder.root();
    let motd = fs::read_to_string(root.join("etc/motd")).unwrap();
    assert!(motd.starts_with("demo: "), "{motd}");
    let link = fs::read_link(root.join("etc/demo/limits.conf")).unwrap();
    assert!(link.is_relative(), "a link points into the folder itself: {}", link.display());
    let after_first = seen(&root);

    let second = folder.run(&fleet, &["switch", "demo", "--format", "json"]).ok();
    let done = second.json();
    assert!(done.iter().any(|line| line["changed"] == false), "{done:#?}");
    assert_eq!(seen(&root), after_first);

    let _ = folder.run(&fleet, &["rollback", "demo"]).ok();
    assert_eq!(seen(&root), [], "generation 0 was an empty folder");
}

fn edit() {
    let folder = Folder::new();
    let fleet = Fleet::sample();
    let _ = folder.run(&fleet, &["switch", "demo"]).ok();
    let before = seen(&folder.root());
    fleet.edit("hosts/demo.nix", "max-clients = 100", "max-clients = 200");
    let diff = folder.run(&fleet, &["diff", "demo"]).ok();
    let _ = diff.says(&["/etc/demo/limits.conf", "-max-clients = 100", "+max-clients = 200"]);
    let _ = folder.run(&fleet, &["switch", "demo"]).ok().says(&["/etc/demo/limits.conf"]);
    assert_ne!(seen(&folder.root()), before);
    let _ = folder.run(&fleet, &["rollback", "demo"]).ok();
    assert_eq!(seen(&folder.root()), before);
    let _ = folder.run(&fleet, &["history", "demo"]).ok().says(&["rollback"]);
}

fn file_in_the_way() {
    let folder = Folder::new();
    let fleet = Fleet::sample();
    let etc = folder.root().join("etc");
    fs::create_dir_all(&etc).unwrap();
    fs::write(etc.join("motd"), "mine\n").unwrap();
    for path in [folder.root(), etc.clone(), etc.join("motd")] {
        let _ = chown(path, Some(NOBODY), Some(NOBODY));
    }
    let before = seen(&folder.root());
    let _ = folder.run(&fleet, &["switch", "demo"]).expect(3).says(&["/etc/motd", "adopt"]);
    assert_eq!(seen(&folder.root()), before);
}
