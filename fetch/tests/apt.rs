//! The solver beside apt's own, on sets of packages drawn from the archive that this machine uses.
//!
//! `CAIRN_APT_SETS=400 cargo nextest run -E 'test(as_apt_would)'` tries more sets than a run of all
//! tests does; `CAIRN_APT_SEED` draws others.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr, reason = "a test program")]

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use cairn_fetch::debian::{Asked, Index, base, solve};

/// The same numbers every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % end
    }
}

fn run(command: &mut Command) -> Output {
    command.env("LC_ALL", "C").output().unwrap_or_else(|error| panic!("{command:?}: {error}"))
}

fn said(command: &mut Command) -> String {
    let output = run(command);
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn number(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// apt on this machine's archives, but with a state of its own.
struct Apt {
    folder: tempfile::TempDir,
}

impl Apt {
    fn new() -> Apt {
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["lists/partial", "cache/archives/partial", "state"] {
            fs::create_dir_all(folder.path().join(name)).expect("a folder");
        }
        fs::write(folder.path().join("status"), "").expect("written");
        Apt { folder }
    }

    fn get(&self, arguments: &[&str]) -> Command {
        let at = |name: &str| self.folder.path().join(name).display().to_string();
        let mut command = Command::new("apt-get");
        command
            .arg(format!("-oDir::State={}", at("state")))
            .arg(format!("-oDir::State::status={}", at("status")))
            .arg(format!("-oDir::State::lists={}", at("lists")))
            .arg(format!("-oDir::Cache={}", at("cache")))
            .args(["-oAPT::Sandbox::User=root", "-oAcquire::Languages=none"])
            // A machine may be told to keep no caches, or to load lists of files too.
            .args([
                "-oDir::Cache::pkgcache=pkgcache.bin",
                "-oDir::Cache::srcpkgcache=srcpkgcache.bin",
            ])
            .args(["-oAcquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false"])
            .args(["-oAcquire::IndexTargets::deb::DEP-11::DefaultEnabled=false"])
            .args(arguments);
        command
    }

    /// The indexes, one after the other.
    fn indexes(&self) -> Vec<String> {
        said(&mut self.get(&["update", "--quiet"]));
        let listed = said(&mut self.get(&[
            "indextargets",
            "--format",
            "$(FILENAME)",
            "Created-By: Packages",
        ]));
        let read =
            |path: &str| said(Command::new("/usr/lib/apt/apt-helper").args(["cat-file", path]));
        let texts: Vec<String> =
            listed.lines().filter(|path| Path::new(path).exists()).map(read).collect();
        assert!(!texts.is_empty(), "apt has no index of packages");
        texts
    }

    /// As if these were installed.
    fn pretend(&self, base: &BTreeMap<&str, &str>, texts: &[String]) {
        let mut status = String::new();
        for paragraph in texts.iter().flat_map(|text| text.split("\n\n")) {
            let field = |name: &str| paragraph.lines().find_map(|line| line.strip_prefix(name));
            let (name, version) = (field("Package: "), field("Version: "));
            if name.and_then(|name| base.get(name)).copied() == version && version.is_some() {
                let _ = write!(status, "{}\nStatus: install ok installed\n\n", paragraph.trim());
            }
        }
        fs::write(self.folder.path().join("status"), status).expect("written");
    }

    /// What apt would install; nothing where it refuses.
    fn simulate(&self, names: &[String]) -> Result<BTreeSet<String>, String> {
        let mut command =
            self.get(&["install", "--simulate", "--quiet", "--no-install-recommends"]);
        let output = run(command.args(names));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            return Err(text);
        }
        let inst = text.lines().filter_map(|line| line.strip_prefix("Inst "));
        let one = |line: &str| {
            let (name, rest) = line.split_once(' ')?;
            let version = rest.split_once('(')?.1.split(' ').next()?;
            Some(format!("{name}={version}"))
        };
        Ok(inst.filter_map(one).collect())
    }
}

fn has_apt() -> bool {
    Command::new("apt-get").arg("--version").output().is_ok_and(|output| output.status.success())
}

#[test]
fn as_apt_would() {
    if !has_apt() {
        eprintln!("LEFT OUT: this machine has no apt to compare with");
        return;
    }
    let apt = Apt::new();
    let texts = apt.indexes();
    let architecture = said(Command::new("dpkg").arg("--print-architecture"));
    let borrowed: Vec<&str> = texts.iter().map(String::as_str).collect();
    let index = Index::read(&borrowed, architecture.trim());
    let base: BTreeMap<&str, &str> = base(&index).map(|(name, one)| (name, one.version)).collect();
    apt.pretend(&base, &texts);
    let mut names: Vec<&str> = index.real_names().filter(|name| !base.contains_key(name)).collect();
    names.sort_unstable();
    let mut dice = Dice(number("CAIRN_APT_SEED", 7));
    let (mut agreed, mut refused, mut wrong) = (0, 0, Vec::new());
    let sets = number("CAIRN_APT_SETS", 8);
    for _ in 0..sets {
        let count = 1 + dice.below(5);
        let set: Vec<String> =
            (0..count).map(|_| names[dice.below(names.len())].to_owned()).collect();
        let asked: Vec<Asked> =
            set.iter().map(|name| Asked { name: name.clone(), version: None }).collect();
        let ours = solve(&index, &asked, &BTreeMap::new(), false).map(|solution| {
            let one = |(name, one): (&&str, &cairn_fetch::debian::Chosen<'_, '_>)| {
                format!("{name}={}", one.release.version)
            };
            solution.packages.iter().map(one).collect::<BTreeSet<_>>()
        });
        let theirs = apt.simulate(&set);
        match (theirs, ours) {
            (Ok(theirs), Ok(ours)) if theirs == ours => agreed += 1,
            (Err(_), Err(_)) => refused += 1,
            (Ok(theirs), Ok(ours)) => wrong.push(format!(
                "{set:?}\n  only apt: {:?}\n  only ours: {:?}",
                theirs.difference(&ours).collect::<Vec<_>>(),
                ours.difference(&theirs).collect::<Vec<_>>()
            )),
            (Ok(_), Err(trouble)) => wrong.push(format!("{set:?}\n  ours refuses: {trouble}")),
            (Err(said), Ok(_)) => wrong.push(format!("{set:?}\n  apt refuses: {said}")),
        }
        eprintln!("{agreed} agree, {refused} refused, {} differ: {}", wrong.len(), set.join(" "));
    }
    eprintln!("{sets} sets: {agreed} agreed, {refused} refused by both, {} differ", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
