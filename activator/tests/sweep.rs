//! A switch stopped before every single change of the disk, and what is left of it afterwards.
//!
//! The node is a folder. It is looked at from outside: what stands at each path, through links.

// The lints count helper functions of a test as a library's.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::rc::Rc;

use cairn_activator::disk::{Disk, Fault};
use cairn_activator::system::Listing;
use cairn_activator::{Failure, Node, silent};
use cairn_generation::manifest::{Content, File, Method, Unit};
use cairn_generation::wire::{Mode, Outcome, SwitchOptions};
use cairn_generation::{Manifest, Store};
use tempfile::TempDir;

/// What somebody sees: kind, mode and content at every path outside the state.
type Outside = BTreeMap<String, String>;

const HOST: [(&str, &str); 3] =
    [("etc/motd", "found motd"), ("etc/hosts", "found hosts"), ("etc/mine", "not yours")];

/// One manifest of the sweep: (path, content, method); a content `->x` is a link to x.
fn manifest(files: &[(&str, &str, Method)], units: &[&str], blobs: &Store) -> Vec<u8> {
    let mut manifest = Manifest::empty("demo");
    for (path, content, method) in files {
        let content = match content.strip_prefix("->") {
            Some(to) => Content::To(to.to_owned()),
            None => Content::Blob(blobs.put(content.as_bytes()).unwrap()),
        };
        let file = File {
            content,
            mode: "0640".to_owned(),
            user: "root".to_owned(),
            group: "root".to_owned(),
            method: *method,
        };
        manifest.files.insert((*path).to_owned(), file);
    }
    for unit in units {
        let text = Some(format!("[Service]\nExecStart=/bin/{unit}\n"));
        let wanted_by = ["multi-user.target".to_owned()].into();
        manifest.units.insert((*unit).to_owned(), Unit { text, wanted_by, ..Unit::default() });
    }
    manifest.encode().unwrap().1
}

/// A world of three generations, each with what the others lack.
struct World {
    _folder: TempDir,
    blobs: Store,
    one: Vec<u8>,
    two: Vec<u8>,
}

impl World {
    fn new() -> Self {
        let folder = folder();
        let blobs = Store::open(folder.path()).unwrap();
        let one = manifest(
            &[
                ("/etc/motd", "motd one", Method::Link),
                ("/etc/hosts", "hosts one", Method::Copy),
                ("/etc/app/deep/a", "a one", Method::Link),
                ("/etc/app/b", "b one", Method::Copy),
                ("/etc/turns", "turns one", Method::Link),
                ("/etc/localtime", "->../usr/share/zoneinfo/UTC", Method::Copy),
            ],
            &["a.service"],
            &blobs,
        );
        let two = manifest(
            &[
                ("/etc/hosts", "hosts two", Method::Copy),
                ("/etc/app/deep/a", "a two", Method::Link),
                ("/etc/app/c", "c two", Method::Link),
                ("/etc/turns", "turns two", Method::Copy),
                ("/opt/new/d", "d two", Method::Copy),
            ],
            &["b.service"],
            &blobs,
        );
        Self { _folder: folder, blobs, one, two }
    }

    fn host(&self) -> TempDir {
        let root = folder();
        fs::create_dir(root.path().join("etc")).unwrap();
        for (path, content) in HOST {
            fs::write(root.path().join(path), content).unwrap();
            let mode = fs::Permissions::from_mode(0o644);
            fs::set_permissions(root.path().join(path), mode).unwrap();
        }
        root
    }

    fn run(&self, root: &Path, disk: Disk, step: Step) -> Result<Outcome, Failure> {
        let mut node = Node::new(root, disk, Box::new(Listing));
        match step {
            Step::One => node.switch(&self.one, &self.blobs, &options(Mode::Switch), &mut silent),
            Step::Two => node.switch(&self.two, &self.blobs, &options(Mode::Switch), &mut silent),
            Step::TestTwo => node.switch(&self.two, &self.blobs, &options(Mode::Test), &mut silent),
            Step::Back => node.rollback(None, &options(Mode::Switch), &mut silent),
            Step::Zero => node.rollback(Some("0"), &options(Mode::Switch), &mut silent),
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    One,
    Two,
    TestTwo,
    Back,
    Zero,
}

/// In memory where there is such a file system: the sweep flushes thousands of times.
fn folder() -> TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

fn options(mode: Mode) -> SwitchOptions {
    SwitchOptions {
        mode,
        nonce: None,
        confirm_timeout: 1,
        adopt: ["/etc/motd".to_owned(), "/etc/hosts".to_owned()].into(),
        deployer: "sweep@test".to_owned(),
    }
}

fn outside(root: &Path) -> Outside {
    let mut seen = Outside::new();
    walk(root, root, &mut seen);
    seen
}

fn walk(root: &Path, folder: &Path, seen: &mut Outside) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        if name == "var" {
            continue;
        }
        let metadata = fs::symlink_metadata(&path).unwrap();
        if metadata.is_dir() {
            seen.insert(name, "folder".to_owned());
            walk(root, &path, seen);
            continue;
        }
        let kind = if metadata.is_symlink() { "link" } else { "file" };
        let what = match (fs::metadata(&path), fs::read(&path)) {
            (Ok(metadata), Ok(content)) => {
                let mode = metadata.permissions().mode() & 0o7777;
                format!("{kind} {mode:o} {}", String::from_utf8_lossy(&content))
            }
            _ => format!("{kind} to {}", fs::read_link(&path).unwrap().display()),
        };
        seen.insert(name, what);
    }
}

/// Runs `before` whole, then `last` stopped before its N-th change of the disk, for every N.
fn sweep(before: &[Step], last: Step, once: bool) -> (u64, u64, u64) {
    let world = World::new();
    let prepared = || {
        let root = world.host();
        for step in before {
            world.run(root.path(), Disk::default(), *step).unwrap();
        }
        root
    };
    let fault = |remaining, once| {
        Rc::new(Fault { remaining: Cell::new(remaining), once, struck: Cell::new(false) })
    };
    let root = prepared();
    let old = outside(root.path());
    let counter = fault(u64::MAX, false);
    world.run(root.path(), Disk::with_fault(counter.clone()), last).unwrap();
    let new = outside(root.path());
    assert_ne!(old, new);
    let (points, mut olds, mut news) = (u64::MAX - counter.remaining.get(), 0, 0);
    for point in 0..points {
        let root = prepared();
        let result = world.run(root.path(), Disk::with_fault(fault(point, once)), last);
        if once {
            // The switch itself must have gone back, and must say truly which it is.
            let seen = outside(root.path());
            match &result {
                Ok(_) => assert_eq!(seen, new, "point {point}"),
                Err(failure) => {
                    assert!(failure.unchanged, "point {point}: {failure}");
                    assert_eq!(seen, old, "point {point}: {failure}");
                }
            }
        } else {
            // The recovery is killed as well, in three places, before one is let through.
            for stop in [point % 3, 3 + point % 7, 11 + point % 13] {
                let mut node =
                    Node::new(root.path(), Disk::with_fault(fault(stop, false)), Box::new(Listing));
                let _ = node.recover(&mut silent);
            }
        }
        let mut node = Node::at_root(root.path()).unwrap();
        node.recover(&mut silent).unwrap_or_else(|error| panic!("point {point}: {error}"));
        let seen = outside(root.path());
        let status = node.status().unwrap();
        assert!(!status.switching && status.drift.is_empty(), "point {point}: {status:?}");
        if seen == old {
            olds += 1;
        } else {
            assert_eq!(seen, new, "point {point} of {points}");
            news += 1;
        }
        // Whatever happened, the same switch comes to its end now, and then has nothing to do.
        if !matches!(last, Step::Back) {
            world.run(root.path(), Disk::default(), last).unwrap();
            assert_eq!(outside(root.path()), new, "point {point}");
            assert!(!world.run(root.path(), Disk::default(), last).unwrap().changed);
        }
    }
    (points, olds, news)
}

fn report(name: &str, (points, old, new): (u64, u64, u64)) {
    println!("{name}: {points} points tried, {old} old, {new} new, 0 mixed");
    assert!(old > 0 && new > 0, "{name}: {points} points, {old} old, {new} new");
}

#[test]
fn killed_anywhere_in_a_first_switch() {
    report("first", sweep(&[], Step::One, false));
}

#[test]
fn killed_anywhere_in_a_change() {
    report("change", sweep(&[Step::One], Step::Two, false));
}

#[test]
fn killed_anywhere_in_a_rollback() {
    report("rollback", sweep(&[Step::One, Step::Two], Step::Back, false));
}

#[test]
fn killed_anywhere_in_a_removal() {
    report("removal", sweep(&[Step::One, Step::Two], Step::Zero, false));
}

#[test]
fn killed_anywhere_in_a_test() {
    report("test", sweep(&[Step::One], Step::TestTwo, false));
}

#[test]
fn a_full_disk_anywhere() {
    report("first", sweep(&[], Step::One, true));
    report("change", sweep(&[Step::One], Step::Two, true));
    report("rollback", sweep(&[Step::One, Step::Two], Step::Back, true));
}

#[test]
fn rollback_zero_leaves_the_host_as_found() {
    let world = World::new();
    let root = world.host();
    let found = outside(root.path());
    for step in [Step::One, Step::Two, Step::Back, Step::Two, Step::Zero] {
        world.run(root.path(), Disk::default(), step).unwrap();
    }
    assert_eq!(outside(root.path()), found);
}
