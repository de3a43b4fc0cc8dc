//! Types of every file of a fleet: which files are checked against which options.
//!
//! Hosts that have the same options share them: each file is checked once for each *different* set
//! of options that it is used with, however many hosts there are.

use std::collections::BTreeMap;

use cairn_lang::check::{Checker, Shape, is_module};
use cairn_lang::modules::{Layer, ModuleSource, eval_modules};
use cairn_lang::{Arena, Diagnostic, Evaluator, Result, Root, Span, Symbol, VirtualPath};

use super::Fleet;
use super::job::Job;
use super::outline::FleetValue;

/// What one host's options are, and where its modules lie.
pub(super) struct HostOutline {
    host: String,
    files: Vec<VirtualPath>,
    options: u64,
}

/// Hosts with the same options.
#[derive(Clone, Debug, Default)]
pub struct Kin {
    /// Their names.
    pub hosts: Vec<String>,
    /// The files that are modules of one of them.
    pub files: Vec<VirtualPath>,
}

/// Which hosts have the same options.
pub(super) fn kinship(outlines: &[HostOutline]) -> BTreeMap<u64, Kin> {
    let mut kin: BTreeMap<u64, Kin> = BTreeMap::new();
    for outline in outlines {
        let kin = kin.entry(outline.options).or_default();
        kin.hosts.push(outline.host.clone());
        kin.files.extend(outline.files.iter().cloned());
    }
    for kin in kin.values_mut() {
        kin.files.sort();
        kin.files.dedup();
    }
    kin
}

impl<'w> Job<'w> {
    /// The host's outline, where its modules' structure can be known; of its modules, those that
    /// lie under `root`.
    pub(super) fn outline(self, root: Root) -> Option<HostOutline> {
        let (mut files, options) = self.config().and_then(|config| config.outline()).ok()?;
        files.retain(|file| file.root == root);
        Some(HostOutline { host: self.name().to_owned(), files, options })
    }
}

impl Fleet {
    /// Infers types for these files: modules against the options of the hosts that use them, a
    /// module that nobody uses against all that the fleet declares.
    pub(super) fn check_types(
        &self,
        files: &[VirtualPath],
        outlines: &[HostOutline],
    ) -> Vec<Diagnostic> {
        let kin = kinship(outlines);
        let used: Vec<VirtualPath> =
            kin.values().flat_map(|kin| kin.files.iter().cloned()).collect();
        // All processors share the files of one set of options.
        let parts = self.threads;
        let tasks = kin.values().flat_map(|kin| (0..parts).map(move |part| (kin, part)));
        let tasks: Vec<(&Kin, usize)> = tasks.collect();
        let first = tasks.iter().filter_map(|(kin, _)| kin.hosts.first().cloned());
        let first: Vec<_> = first.collect();
        let alike = kin.len() == 1 && outlines.len() == self.outline.hosts.len();
        let each = self.each_numbered(
            &first,
            |_| false,
            |job, number| match tasks.get(number) {
                Some((kin, part)) => self.check_kin(job, kin, (*part, parts), files, alike),
                None => (Vec::new(), Vec::new()),
            },
        );
        let (mut found, mut imported) = (Vec::new(), Vec::new());
        for (errors, files) in each {
            found.extend(errors);
            imported.extend(files);
        }
        let others = files.iter().filter(|file| !used.contains(file) && !imported.contains(file));
        let others: Vec<_> = others.cloned().collect();
        found.extend(self.check_others(&used, &others).unwrap_or_default());
        found
    }

    /// Checks one part of so many of what hosts of the same options use, and says which of `files`
    /// that imports; `alike` if all hosts have these options.
    fn check_kin<'w>(
        &self,
        job: Job<'w>,
        kin: &Kin,
        (part, parts): (usize, usize),
        files: &[VirtualPath],
        alike: bool,
    ) -> (Vec<Diagnostic>, Vec<VirtualPath>) {
        let Ok(config) = job.config() else { return Default::default() };
        let Ok(checker) = config.checker() else { return Default::default() };
        checker.siblings("nodes", alike);
        for file in kin.files.iter().skip(part).step_by(parts) {
            checker.check_file(file, &Shape::Module);
        }
        if part == 0 {
            checker.check_file(&fleet_file(), &self.shape_of_fleet(&kin.hosts));
        }
        let imported = files.iter().filter(|file| checker.imported(file)).cloned().collect();
        let mut found = checker.finish();
        found.retain(|error| !config.is_echo(error));
        (found, imported)
    }

    /// What `cairn.nix` is for these hosts: their modules are written in it, or named.
    pub(super) fn shape_of_fleet(&self, hosts: &[String]) -> Shape {
        let each = hosts.iter().map(|host| (host.clone(), Shape::Module));
        let is_theirs = |members: &[String]| members.iter().any(|host| hosts.contains(host));
        let groups = self.outline.groups.iter().filter(|(_, group)| is_theirs(&group.hosts));
        let groups = groups.map(|(name, _)| {
            (name.clone(), Shape::Fields(vec![("module".to_owned(), Shape::Module)]))
        });
        let outputs = Shape::Fields(vec![
            ("hosts".to_owned(), Shape::Fields(each.collect())),
            ("groups".to_owned(), Shape::Fields(groups.collect())),
        ]);
        Shape::Fields(vec![("outputs".to_owned(), Shape::Result(Box::new(outputs)))])
    }

    /// Checks the files that no host uses: modules against the options of all modules, used and
    /// not; anything else for itself.
    fn check_others(
        &self,
        used: &[VirtualPath],
        others: &[VirtualPath],
    ) -> Result<Vec<Diagnostic>> {
        let is_module = |path: &VirtualPath| {
            self.world.tree(path, Span::NONE).is_ok_and(|tree| is_module(&tree))
        };
        let (modules, plain): (Vec<_>, Vec<_>) =
            others.iter().cloned().partition(|path| is_module(path));
        let heap = Arena::new();
        let eval = Evaluator::new(&heap, &self.world);
        let checker = Checker::plain(&eval);
        for file in &plain {
            checker.check_file(file, &Shape::Any);
        }
        let mut found = checker.finish();
        if modules.is_empty() {
            return Ok(found);
        }
        let standard = VirtualPath { root: Root::Cairn, path: "default.nix".to_owned() };
        let mut sources = vec![ModuleSource::file(standard, Layer::Standard)];
        let all = modules.iter().chain(used);
        sources.extend(all.map(|file| ModuleSource::file(file.clone(), Layer::Host)));
        let fleet = FleetValue::load(&eval, &self.inputs)?;
        let special = [
            (Symbol::new("name"), eval.str("name")),
            (Symbol::new("nodes"), eval.attrs::<&str>([])),
            (Symbol::new("pkgs"), super::packages::pkgs(&eval, &fleet)?),
        ];
        let config = eval_modules(&eval, &sources, &special);
        let checker = config.checker()?;
        for file in &modules {
            checker.check_file(file, &Shape::Module);
        }
        found.extend(checker.finish().into_iter().filter(|error| !config.is_echo(error)));
        Ok(found)
    }
}

pub(super) fn fleet_file() -> VirtualPath {
    VirtualPath { root: Root::Fleet, path: "cairn.nix".to_owned() }
}

/// What evaluation found and what types say, each once.
pub(super) fn join(mut evaluated: Vec<Diagnostic>, inferred: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let within = |inner: Span, outer: Span| {
        inner.file == outer.file && outer.start <= inner.start && inner.end <= outer.end
    };
    // Evaluation names a call where types name the argument, perhaps by what it fails with inside.
    let area = |error: &Diagnostic| error.code.split("::").next().map(str::to_owned);
    evaluated.retain(|error| {
        let nearer = |other: &Diagnostic| {
            let alike = other.code == error.code
                || area(error).as_deref() == Some("type") && area(other) == area(error);
            alike && other.span != error.span && within(other.span, error.span)
        };
        !inferred.iter().any(nearer)
    });
    let known = |error: &Diagnostic| {
        evaluated.iter().any(|other| {
            let causes = error.related.iter().any(|(span, _)| *span == other.span);
            other.code == error.code && (other.span == error.span || causes)
        })
    };
    let new: Vec<_> = inferred.into_iter().filter(|error| !known(error)).collect();
    evaluated.extend(new);
    evaluated
}
