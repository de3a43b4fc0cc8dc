//! A switch stopped at every system call that changes the disk: by a kill, or by an error.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output};

use cairn_activator::Node;
use cairn_tests::strace::{self, Call, Injection};
use cairn_tests::{Case, Outside, outside};
use tempfile::TempDir;

use crate::world::{Name, Order, World, folder, lay_out_host, node};

pub(crate) const CASES: &[Case] = &[
    ("killed anywhere in a first switch", || killed("first", FIRST)),
    ("killed anywhere in a change", || killed("change", CHANGE)),
    ("killed anywhere in a removal", || killed("removal", REMOVAL)),
    ("killed anywhere in a rollback", || killed("rollback", ROLLBACK)),
    ("killed anywhere in a test", || killed("test", TEST)),
    ("refused anything in a first switch", || refused("first", FIRST)),
    ("refused anything in a change", || refused("change", CHANGE)),
    ("refused anything in a removal", || refused("removal", REMOVAL)),
    ("refused anything in a rollback", || refused("rollback", ROLLBACK)),
];

/// What is done before, and what is stopped.
type Course = (&'static [Order], Order);

const FIRST: Course = (&[], Order::Switch(Name::One));
const CHANGE: Course = (&[Order::Switch(Name::One)], Order::Switch(Name::Two));
const REMOVAL: Course = (&[Order::Switch(Name::One), Order::Switch(Name::Two)], Order::Rollback(0));
const ROLLBACK: Course =
    (&[Order::Switch(Name::One), Order::Switch(Name::Two)], Order::Rollback(1));
const TEST: Course = (&[Order::Switch(Name::One)], Order::Test(Name::Two));

/// A host about to be switched, and what it looks like before and after.
struct Sweep {
    world: World,
    host: TempDir,
    order: Order,
    old: Outside,
    new: Outside,
    calls: Vec<Call>,
}

impl Sweep {
    fn new((before, order): Course) -> Self {
        let (world, host) = (World::new(), folder());
        let root = host.path().join("root");
        lay_out_host(&root);
        before.iter().for_each(|order| world.must(&root, *order));
        let old = outside(&root);
        let mut sweep = Self { world, host, order, old, new: Outside::new(), calls: Vec::new() };
        let trial = sweep.trial();
        let log = trial.path().join("log");
        let root = trial.path().join("root");
        let traced = strace::traced(&log, node())
            .args(sweep.world.words(&root, order))
            .output()
            .expect("strace starts");
        assert!(traced.status.success(), "{traced:?}");
        sweep.new = outside(&root);
        assert_ne!(sweep.old, sweep.new);
        if order == Order::Rollback(0) {
            let found = folder();
            lay_out_host(found.path());
            assert_eq!(sweep.new, outside(found.path()), "the host as found");
        }
        let log = fs::read_to_string(log).unwrap();
        let looked_at = trial.path().to_str().unwrap();
        sweep.calls = strace::changes(&log, |path| path.starts_with(looked_at));
        assert!(sweep.calls.len() > 50, "{:?}", sweep.calls);
        sweep
    }

    /// The host once more.
    fn trial(&self) -> TempDir {
        let trial = folder();
        let copied = Command::new("cp")
            .arg("-a")
            .args([self.host.path().join("root"), trial.path().join("root")])
            .status();
        assert!(copied.unwrap().success());
        trial
    }

    fn run(&self, root: &Path, order: Order, at: &Call, injection: Injection) -> Output {
        let mut command = strace::injected(at, injection, node());
        command.args(self.world.words(root, order)).output().unwrap()
    }

    /// Stopped anywhere, and recovered by nobody yet: what is read through links is of one generation.
    fn links_are_of_one(&self, root: &Path, at: &str) {
        let seen = outside(root);
        let read = |seen: &Outside| -> BTreeMap<String, String> {
            let paths = self.old.keys().chain(self.new.keys());
            let paths = paths.filter(|path| !COPIES.contains(&path.as_str()));
            paths.filter_map(|path| Some((path.clone(), readable(seen.get(path)?)?))).collect()
        };
        let found = read(&seen);
        assert!(
            found == read(&self.old) || found == read(&self.new),
            "{at}: mixed before recovery:\n{found:#?}"
        );
    }

    /// Whether the host is in the new generation; it must be wholly in one of the two, and say so.
    fn is_new(&self, root: &Path, at: &str) -> bool {
        let seen = outside(root);
        let node = Node::at_root(root).unwrap();
        let status = node.status().unwrap();
        assert!(!status.switching && status.drift.is_empty(), "{at}: {status:?}");
        assert!(seen == self.old || seen == self.new, "{at}: mixed:\n{seen:#?}");
        let last = node.history().unwrap().entries.pop();
        let ends = last.map_or(0, |entry| match entry.outcome.as_str() {
            "rolled back" | "unchanged" => entry.from,
            _ => entry.to,
        });
        assert_eq!(ends, status.generation, "{at}: history");
        seen == self.new
    }

    /// Whatever happened: the same order is carried out now, has then nothing to do, and leaves no
    /// litter.
    fn comes_to_its_end(&self, root: &Path, at: &str) {
        self.world.must(root, self.order);
        assert!(self.is_new(root, at), "{at}: the next try");
        self.world.must(root, Order::Gc(10));
        let state = root.join("var/lib/cairn");
        for folder in ["", "store", "generations"] {
            for entry in fs::read_dir(state.join(folder)).unwrap() {
                let name = entry.unwrap().file_name();
                assert!(!name.to_string_lossy().starts_with('.'), "{at}: {folder}/{name:?} stays");
            }
        }
    }
}

/// What is no link in one of the world's generations.
const COPIES: &[&str] = &["etc/hosts", "etc/app/b", "etc/turns", "etc/localtime", "opt/new/d"];

/// What whoever opens a path reads there; nothing where there is no file, or a link to none.
fn readable(what: &str) -> Option<String> {
    let (kind, rest) = what.split_once(' ')?;
    (kind == "file" || !rest.starts_with("to ")).then(|| rest.to_owned())
}

fn killed(name: &str, course: Course) {
    let sweep = Sweep::new(course);
    let (mut old, mut new) = (0, 0);
    for (index, call) in sweep.calls.iter().enumerate() {
        let trial = sweep.trial();
        let root = trial.path().join("root");
        let ended = sweep.run(&root, sweep.order, call, Injection::Kill);
        assert_eq!(ended.status.signal(), Some(9), "{call}: {ended:?}");
        sweep.links_are_of_one(&root, &format!("{name}, killed at {call}"));
        // Any command ends the switch.
        let end = if index % 2 == 0 { Order::Recover } else { Order::Gc(10) };
        let mut at = format!("{name}, killed at {call}");
        if index % 4 < 2 {
            // It may be killed as well, somewhere.
            let again = &sweep.calls[index * 7919 % sweep.calls.len()];
            let _ = sweep.run(&root, end, again, Injection::Kill);
            at = format!("{at}, then at {again} of {end:?}");
            sweep.links_are_of_one(&root, &at);
        }
        sweep.world.must(&root, end);
        if sweep.is_new(&root, &at) {
            new += 1;
        } else {
            old += 1;
        }
        sweep.comes_to_its_end(&root, &at);
    }
    println!("{name}: {} points tried, {old} old, {new} new, 0 mixed", old + new);
    assert!(old > 0 && new > 0);
}

/// Errors of a disk, with the words for them.
const ERRORS: [(&str, &str); 3] = [
    ("ENOSPC", "No space left on device"),
    ("EIO", "Input/output error"),
    ("EROFS", "Read-only file system"),
];

fn refused(name: &str, course: Course) {
    let sweep = Sweep::new(course);
    let errors = crate::depth(1, ERRORS.len());
    let (mut old, mut new) = (0, 0);
    for (index, call) in sweep.calls.iter().enumerate() {
        for (which, (error, words)) in ERRORS.into_iter().enumerate() {
            if (index + which) % ERRORS.len() >= errors {
                continue;
            }
            let at = format!("{name}, {error} at {call}");
            let trial = sweep.trial();
            let root = trial.path().join("root");
            let ended = sweep.run(&root, sweep.order, call, Injection::Error(error));
            let said = String::from_utf8_lossy(&ended.stderr);
            match ended.status.code() {
                // Nothing that matters: it was tried in another way, or is only tidying up.
                Some(0) => {
                    assert!(sweep.is_new(&root, &at), "{at}: it says that it is done");
                    new += 1;
                }
                Some(3) => {
                    assert!(!sweep.is_new(&root, &at), "{at}: it says that it went back: {said}");
                    assert!(said.contains(words), "{at}: {said}");
                    old += 1;
                }
                _ => panic!("{at}: {:?}: {said}", ended.status),
            }
            sweep.comes_to_its_end(&root, &at);
        }
    }
    println!("{name}: {} points tried, {old} old, {new} new, 0 mixed", old + new);
    assert!(old > 0);
}
