//! Packages at exact versions: what hosts ask for, and what `cairn.lock` answers.
//!
//! A host whose `debian.archives` has any gets the package files that the lock names. Any other host
//! takes what its own apt sources offer, as it always did.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use cairn_fetch::debian::{Archive, Asked, Cause, Keyring};
use cairn_fetch::lock::{self, Demand, Demands, Download, FILE, Lock, LockTrouble, Locked};
use cairn_fetch::{Fetch, FetchError, Wanted};
use cairn_generation::manifest::{DebianPackage, STATE_DIR};
use cairn_generation::{BlobId, Manifest, Store};
use cairn_lang::{Data, Diagnostic, FsError, Result, Root, Severity, Span, VirtualPath, World};

use super::job::Job;
use super::{Fleet, fetched};
use crate::manifest::{Draft, Places};
use crate::report::Report;

/// The archives that a suite's own options add, and no name of theirs.
const OWN: [&str; 2] = ["debian", "debian-security"];

/// What hosts ask for, and where they do.
#[derive(Clone, Debug, Default)]
pub struct Demanded {
    /// What they ask for.
    pub demands: Demands,
    places: BTreeMap<(String, Asked), Span>,
    /// Where downloads are asked for, by URL.
    downloads: BTreeMap<String, Span>,
}

/// What one host asks for.
#[derive(Default)]
struct Asks {
    debian: Option<(HostDemand, BTreeMap<Asked, Span>)>,
    downloads: Vec<(Download, Span)>,
}

/// The packages of one host.
struct HostDemand {
    part: String,
    archives: Vec<Archive>,
    asked: BTreeSet<Asked>,
    recommends: bool,
    architecture: String,
}

/// The fleet's lock; an empty one where it has none.
pub(super) fn read(world: &World) -> Result<Lock> {
    let unreadable = |message: String| {
        let message = format!("{FILE} cannot be read: {message}");
        let help = "take it back from your version control, or delete it and run `cairn lock`";
        Box::new(Diagnostic::error("lock::unreadable", Span::NONE, message).with_help(help))
    };
    let path = VirtualPath { root: Root::Fleet, path: FILE.to_owned() };
    match world.roots.read(&path) {
        Err(FsError::NotFound) => Ok(Lock::default()),
        Err(error) => Err(unreadable(error.to_string())),
        Ok(bytes) => {
            let text = String::from_utf8(bytes).map_err(|error| unreadable(error.to_string()))?;
            Lock::parse(&text).map_err(|error| unreadable(error.to_string()))
        }
    }
}

impl Fleet {
    /// What the fleet's `cairn.lock` has; nothing where there is none.
    pub fn lock(&self) -> &Lock {
        &self.lock
    }

    /// What these hosts ask for that is to be locked, and warnings.
    ///
    /// # Errors
    /// Everything that is wrong with the hosts besides their lock.
    pub fn demanded(&self, hosts: &[String]) -> std::result::Result<(Demanded, Report), Report> {
        let mut all = Demanded::default();
        let mut problems = Vec::new();
        let is_wrong = |(_, problems): &(_, Vec<Diagnostic>)| has_error(problems);
        for (asks, found) in self.each(hosts, is_wrong, asks) {
            problems.extend(found);
            if let Some((demand, places)) = asks.debian {
                problems.extend(all.add(demand, places));
            }
            for (download, span) in asks.downloads {
                all.downloads.entry(download.url.clone()).or_insert(span);
                let same = |known: &Download| known.url == download.url;
                // Where hosts have different mirrors, the first host's serve.
                if !all.demands.downloads.iter().any(same) {
                    all.demands.downloads.insert(download);
                }
            }
        }
        problems.extend(self.world.file_diagnostics());
        let report = self.report(problems);
        if report.has_errors() { Err(report) } else { Ok((all, report)) }
    }

    /// All downloads that these hosts' generations are made of, each once, and warnings.
    ///
    /// # Errors
    /// Everything that is wrong with the hosts.
    pub fn wanted(&self, hosts: &[String]) -> std::result::Result<(Vec<Wanted>, Report), Report> {
        let mut all = BTreeSet::new();
        let mut problems = Vec::new();
        let is_wrong = |(_, problems): &(_, Vec<Diagnostic>)| has_error(problems);
        for (wanted, found) in self.each(hosts, is_wrong, |job| {
            let (draft, problems) = super::check::draft(job);
            (draft.map(|draft| wanted(job, &draft)).unwrap_or_default(), problems)
        }) {
            all.extend(wanted);
            problems.extend(found);
        }
        problems.extend(self.world.file_diagnostics());
        let report = self.report(problems);
        if report.has_errors() { Err(report) } else { Ok((all.into_iter().collect(), report)) }
    }

    /// What is in the way of a lock, where the fleet asks for it.
    pub fn refused(&self, demanded: &Demanded, trouble: &LockTrouble) -> Report {
        let (code, span) = match trouble {
            LockTrouble::Packages { part, asked, trouble } => {
                let named = asked.iter().find(|one| one.name == trouble.asked);
                let place = named.and_then(|one| demanded.places.get(&(part.clone(), one.clone())));
                (code_of(&trouble.cause), place.copied().unwrap_or(Span::NONE))
            }
            LockTrouble::Archive(_) => ("lock::archive", Span::NONE),
            LockTrouble::Download { url, .. } => ("lock::download", demanded.download(url)),
            LockTrouble::Checksum { url, .. } | LockTrouble::Unlisted { url, .. } => {
                ("lock::checksum", demanded.download(url))
            }
            LockTrouble::NotLocked { .. } => ("lock::unknown-package", Span::NONE),
        };
        let error = Diagnostic::error(code, span, trouble.to_string()).with_help(trouble.help());
        self.report(vec![error])
    }
}

fn has_error(problems: &[Diagnostic]) -> bool {
    problems.iter().any(|problem| problem.severity == Severity::Error)
}

fn code_of(cause: &Cause) -> &'static str {
    match cause {
        Cause::Unknown { .. } => "package::unknown",
        Cause::Virtual { .. } => "package::virtual",
        Cause::NoSuchVersion { .. } => "package::no-such-version",
        Cause::Unmet { .. } => "package::unmet",
        Cause::Conflict { .. } => "package::conflict",
    }
}

fn asks<'w>(job: Job<'w>) -> (Asks, Vec<Diagnostic>) {
    let (draft, mut problems) = super::check::unlocked_draft(job);
    let Some(draft) = draft else { return (Asks::default(), problems) };
    let asks = || {
        let debian = of_host(job, &draft.manifest)?.map(|demand| {
            let place = |asked: &Asked| job.places().place(&["packages", "debian", &asked.name]);
            let places = demand.asked.iter().map(|one| (one.clone(), place(one))).collect();
            (demand, places)
        });
        Ok(Asks { debian, downloads: fetched::downloads(job, &draft)? })
    };
    let asks: Result<Asks> = asks();
    let asks = asks.map_err(|error| problems.push(*error));
    (asks.unwrap_or_default(), problems)
}

impl Demanded {
    /// Where a download is asked for.
    fn download(&self, url: &str) -> Span {
        self.downloads.get(url).copied().unwrap_or(Span::NONE)
    }

    fn add(&mut self, host: HostDemand, places: BTreeMap<Asked, Span>) -> Option<Diagnostic> {
        let HostDemand { part, archives, asked, recommends, architecture } = host;
        for (asked, span) in places {
            self.places.entry((part.clone(), asked)).or_insert(span);
        }
        let known = self.demands.debian.entry(part.clone());
        let demand = known.or_insert_with(|| Demand {
            architecture,
            archives: archives.clone(),
            sets: BTreeSet::new(),
        });
        demand.sets.insert((asked, recommends));
        let same = |a: &Archive, b: &Archive| {
            a.name == b.name && a.suites == b.suites && a.components == b.components
        };
        let agree = demand.archives.len() == archives.len()
            && demand.archives.iter().zip(&archives).all(|(a, b)| same(a, b));
        (!agree).then(|| {
            let message = format!("hosts of `{part}` name different suites or components");
            let help = "give `debian.archives` and `debian.components` in a group of those hosts, or \
                        archives that differ different names";
            Diagnostic::error("lock::archives-differ", Span::NONE, message).with_help(help)
        })
    }
}

/// What a host asks for; none where its own apt decides, or it asks for nothing.
fn of_host<'w>(job: Job<'w>, manifest: &Manifest) -> Result<Option<HostDemand>> {
    let data = job.config()?.data(&["debian"])?;
    let archives = archives(job, &data)?;
    let debian = &manifest.packages.debian;
    if archives.is_empty() || debian.is_empty() {
        return Ok(None);
    }
    let architecture = match fetched::platform(job)?.as_str() {
        "aarch64-linux" => "arm64",
        _ => "amd64",
    };
    let suite = data.get("suite").and_then(Data::as_str).unwrap_or_default();
    let others = archives.iter().map(|archive| archive.name.as_str());
    let others = others.filter(|name| !OWN.contains(name));
    let part =
        others.fold(format!("{suite} {architecture}"), |part, name| format!("{part} {name}"));
    let asked = debian
        .iter()
        .map(|(name, package)| Asked { name: name.clone(), version: package.version.clone() });
    Ok(Some(HostDemand {
        part,
        archives,
        asked: asked.collect(),
        recommends: matches!(data.get("recommends"), Some(Data::Bool(true))),
        architecture: architecture.to_owned(),
    }))
}

fn archives<'w>(job: Job<'w>, data: &Data) -> Result<Vec<Archive>> {
    let Some(Data::Attrs(archives)) = data.get("archives") else { return Ok(Vec::new()) };
    let blobs = job.eval().blobs();
    let mut all = Vec::new();
    for (name, archive) in archives {
        let text = |field: &str| archive.get(field).and_then(Data::as_str).unwrap_or_default();
        let texts = |field: &str| {
            let items = archive.get(field).and_then(Data::as_list).unwrap_or_default();
            items.iter().filter_map(Data::as_str).map(str::to_owned).collect::<Vec<_>>()
        };
        let keyring = text("keyring");
        let stored = keyring.strip_prefix(STATE_DIR).and_then(|rest| rest.strip_prefix("/store/"));
        let keyring = match stored.and_then(|hex| blobs.get(hex)) {
            None => Keyring::File(keyring.into()),
            Some(path) => Keyring::Bytes(job.fleet().world.roots.read(path).map_err(|error| {
                let message = format!("cannot read {path}: {error}");
                Diagnostic::error("file::unreadable", Span::NONE, message)
            })?),
        };
        all.push(Archive {
            name: name.clone(),
            url: text("url").trim_end_matches('/').to_owned(),
            suites: texts("suites"),
            components: texts("components"),
            keyring,
            check_valid_until: !matches!(archive.get("checkValidUntil"), Some(Data::Bool(false))),
        });
    }
    // Debian's own come first, as in every sources.list.
    all.sort_by_key(|archive| !OWN.contains(&archive.name.as_str()));
    Ok(all)
}

/// What of a host's packages the lock does not have.
pub(super) fn uncovered<'w>(job: Job<'w>, draft: &Draft) -> Vec<Diagnostic> {
    let demand = match of_host(job, &draft.manifest) {
        Ok(Some(demand)) => demand,
        Ok(None) => return Vec::new(),
        Err(error) => return vec![*error],
    };
    let mut demanded = Demanded::default();
    let (part, asked) = (demand.part.clone(), demand.asked.clone());
    demanded.add(demand, BTreeMap::new());
    let lock = job.fleet().lock();
    if lock::cover(lock, &demanded.demands).is_empty() {
        return Vec::new();
    }
    let known = lock.debian.get(&part);
    let locked =
        |one: &&Asked| known.is_some_and(|part| part.packages.contains_key(&lock::key(one)));
    let missing: Vec<&Asked> = asked.iter().filter(|one| !locked(one)).collect();
    let message = match missing.as_slice() {
        [] => format!("{FILE} is not about these packages of `{}` together", job.name()),
        missing => {
            let names: Vec<String> = missing.iter().map(|one| lock::key(one)).collect();
            format!("{FILE} does not have {} for {part}", names.join(", "))
        }
    };
    let first = missing.first().map_or("", |one| one.name.as_str());
    let span = job.places().place(&["packages", "debian", first]);
    let help = "run `cairn lock`, and keep the file with the fleet";
    vec![Diagnostic::error("lock::missing", span, message).with_help(help)]
}

/// The downloads of a host's generation.
fn wanted<'w>(job: Job<'w>, draft: &Draft) -> Vec<Wanted> {
    let demand = of_host(job, &draft.manifest).ok().flatten();
    let files = demand.map(|demand| files(job, &demand)).unwrap_or_default();
    let files =
        files.into_iter().map(|(_, url, locked)| Wanted { url, sha256: locked.sha256.clone() });
    fetched::wanted(job, draft).into_iter().chain(files).collect()
}

/// The package files that a host gets: name, URL, and what the lock says of it.
fn files<'w>(job: Job<'w>, demand: &HostDemand) -> Vec<(&'w str, String, &'w Locked)> {
    let keys: BTreeSet<String> = demand.asked.iter().map(lock::key).collect();
    let packages = job.fleet().lock().packages(&demand.part, &keys, demand.recommends);
    let url = |locked: &Locked| {
        let archive = demand.archives.iter().find(|archive| archive.name == locked.archive);
        let root = archive.map_or("", |archive| archive.url.as_str());
        format!("{root}/{}", locked.file.trim_start_matches("./"))
    };
    packages.into_iter().flatten().map(|(name, locked)| (name, url(locked), locked)).collect()
}

/// The part of the lock that a host's packages are in, and all that the host gets, by name; none where
/// its own apt decides, or the lock does not have them.
#[allow(clippy::type_complexity, reason = "a part, and its packages")]
pub(super) fn of<'w>(
    job: Job<'w>,
    manifest: &Manifest,
) -> Result<Option<(String, BTreeMap<&'w str, &'w Locked>)>> {
    let Some(demand) = of_host(job, manifest)? else { return Ok(None) };
    let keys: BTreeSet<String> = demand.asked.iter().map(lock::key).collect();
    let packages = job.fleet().lock().packages(&demand.part, &keys, demand.recommends);
    Ok(packages.map(|packages| (demand.part, packages.into_iter().collect())))
}

/// Puts the package files that the lock names into a manifest, and into the store.
pub(super) fn put<'w>(
    job: Job<'w>,
    manifest: &mut Manifest,
    fetch: &dyn Fetch,
    store: &Store,
) -> Vec<Diagnostic> {
    let demand = match of_host(job, manifest) {
        Ok(Some(demand)) => demand,
        Ok(None) => return Vec::new(),
        Err(error) => return vec![*error],
    };
    let files = files(job, &demand);
    let sha256 = |locked: &Locked| locked.sha256.clone();
    let all: Vec<Wanted> = files
        .iter()
        .map(|(_, url, one)| Wanted { url: url.clone(), sha256: sha256(one) })
        .collect();
    fetch.prefetch(&all);
    let asked: BTreeSet<&str> = demand.asked.iter().map(|one| one.name.as_str()).collect();
    let mut problems = Vec::new();
    for (name, url, locked) in files {
        match deb(&url, &locked.sha256, fetch, store) {
            Ok(blob) => {
                let package = DebianPackage {
                    version: Some(locked.version.clone()),
                    sha256: Some(locked.sha256.clone()),
                    blob: Some(blob),
                    dependency: !asked.contains(name),
                };
                manifest.packages.debian.insert(name.to_owned(), package);
            }
            Err((code, message, help)) => {
                let span = job.places().place(&["packages", "debian", name]);
                let message =
                    format!("the package `{name}` {} cannot be had: {message}", locked.version);
                problems.push(Diagnostic::error(code, span, message).with_help(help));
            }
        }
    }
    problems
}

type Unhad = (&'static str, String, String);

fn deb(
    url: &str,
    sha256: &str,
    fetch: &dyn Fetch,
    store: &Store,
) -> std::result::Result<BlobId, Unhad> {
    let path = fetch.fetch(url, sha256).map_err(|error| {
        let help = match &error {
            FetchError::Missing { .. } => {
                "mirrors drop a version when there is a newer one: `cairn lock --update NAME` takes \
                 that"
                    .to_owned()
            }
            FetchError::Hash { .. } => {
                "the mirror's file is not the one that was locked: take another mirror".to_owned()
            }
            error => error.help(),
        };
        ("package::fetch", error.to_string(), help)
    })?;
    let unkept = |error: &dyn std::fmt::Display| {
        let help = "check the cache's folder ($XDG_CACHE_HOME/cairn) and the disk's free space";
        ("store::unwritable", error.to_string(), help.to_owned())
    };
    let bytes = fs::read(&path).map_err(|error| unkept(&error))?;
    let id = BlobId::of(&bytes);
    store.put_unflushed(&id, &bytes[..]).map_err(|error| unkept(&error))?;
    Ok(id)
}
