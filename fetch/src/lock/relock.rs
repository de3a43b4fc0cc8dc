//! From what a fleet asks for, and what was locked before, to a new lock.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::Timestamp;

use super::{FLEET, Fetched, Lock, Locked, Part, Set, Suites, key};
use crate::cache::in_parallel;
use crate::debian::{Archive, ArchiveError, Asked, Index, Snapshot, Solution, Trouble, solve};
use crate::{Cache, FetchError, Mirrors};

/// What hosts of one suite and architecture ask for.
#[derive(Clone, Debug, Default)]
pub struct Demand {
    /// Debian's word for the architecture.
    pub architecture: String,
    /// The archives that the packages come from.
    pub archives: Vec<Archive>,
    /// Packages that hosts ask for together, and whether recommended ones come along.
    pub sets: BTreeSet<(BTreeSet<Asked>, bool)>,
}

/// A download without a hash of its own in the fleet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Download {
    /// Where its publisher has it.
    pub url: String,
    /// The publisher's list of hashes, lines of `sha256sum`.
    pub checksums: Option<String>,
    /// Where both are downloaded from instead.
    pub mirrors: Mirrors,
}

/// All that a fleet asks for.
#[derive(Clone, Debug, Default)]
pub struct Demands {
    /// Debian packages by part of the lock (`bookworm amd64`).
    pub debian: BTreeMap<String, Demand>,
    /// Downloads.
    pub downloads: BTreeSet<Download>,
}

/// Which versions may move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Update {
    /// None that can stay.
    Missing,
    /// All.
    All,
    /// Those of these packages, and what must move with them.
    Names(BTreeSet<String>),
}

/// What changed in a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The part (`bookworm amd64`); none for a download.
    pub part: Option<String>,
    /// The package, or the URL.
    pub name: String,
    /// The version or hash before.
    pub from: Option<String>,
    /// The version or hash now.
    pub to: Option<String>,
}

/// Why a fleet cannot be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockTrouble {
    /// An archive cannot be used.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// What hosts ask for cannot be had together.
    #[error("{trouble}")]
    Packages {
        /// The part.
        part: String,
        /// What was asked for together.
        asked: BTreeSet<Asked>,
        /// What is in the way.
        trouble: Box<Trouble>,
    },
    /// A download cannot be had.
    #[error("{error}")]
    Download {
        /// Its URL.
        url: String,
        /// Why not.
        error: FetchError,
    },
    /// A download is not what its publisher says.
    #[error("`{url}` has the SHA-256 {found}, but {list} says {expected}")]
    Checksum {
        /// Its URL.
        url: String,
        /// The publisher's list.
        list: String,
        /// The hash in it.
        expected: String,
        /// The hash of what came.
        found: String,
    },
    /// The publisher's list does not have it.
    #[error("{list} has no hash of `{url}`")]
    Unlisted {
        /// Its URL.
        url: String,
        /// The publisher's list.
        list: String,
    },
    /// A name to be updated that is not in the lock.
    #[error("no package `{name}` is locked")]
    NotLocked {
        /// The name.
        name: String,
    },
}

impl LockTrouble {
    /// What to do.
    pub fn help(&self) -> String {
        match self {
            LockTrouble::Archive(error) => error.help(),
            LockTrouble::Packages { trouble, .. } => trouble.help(),
            LockTrouble::Download { error, .. } => error.help(),
            LockTrouble::Checksum { .. } => {
                "the download is not the one that was published: do not use it".to_owned()
            }
            LockTrouble::Unlisted { .. } => {
                "check `checksums`, or give the `hash` in the fleet".to_owned()
            }
            LockTrouble::NotLocked { .. } => {
                "name a package that cairn.lock has; `cairn lock` adds what the fleet asks for"
                    .to_owned()
            }
        }
    }
}

/// What of the demands a lock does not have: parts, with what is asked for together there, and URLs.
pub fn cover(lock: &Lock, demands: &Demands) -> Vec<String> {
    let mut missing = Vec::new();
    for (name, demand) in &demands.debian {
        let part = lock.debian.get(name);
        for (asked, recommends) in &demand.sets {
            let keys: BTreeSet<String> = asked.iter().map(key).collect();
            if !part.is_some_and(|part| has(part, demand, &keys, *recommends)) {
                let keys: Vec<_> = keys.into_iter().collect();
                missing.push(format!("{name}: {}", keys.join(" ")));
            }
        }
    }
    let urls = demands.downloads.iter().map(|one| &one.url);
    missing.extend(urls.filter(|url| !lock.fetched.contains_key(*url)).cloned());
    missing
}

fn has(part: &Part, demand: &Demand, asked: &BTreeSet<String>, recommends: bool) -> bool {
    let named = |archive: &Archive| {
        part.archives.get(&archive.name).is_some_and(|known| {
            let suites: BTreeSet<&String> = archive.suites.iter().collect();
            known.suites.keys().collect::<BTreeSet<_>>() == suites
                && known.components == archive.components
        })
    };
    part.archives.len() == demand.archives.len()
        && demand.archives.iter().all(named)
        && part.sets.iter().any(|set| set.asked == *asked && set.recommends == recommends)
}

/// Locks all that is asked for, and says what changed. What the old lock has of it stays as it is,
/// but for what `update` names and for versions that the archives have no more. Where the old lock has
/// everything, no network is used.
///
/// `told` hears of every piece of a download that arrives, by its length.
///
/// # Errors
/// When something cannot be had, or not be believed. The old lock is whole then.
pub fn relock(
    cache: &Cache,
    old: &Lock,
    demands: &Demands,
    update: &Update,
    now: Timestamp,
    told: &(dyn Fn(u64) + Sync),
) -> Result<(Lock, Vec<Move>), LockTrouble> {
    if let Update::Names(names) = update {
        let locked = |name: &&String| {
            let parts = old.debian.values();
            !parts.flat_map(|part| part.packages.keys()).any(|key| super::name_of(key) == *name)
        };
        if let Some(name) = names.iter().find(locked) {
            return Err(LockTrouble::NotLocked { name: name.clone() });
        }
    }
    let mut new = Lock { inputs: old.inputs.clone(), ..Lock::default() };
    for (name, demand) in &demands.debian {
        let before = old.debian.get(name);
        let keys = |asked: &BTreeSet<Asked>| asked.iter().map(key).collect::<BTreeSet<_>>();
        let covers =
            |part: &Part| demand.sets.iter().all(|(asked, r)| has(part, demand, &keys(asked), *r));
        let part = match before {
            Some(part) if *update == Update::Missing && covers(part) => pruned(part, demand),
            _ => lock_part(cache, name, before, demand, update, now)?,
        };
        new.debian.insert(name.clone(), part);
    }
    let known = |one: &&Download| old.fetched.contains_key(&one.url);
    let (known, unknown): (Vec<&Download>, Vec<&Download>) =
        demands.downloads.iter().partition(known);
    for Download { url, .. } in known {
        new.fetched.extend(old.fetched.get(url).map(|known| (url.clone(), known.clone())));
    }
    let locked = in_parallel(&unknown, |download| lock_download(cache, download, told));
    for (download, fetched) in unknown.iter().zip(locked) {
        new.fetched.insert(download.url.clone(), fetched?);
    }
    let moves = moves(old, &new);
    Ok((new, moves))
}

/// A part without what nobody asks for any more.
fn pruned(part: &Part, demand: &Demand) -> Part {
    let wanted: BTreeSet<(BTreeSet<String>, bool)> =
        demand.sets.iter().map(|(asked, r)| (asked.iter().map(key).collect(), *r)).collect();
    let mut part = part.clone();
    part.sets.retain(|set| wanted.contains(&(set.asked.clone(), set.recommends)));
    let asked: BTreeSet<&String> = part.sets.iter().flat_map(|set| &set.asked).collect();
    let used: BTreeSet<&String> =
        part.sets.iter().flat_map(|set| set.asked.iter().chain(&set.brings)).collect();
    part.packages.retain(|name, _| used.contains(name));
    for (name, package) in &mut part.packages {
        package
            .why
            .retain(|why| if why == FLEET { asked.contains(name) } else { used.contains(why) });
    }
    part
}

fn lock_part(
    cache: &Cache,
    name: &str,
    before: Option<&Part>,
    demand: &Demand,
    update: &Update,
    now: Timestamp,
) -> Result<Part, LockTrouble> {
    let snapshot = Snapshot::load(cache, &demand.archives, &demand.architecture, now)?;
    let index = snapshot.index();
    let mut held = held(before, update);
    let solutions = loop {
        match solve_all(&index, demand, &held) {
            Ok(solutions) => break solutions,
            Err((asked, trouble)) => {
                // What stays where it was may be what is in the way: then it moves.
                let before = held.len();
                for name in trouble.involved() {
                    held.remove(&name);
                }
                if held.len() == before {
                    let (part, asked) = (name.to_owned(), asked.clone());
                    return Err(LockTrouble::Packages { part, asked, trouble });
                }
            }
        }
    };
    let mut part = Part { archives: suites(demand, &snapshot), ..Part::default() };
    for ((asked, recommends), solution) in demand.sets.iter().zip(&solutions) {
        add(&mut part, &snapshot, asked, *recommends, solution);
    }
    part.sets.sort();
    Ok(part)
}

/// Versions that stay if they can, by package.
fn held(before: Option<&Part>, update: &Update) -> BTreeMap<String, String> {
    let stays = |name: &str| match update {
        Update::Missing => true,
        Update::All => false,
        Update::Names(names) => !names.contains(name),
    };
    // Those that the fleet names say their version themselves.
    let packages = before.into_iter().flat_map(|part| &part.packages);
    packages
        .filter(|(key, _)| !key.contains('=') && stays(key))
        .map(|(key, package)| (key.clone(), package.version.clone()))
        .collect()
}

type Unsolved<'d> = (&'d BTreeSet<Asked>, Box<Trouble>);

fn solve_all<'i, 't, 'd>(
    index: &'i Index<'t>,
    demand: &'d Demand,
    held: &BTreeMap<String, String>,
) -> Result<Vec<Solution<'i, 't>>, Unsolved<'d>> {
    let one = |(asked, recommends): &'d (BTreeSet<Asked>, bool)| {
        let list: Vec<Asked> = asked.iter().cloned().collect();
        solve(index, &list, held, *recommends).map_err(|trouble| (asked, trouble))
    };
    demand.sets.iter().map(one).collect()
}

fn suites(demand: &Demand, snapshot: &Snapshot) -> BTreeMap<String, Suites> {
    let mut archives: BTreeMap<String, Suites> = BTreeMap::new();
    for archive in &demand.archives {
        let components = archive.components.clone();
        archives.insert(archive.name.clone(), Suites { components, ..Suites::default() });
    }
    for origin in &snapshot.origins {
        if let Some(archive) = archives.get_mut(&origin.archive) {
            let date = origin.date.clone().unwrap_or_default();
            archive.suites.insert(origin.suite.clone(), date);
        }
    }
    archives
}

fn add(
    part: &mut Part,
    snapshot: &Snapshot,
    asked: &BTreeSet<Asked>,
    recommends: bool,
    solution: &Solution<'_, '_>,
) {
    let asked: BTreeMap<&str, String> =
        asked.iter().map(|one| (one.name.as_str(), key(one))).collect();
    let keyed = |name: &str| asked.get(name).cloned().unwrap_or_else(|| name.to_owned());
    let mut set =
        Set { asked: asked.values().cloned().collect(), recommends, brings: BTreeSet::new() };
    for (name, chosen) in &solution.packages {
        let key = keyed(name);
        let release = chosen.release;
        let archive = snapshot.origin(release).map(|origin| origin.archive.clone());
        let locked = part.packages.entry(key.clone()).or_insert_with(|| Locked {
            version: release.version.to_owned(),
            archive: archive.unwrap_or_default(),
            file: release.file.to_owned(),
            sha256: release.sha256.to_ascii_lowercase(),
            size: release.size,
            why: BTreeSet::new(),
        });
        locked.why.extend(chosen.needed_by.iter().map(|name| keyed(name)));
        if chosen.asked {
            locked.why.insert(FLEET.to_owned());
        } else {
            set.brings.insert(key);
        }
    }
    part.sets.push(set);
}

fn lock_download(
    cache: &Cache,
    download: &Download,
    told: &(dyn Fn(u64) + Sync),
) -> Result<Fetched, LockTrouble> {
    let Download { url, checksums, mirrors } = download;
    let failed = |error| LockTrouble::Download { url: url.clone(), error };
    let (_, sha256) = cache.fetch_unknown(&mirrors.place(url), told).map_err(failed)?;
    let Some(list) = checksums else {
        return Ok(Fetched { sha256, checked: "first use".to_owned() });
    };
    let text = cache.read_now(&mirrors.place(list)).map_err(failed)?;
    let (url, list) = (url.clone(), list.clone());
    match listed(&String::from_utf8_lossy(&text), &url) {
        None => Err(LockTrouble::Unlisted { url, list }),
        Some(expected) if expected != sha256 => {
            Err(LockTrouble::Checksum { url, list, expected, found: sha256 })
        }
        Some(_) => Ok(Fetched { sha256, checked: list }),
    }
}

/// The hash that a list of `sha256sum` has for a URL's file; a list of one hash alone is about it.
fn listed(list: &str, url: &str) -> Option<String> {
    let is_hash = |word: &str| word.len() == 64 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let name = Path::new(url).file_name()?.to_str()?.replace("%2B", "+").replace("%2b", "+");
    let lines = list.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let lines: Vec<Vec<&str>> = lines.filter(|words| !words.is_empty()).collect();
    if let [line] = lines.as_slice()
        && let [hash] = line.as_slice()
        && is_hash(hash)
    {
        return Some(hash.to_ascii_lowercase());
    }
    lines.iter().find_map(|words| {
        let [hash, file, ..] = words.as_slice() else { return None };
        let file = file.trim_start_matches('*');
        let file = file.rsplit_once('/').map_or(file, |(_, file)| file);
        (is_hash(hash) && file == name).then(|| hash.to_ascii_lowercase())
    })
}

fn moves(old: &Lock, new: &Lock) -> Vec<Move> {
    let mut moves = Vec::new();
    let parts: BTreeSet<&String> = old.debian.keys().chain(new.debian.keys()).collect();
    for part in parts {
        let versions = |lock: &Lock| {
            let packages = lock.debian.get(part).into_iter().flat_map(|part| part.packages.clone());
            packages.map(|(key, one)| (key, one.version)).collect::<BTreeMap<_, _>>()
        };
        compare(Some(part), &versions(old), &versions(new), &mut moves);
    }
    let hashes = |lock: &Lock| {
        let fetched = lock.fetched.iter();
        fetched.map(|(url, one)| (url.clone(), one.sha256.clone())).collect::<BTreeMap<_, _>>()
    };
    compare(None, &hashes(old), &hashes(new), &mut moves);
    moves
}

fn compare(
    part: Option<&String>,
    old: &BTreeMap<String, String>,
    new: &BTreeMap<String, String>,
    moves: &mut Vec<Move>,
) {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        let (from, to) = (old.get(name), new.get(name));
        if from != to {
            let (from, to) = (from.cloned(), to.cloned());
            moves.push(Move { part: part.cloned(), name: name.clone(), from, to });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_hashes() {
        let (a, b) = ("a".repeat(64), "B".repeat(64));
        let list = format!("{a}  k3s-images.txt\n{b} *./dist/k3s\n");
        let url = "https://e.example/v1%2Bk3s1/k3s";
        assert_eq!(listed(&list, url), Some("b".repeat(64)));
        assert_eq!(listed(&list, "https://e.example/k9s"), None);
        assert_eq!(listed(&format!("{a}\n"), url), Some(a.clone()));
        assert_eq!(listed("no hash", url), None);
    }
}
