//! A fleet: its files, its hosts and groups, and what can be asked of them.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use cairn_fetch::Lock;
use cairn_fetch::input::Inputs;
use cairn_lang::{
    Arena, Diagnostic, DiskFs, Evaluator, Features, FileSystem, Mode, Root, Roots, VirtualPath,
    World, did_you_mean,
};

mod build;
mod check;
mod deployment;
mod explain;
mod explore;
mod fetched;
mod inputs;
mod job;
mod listing;
mod locked;
mod options;
mod outline;
pub(crate) mod packages;
mod places;
mod readers;
mod settings;
mod study;
mod templates;
mod typing;
mod values;
mod verify;
mod why;

pub use build::Built;
pub use deployment::{Adopt, Deployment};
pub use explore::Names;
pub use listing::{Offer, Origin};
pub use locked::Demanded;
pub use options::FleetOption;
pub use study::{Look, Study};
pub use templates::{Template, templates};
pub use typing::Kin;
pub use values::{OptionValue, OptionValues};
pub use verify::Unlock;
pub use why::{Chain, Source, Why};

use crate::reads::{Noted, Reads};
use crate::report::Report;
use crate::standard::standard_modules;
use job::{Answers, Desk, Job};
use outline::{FleetValue, Outline};
use settings::Setting;

/// A desk with more bytes on it is cleared: what hosts share is worth no more memory than this.
const DESK: usize = 64 << 20;

/// What the last host on a desk may take besides before its heap needs a second piece.
const HOST: usize = 8 << 20;

/// A fleet that has been read: names are known, no host has been evaluated.
pub struct Fleet {
    world: World,
    outline: Outline,
    settings: Vec<Setting>,
    answers: Answers,
    inputs: Inputs,
    reads: Reads,
    lock: Lock,
    /// What is wrong with the fleet itself, besides its hosts.
    problems: Vec<Diagnostic>,
    /// How many hosts are evaluated at once.
    threads: usize,
}

/// What a fleet is read from: its own files, the standard modules, and its inputs.
pub struct FleetFiles {
    roots: Roots,
    inputs: Inputs,
    reads: Reads,
}

impl<F: FileSystem + 'static> From<F> for FleetFiles {
    fn from(files: F) -> FleetFiles {
        let reads = Reads::default();
        let files = Noted { files, reads: reads.clone() };
        let roots = Roots::new().with(Root::Fleet, files).with(Root::Cairn, standard_modules());
        FleetFiles { roots, inputs: Inputs::default(), reads }
    }
}

impl FleetFiles {
    /// The same with these inputs.
    ///
    /// # Errors
    /// When the folder of one cannot be read.
    pub fn with_inputs(mut self, inputs: Inputs) -> std::io::Result<FleetFiles> {
        for (name, input) in &inputs.all {
            self.roots = self.roots.with(Root::input(name), DiskFs::new(&input.tree)?);
        }
        self.inputs = inputs;
        Ok(self)
    }
}

/// Why hosts cannot be chosen.
#[derive(Debug)]
pub enum SelectError {
    /// Something was asked for that no host is.
    Unknown {
        /// What was asked for.
        wanted: String,
        /// What to do.
        help: String,
    },
    /// Tags are options, and these hosts cannot be evaluated.
    Report(Report),
}

impl Fleet {
    /// Reads the fleet in `files`, whose root holds `cairn.nix`. `settings` are those of `--set`,
    /// `path=expression` each.
    ///
    /// # Errors
    /// When `cairn.nix`, or a setting, is not what it should be.
    pub fn load(
        files: impl Into<FleetFiles>,
        settings: &[String],
        features: Features,
    ) -> Result<Fleet, Report> {
        let fleet = Fleet::load_to_check(files, settings, features)?;
        if !fleet.problems.is_empty() {
            return Err(Report::new(fleet.problems, fleet.world.sources));
        }
        Ok(fleet)
    }

    /// As [`Fleet::load`], for [`Fleet::check`] alone: a mistake in the fleet itself, such as a
    /// group that names a host which does not exist, hides nothing of its hosts.
    ///
    /// # Errors
    /// When no host can be known, or a setting is not what it should be.
    pub fn load_to_check(
        files: impl Into<FleetFiles>,
        settings: &[String],
        features: Features,
    ) -> Result<Fleet, Report> {
        let FleetFiles { roots, inputs, reads } = files.into();
        let mut world = World::new(roots, Mode::Build);
        world.features = features;
        let settings = settings::parse(&world, settings)
            .map_err(|problems| Report::new(problems, world.sources.clone()))?;
        let (outline, mut problems) = read_outline(&world, &inputs);
        let lock = locked::read(&world);
        problems.extend(lock.as_ref().err().map(|problem| (**problem).clone()));
        if !problems.is_empty() && outline.hosts.is_empty() {
            return Err(Report::new(problems, world.sources));
        }
        Ok(Fleet {
            world,
            outline,
            settings,
            answers: Answers::default(),
            inputs,
            reads,
            lock: lock.unwrap_or_default(),
            problems,
            threads: processors(),
        })
    }

    /// The fleet's description of itself.
    pub fn description(&self) -> Option<&str> {
        self.outline.description.as_deref()
    }

    /// The folder that the fleet is read from, where it lies on a disk.
    pub fn folder(&self) -> Option<PathBuf> {
        self.world.roots.real_path(&VirtualPath { root: Root::Fleet, path: String::new() })
    }

    /// The fleet's own files that have been read until now, by their path in its folder.
    pub fn files_read(&self) -> Vec<String> {
        self.reads.paths()
    }

    /// The names of all hosts, in the order of the alphabet.
    pub fn hosts(&self) -> Vec<String> {
        self.outline.hosts.keys().cloned().collect()
    }

    /// The hosts that `wanted` names: each is a host, or `@` with a group or tag. Each host once,
    /// in the order of the alphabet.
    ///
    /// # Errors
    /// When one of them names nothing.
    pub fn select(&self, wanted: &[String]) -> Result<Vec<String>, SelectError> {
        let mut chosen = BTreeSet::new();
        let mut tags = None;
        for wanted in wanted {
            let Some(name) = wanted.strip_prefix('@') else {
                if !self.outline.hosts.contains_key(wanted) {
                    return Err(self.unknown_host(wanted));
                }
                chosen.insert(wanted.clone());
                continue;
            };
            if let Some(group) = self.outline.groups.get(name) {
                chosen.extend(group.hosts.iter().cloned());
                continue;
            }
            // Only now: tags cost an evaluation of every host.
            let tags = match &mut tags {
                Some(tags) => tags,
                none => none.insert(self.tags().map_err(SelectError::Report)?),
            };
            match tags.get(name) {
                Some(hosts) => chosen.extend(hosts.iter().cloned()),
                None => return Err(self.unknown_group(wanted, name, tags)),
            }
        }
        Ok(chosen.into_iter().collect())
    }

    /// The hosts of each tag.
    fn tags(&self) -> Result<BTreeMap<String, Vec<String>>, Report> {
        let mut tags: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (host, deployment) in self.deployments(&self.hosts())? {
            for tag in deployment.tags {
                tags.entry(tag).or_default().push(host.clone());
            }
        }
        Ok(tags)
    }

    fn unknown_host(&self, wanted: &str) -> SelectError {
        let hosts = self.outline.hosts.keys().map(String::as_str);
        let help = if self.outline.groups.contains_key(wanted) {
            format!("`{wanted}` is a group: write `@{wanted}`")
        } else {
            did_you_mean(wanted, hosts)
                .unwrap_or_else(|| format!("the hosts are: {}", self.hosts().join(", ")))
        };
        SelectError::Unknown { wanted: format!("no host is called `{wanted}`"), help }
    }

    fn unknown_group(
        &self,
        wanted: &str,
        name: &str,
        tags: &BTreeMap<String, Vec<String>>,
    ) -> SelectError {
        let groups = self.outline.groups.keys().chain(tags.keys());
        let known: BTreeSet<&str> = groups.map(String::as_str).collect();
        let help =
            did_you_mean(name, known.iter().copied()).unwrap_or_else(|| match known.is_empty() {
                true => "the fleet has no groups and no tags".to_owned(),
                false => format!(
                    "the groups and tags are: {}",
                    known.into_iter().map(|name| format!("@{name}")).collect::<Vec<_>>().join(", ")
                ),
            });
        SelectError::Unknown { wanted: format!("no group or tag is called `{wanted}`"), help }
    }

    /// Does `work` for each of `hosts`, on all processors, and gives the results in their order. What
    /// `is_wrong` is worked out once more at a desk of its own: an error that hosts share is told in
    /// the words of the first that met it, and which one that is must not depend on chance.
    fn each<T: Send>(
        &self,
        hosts: &[String],
        is_wrong: impl Fn(&T) -> bool + Sync,
        work: impl for<'w> Fn(Job<'w>) -> T + Sync,
    ) -> Vec<T> {
        self.each_numbered(hosts, is_wrong, |job, _| work(job))
    }

    /// As [`Fleet::each`]; the work is told which of `hosts` it is for.
    fn each_numbered<T: Send>(
        &self,
        hosts: &[String],
        is_wrong: impl Fn(&T) -> bool + Sync,
        work: impl for<'w> Fn(Job<'w>, usize) -> T + Sync,
    ) -> Vec<T> {
        let queue = Queue::new(hosts);
        let threads = self.threads.min(hosts.len());
        let one = || {
            let mut results = Vec::new();
            let mut next = queue.take();
            // In one piece that each desk uses again: fresh memory has to be cleared first.
            let mut heap = Arena::with_room(DESK + HOST);
            while next.is_some() {
                heap.reset();
                let desk = Desk::new(self, &heap);
                let mut alone = true;
                while let Some(index) = next
                    && let Some(host) = hosts.get(index)
                    && heap.used() < DESK
                {
                    let result = desk.job(host);
                    let result = result.map(|job| job.eval().anew(None, || work(job, index)));
                    let is_wrong = result.as_ref().is_some_and(&is_wrong);
                    match result {
                        // The next desk is for this host first.
                        Some(_) if is_wrong && !alone => break,
                        result => results.extend(result.map(|result| (index, result))),
                    }
                    if is_wrong {
                        next = queue.take();
                        break;
                    }
                    desk.foretell(host);
                    next = iter::from_fn(|| desk.begun())
                        .find_map(|begun| queue.take_named(begun))
                        .or_else(|| queue.take());
                    alone = false;
                }
            }
            results
        };
        let mut results = Vec::new();
        thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
            for worker in workers {
                match worker.join() {
                    Ok(part) => results.extend(part),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
        });
        results.sort_by_key(|(index, _)| *index);
        results.into_iter().map(|(_, result)| result).collect()
    }

    fn report(&self, diagnostics: Vec<Diagnostic>) -> Report {
        Report::new(diagnostics, self.world.sources.clone())
    }
}

/// Hosts that wait for somebody to evaluate them.
struct Queue<'h> {
    by_name: BTreeMap<&'h str, usize>,
    taken: Vec<AtomicBool>,
    next: AtomicUsize,
}

impl<'h> Queue<'h> {
    fn new(hosts: &'h [String]) -> Queue<'h> {
        let by_name = hosts.iter().enumerate().map(|(index, host)| (host.as_str(), index));
        let taken = hosts.iter().map(|_| AtomicBool::new(false));
        Queue { by_name: by_name.collect(), taken: taken.collect(), next: AtomicUsize::new(0) }
    }

    /// The number of the first host that nobody has taken.
    fn take(&self) -> Option<usize> {
        loop {
            let index = self.next.fetch_add(1, Ordering::Relaxed);
            if !self.taken.get(index)?.swap(true, Ordering::Relaxed) {
                return Some(index);
            }
        }
    }

    /// The number of this host, if it is there and nobody has taken it.
    fn take_named(&self, host: &str) -> Option<usize> {
        let index = *self.by_name.get(host)?;
        (!self.taken.get(index)?.swap(true, Ordering::Relaxed)).then_some(index)
    }
}

fn processors() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

fn read_outline(world: &World, inputs: &Inputs) -> (Outline, Vec<Diagnostic>) {
    let arena = Arena::new();
    let eval = Evaluator::new(&arena, world);
    cairn_lang::modules::install(&eval);
    match FleetValue::load(&eval, inputs) {
        Ok(fleet) => {
            let (outline, mut problems) = fleet.outline(&eval);
            problems.extend(world.file_diagnostics());
            (outline, problems)
        }
        Err(error) => {
            // A file that does not parse says all that is wrong with it, not only the first.
            let mut problems = world.file_diagnostics();
            if !problems.contains(&error) {
                problems.push(*error);
            }
            (Outline::default(), problems)
        }
    }
}
