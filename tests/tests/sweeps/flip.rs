//! How many system calls of a switch change what a host shows at managed paths, and which.

use std::fs;
use std::path::Path;
use std::process::Command;

use cairn_generation::manifest::Method;
use cairn_tests::strace::{self, Call, Injection};
use cairn_tests::{Case, outside};
use tempfile::TempDir;

use crate::world::{Name, Order, World, folder, lay_out_host, node};

pub(crate) const CASES: &[Case] = &[
    ("300 files change with one system call", one_call),
    ("copies, and links that come or go, have calls of their own", other_calls),
];

/// How many files change at once.
const MANY: usize = 300;

/// A switch of the folder `root`, traced: the calls that changed the disk, each with its line.
struct Trace {
    log: String,
}

impl Trace {
    fn of(world: &World, root: &Path, order: Order) -> Self {
        let place = folder();
        let log = place.path().join("log");
        let traced = strace::traced(&log, node()).args(world.words(root, order)).output().unwrap();
        assert!(traced.status.success(), "{traced:?}");
        Self { log: fs::read_to_string(log).unwrap() }
    }

    fn changes(&self, root: &Path) -> Vec<(Call, &str)> {
        let root = root.to_str().unwrap();
        let of_root = |path: &str| path.starts_with(root);
        let changes = strace::changing_lines(&self.log, of_root);
        changes.into_iter().filter(|(_, line)| line.contains(root)).collect()
    }

    /// Those that changed what the host shows: where each stands among all, and what it changed.
    fn visible(&self, root: &Path) -> Vec<(usize, String)> {
        let changes = self.changes(root).into_iter().enumerate();
        changes
            .filter(|(_, (call, line))| !call.name.contains("sync") && !line.contains(" = -1 "))
            .filter_map(|(at, (call, line))| {
                // The last path is the one that is another afterwards.
                let path = line.rsplit('"').nth(1)?.strip_prefix(root.to_str()?)?;
                let is_shown = !path.starts_with("/var/lib/cairn") && !path.ends_with(".cairn-new");
                (is_shown || path == "/var/lib/cairn/current")
                    .then(|| (at, format!("{} {path}", call.name)))
            })
            .collect()
    }
}

fn copied(host: &Path) -> TempDir {
    let trial = folder();
    let to = trial.path().join("root");
    assert!(Command::new("cp").arg("-a").arg(host).arg(to).status().unwrap().success());
    trial
}

fn one_call() {
    let files = |version: &str| -> Vec<(String, String)> {
        let file = |number| (format!("/etc/many/{number}"), format!("{version} {number}"));
        (0..MANY).map(file).collect()
    };
    let (one, two) = (files("one"), files("two"));
    let [one, two] = [&one, &two].map(|files| {
        let files = files.iter().map(|(path, text)| (path.as_str(), text.as_str(), Method::Link));
        files.collect::<Vec<_>>()
    });
    let (world, host) = (World::of(&one, &two), folder());
    let host = host.path().join("root");
    lay_out_host(&host);
    world.must(&host, Order::Switch(Name::One));
    // The units that come with the world's generations come and go; its files change.
    let shown = |root: &Path| -> Vec<String> {
        let seen = outside(root).into_iter();
        seen.filter(|(path, _)| path.starts_with("etc/many/")).map(|(_, what)| what).collect()
    };
    let old = shown(&host);

    let trial = copied(&host);
    let root = trial.path().join("root");
    let order = Order::Switch(Name::Two);
    let trace = Trace::of(&world, &root, order);
    let new = shown(&root);
    let changed = old.iter().zip(&new).filter(|(old, new)| old != new).count();
    assert_eq!((old.len(), new.len(), changed), (MANY, MANY, MANY));

    let visible = trace.visible(&root);
    let of_files: Vec<&(usize, String)> =
        visible.iter().filter(|(_, what)| !what.contains("/etc/systemd/")).collect();
    let [(flip, what)] = of_files[..] else { panic!("{of_files:?}") };
    assert_eq!(what, "rename /var/lib/cairn/current");
    // Killed before that call, and before the next one, with nobody to recover.
    let changes = trace.changes(&root);
    for (at, expected) in [(*flip, &old), (flip + 1, &new)] {
        let trial = copied(&host);
        let root = trial.path().join("root");
        let mut killed = strace::injected(&changes[at].0, Injection::Kill, node());
        let _ = killed.args(world.words(&root, order)).output().unwrap();
        assert_eq!(shown(&root), *expected, "killed at {}", changes[at].1);
    }
    println!(
        "{changed} of {MANY} files changed with {} of {} calls that change the disk: {what}",
        of_files.len(),
        changes.len()
    );
}

fn other_calls() {
    let (world, host) = (World::new(), folder());
    let root = host.path().join("root");
    lay_out_host(&root);
    world.must(&root, Order::Switch(Name::One));
    let trace = Trace::of(&world, &root, Order::Switch(Name::Two));
    let calls: Vec<String> = trace.visible(&root).into_iter().map(|(_, what)| what).collect();
    let expected = [
        // Links that lead nowhere yet.
        "symlink /etc/app/c",
        "symlink /etc/systemd/system/b.service",
        "symlink /etc/systemd/system/cairn.target.wants/b.service",
        // Copies, one after another.
        "rename /etc/hosts",
        "rename /etc/turns",
        "mkdir /opt",
        "chmod /opt",
        "mkdir /opt/new",
        "chmod /opt/new",
        "rename /opt/new/d",
        // All that links show, an adopted original that comes back among it.
        "rename /var/lib/cairn/current",
        // Copies that go, and links that lead nowhere any more, or to what takes their place.
        "unlink /etc/app/b",
        "unlink /etc/localtime",
        "rename /etc/motd",
        "unlink /etc/systemd/system/a.service",
        "unlink /etc/systemd/system/cairn.target.wants/a.service",
        "rename /var/lib/cairn/current",
    ];
    assert_eq!(calls, expected);
}
