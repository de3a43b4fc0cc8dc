//! One host's options kept at hand, to look at texts while they are being written.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use cairn_fetch::Lock;
use cairn_lang::check::{Candidate, Checker, Mention, Shape, Sight, is_module};
use cairn_lang::modules::{Configuration, Layer, ModuleSource, eval_modules, install};
use cairn_lang::{
    Arena, Diagnostic, Evaluator, Features, Mode, Result, Root, Span, Symbol, Tree, VirtualPath,
    World,
};

use super::job::{Answers, Desk, Job};
use super::outline::FleetValue;
use super::typing::fleet_file;
use super::{Fleet, FleetFiles, read_outline};
use crate::report::Report;

/// How long looking at one text may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// A host's options, and what its modules are: what texts are compared with.
pub struct Study<'w> {
    fleet: &'w Fleet,
    eval: &'w Evaluator<'w>,
    heap: &'w Arena,
    config: &'w Configuration<'w, 'w>,
    /// The host; none where the options are those of the standard modules alone.
    host: Option<&'w str>,
    files: Vec<VirtualPath>,
}

/// What can be told of a text and a place in it.
#[derive(Debug, Default)]
pub struct Look {
    /// What stands there.
    pub sight: Option<Sight>,
    /// What the name there may become.
    pub candidates: Vec<Candidate>,
}

impl Fleet {
    /// A fleet to study: one that cannot be read has no hosts, and what is wrong with it is in the
    /// report. Evaluations stop when `interrupt` is set.
    pub fn load_to_study(
        files: impl Into<FleetFiles>,
        features: Features,
        interrupt: Arc<AtomicBool>,
    ) -> (Fleet, Report) {
        let FleetFiles { roots, inputs, reads } = files.into();
        let mut world = World::new(roots, Mode::Build);
        world.features = features;
        world.interrupt = interrupt;
        let (outline, mut problems) = read_outline(&world, &inputs);
        let lock = super::locked::read(&world).unwrap_or_else(|problem| {
            problems.push(*problem);
            Lock::default()
        });
        let report = Report::new(problems.clone(), world.sources.clone());
        let (settings, answers) = (Vec::new(), Answers::default());
        // One is left for whoever types.
        let threads = super::processors().saturating_sub(1).max(1);
        let fleet =
            Fleet { world, outline, settings, answers, inputs, reads, lock, problems, threads };
        (fleet, report)
    }

    /// Hands `work` the options of a host, or of the standard modules where there is no such host
    /// or it cannot be evaluated.
    pub fn study<T>(&self, host: Option<&str>, work: impl FnOnce(&Study<'_>) -> T) -> T {
        let own = Arena::new();
        let desk = Desk::new(self, &own);
        if let Some(job) = host.and_then(|host| desk.job(host))
            && let Some(study) = self.study_of(job, &own)
        {
            return work(&study);
        }
        let heap = Arena::new();
        let eval = Evaluator::new(&heap, &self.world);
        install(&eval);
        let config = self.standard_alone(&eval);
        work(&Study {
            fleet: self,
            eval: &eval,
            heap: &heap,
            config: &config,
            host: None,
            files: Vec::new(),
        })
    }

    fn study_of<'w>(&'w self, job: Job<'w>, heap: &'w Arena) -> Option<Study<'w>> {
        let (eval, config) = (job.eval(), job.config().ok()?);
        let (files, _) = eval.anew(Some(PATIENCE), || config.outline()).ok()?;
        let host = Some(job.name());
        Some(Study { fleet: self, eval, heap, config, host, files })
    }

    /// The standard modules by themselves.
    fn standard_alone<'e, 'a>(&'a self, eval: &'e Evaluator<'a>) -> Configuration<'e, 'a> {
        let standard = VirtualPath { root: Root::Cairn, path: "default.nix".to_owned() };
        let sources = [ModuleSource::file(standard, Layer::Standard)];
        let mut special = vec![
            (Symbol::new("name"), eval.str("name")),
            (Symbol::new("nodes"), eval.attrs::<&str>([])),
        ];
        let fleet = FleetValue::load(eval, &self.inputs).ok();
        let pkgs = fleet.and_then(|fleet| super::packages::pkgs(eval, &fleet).ok());
        special.extend(pkgs.map(|pkgs| (Symbol::new("pkgs"), pkgs)));
        eval_modules(eval, &sources, &special)
    }
}

impl<'w> Study<'w> {
    /// The host whose options these are; none where they are the standard modules' alone.
    pub fn host(&self) -> Option<&str> {
        self.host
    }

    /// The files that are modules of the host.
    pub fn files(&self) -> &[VirtualPath] {
        &self.files
    }

    /// How much memory looking has taken, in bytes.
    pub fn memory(&self) -> usize {
        self.heap.allocated()
    }

    /// What is wrong with a text that stands for a file, told from its syntax and types alone.
    /// `kin` are the hosts that have the same options as this one; `all` if every host has.
    pub fn check(&self, path: &VirtualPath, text: &str, kin: &[String]) -> Vec<Diagnostic> {
        let world = &self.fleet.world;
        let tree = match world.draft(path, text) {
            Ok(tree) => tree,
            Err(errors) => return errors,
        };
        let mut found = tree.problems().to_vec();
        let (shape, is_sure) = self.shape(path, &tree, kin);
        let inferred = self.eval.anew(Some(PATIENCE), || -> Result<_> {
            let checker = self.checker(path)?;
            checker.siblings("nodes", kin.len() == self.fleet.outline.hosts.len());
            checker.check_tree(tree.clone(), &shape);
            Ok(checker.finish())
        });
        // Options that the text declares itself come to be with the next evaluation.
        let declares = text.contains("mkOption") || text.contains("mkEnableOption");
        let is_known = |error: &Diagnostic| found.contains(error);
        let new = inferred.unwrap_or_default().into_iter().filter(|error| {
            // A module of other hosts may read and define what this one has not.
            let is_unsure = match error.code.as_str() {
                "option::unknown" => !is_sure || declares,
                "name::missing-attribute" => !is_sure,
                _ => false,
            };
            error.span.file == tree.file
                && !is_unsure
                && !is_known(error)
                && !self.config.is_echo(error)
        });
        let new: Vec<_> = new.collect();
        found.extend(new);
        found
    }

    /// What is at a byte of a text, which may be broken.
    pub fn look(&self, path: &VirtualPath, text: &str, offset: u32) -> Look {
        let Some(tree) = self.fleet.world.rough_draft(path, text) else { return Look::default() };
        let look = self.watched(path, tree, Some(offset), |checker| Look {
            sight: checker.sight(),
            candidates: checker.candidates(),
        });
        look.unwrap_or_default()
    }

    /// Every file of the fleet that is an expression.
    pub fn all_files(&self) -> Vec<VirtualPath> {
        crate::files::nix_files(&self.fleet.world.roots).0
    }

    /// Whether a file of the fleet, or the text that it is to have, may mention an option of this
    /// name: whoever mentions it writes the name.
    pub fn may_mention(&self, path: &VirtualPath, text: Option<&str>, name: &str) -> bool {
        let own = match text {
            Some(_) => String::new(),
            None => self.fleet.world.text(path, Span::NONE).unwrap_or_default(),
        };
        // Some names are written otherwise than they read.
        let is_plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./@".contains(&b));
        !is_plain || text.unwrap_or(&own).contains(name)
    }

    /// Every mention of an option in a file of the fleet, or in the text that it is to have.
    pub fn mentions(&self, path: &VirtualPath, text: Option<&str>) -> Vec<Mention> {
        let world = &self.fleet.world;
        let tree = match text {
            Some(text) => world.rough_draft(path, text),
            None => world.tree(path, Span::NONE).ok(),
        };
        let Some(tree) = tree else { return Vec::new() };
        self.watched(path, tree, None, |checker| checker.mentions()).unwrap_or_default()
    }

    fn watched<T>(
        &self,
        path: &VirtualPath,
        tree: Arc<Tree>,
        offset: Option<u32>,
        ask: impl FnOnce(&Checker<'_, '_>) -> T,
    ) -> Option<T> {
        let hosts: Vec<String> = self.fleet.outline.hosts.keys().cloned().collect();
        // Nothing is found wrong here: what may be a module is taken for one.
        let shape = match self.shape(path, &tree, &hosts) {
            (Shape::Any, _) if path.root == Root::Fleet => Shape::Module,
            (shape, _) => shape,
        };
        self.eval.anew(Some(PATIENCE), || {
            let checker = self.checker(path).ok()?.watching(offset);
            checker.siblings("nodes", true);
            checker.check_tree(tree, &shape);
            Some(ask(&checker))
        })
    }

    /// A checker for a file: the fleet's see its options.
    fn checker(&self, path: &VirtualPath) -> Result<Checker<'w, 'w>> {
        match path.root {
            Root::Fleet | Root::Cairn => self.config.checker(),
            _ => Ok(Checker::plain(self.eval)),
        }
    }

    /// What a file is, and whether it is known which options its definitions have.
    fn shape(&self, path: &VirtualPath, tree: &Tree, kin: &[String]) -> (Shape, bool) {
        if *path == fleet_file() {
            return (self.fleet.shape_of_fleet(kin), true);
        }
        if self.files.contains(path) {
            return (Shape::Module, true);
        }
        let is_module = path.root != Root::Machine && is_module(tree);
        (if is_module { Shape::Module } else { Shape::Any }, false)
    }
}
