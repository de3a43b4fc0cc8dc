//! The evaluation of one host, and of as much of other hosts as it asks for.
//!
//! Every host has an evaluator of its own, on a heap of its own; all those of one job run in one
//! thread. What one host reads of another is copied as plain data, part by part, so that nothing
//! is computed that nobody asked for.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use cairn_lang::modules::{
    Configuration, Layer, ModuleSource, eval_modules, eval_modules_strictly, install,
};
use cairn_lang::{
    Arena, Data, Diagnostic, Evaluator, Result, Root, Sources, Span, Symbol, Value, VirtualPath,
};

use super::Fleet;
use super::outline::FleetValue;

/// A part of a host's configuration, as another host sees it.
#[derive(Debug)]
enum Part {
    /// A set: its names.
    Set(Vec<Symbol>),
    /// Anything else, whole.
    Leaf(Data),
}

/// A host by its number, and a path in its configuration.
type Question = (usize, Vec<Symbol>);

/// A path in a configuration, on a heap: native thunks are never dropped, and may own nothing.
#[derive(Clone, Copy, Default)]
struct Path<'w>(Option<&'w Step<'w>>);

struct Step<'w> {
    up: Path<'w>,
    name: Symbol,
}

impl Path<'_> {
    fn names(self) -> Vec<Symbol> {
        let mut names = Vec::new();
        let mut here = self;
        while let Some(step) = here.0 {
            names.push(step.name);
            here = step.up;
        }
        names.reverse();
        names
    }
}

/// What hosts have told each other, for the whole fleet: an answer does not depend on who asks.
#[derive(Debug, Default)]
pub(crate) struct Answers(Mutex<BTreeMap<Question, Arc<Part>>>);

impl Answers {
    fn known(&self, question: &Question) -> Option<Arc<Part>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(question).cloned()
    }

    fn keep(&self, question: Question, part: Arc<Part>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(question, part);
    }
}

/// The heaps of a job's evaluators; those of hosts that nobody asks for stay empty.
pub(crate) struct Heaps(Vec<Arena>);

impl Heaps {
    pub(crate) fn new(fleet: &Fleet) -> Heaps {
        Heaps(fleet.outline.hosts.keys().map(|_| Arena::new()).collect())
    }
}

/// The evaluation of one host.
pub(crate) struct Job<'w> {
    fleet: &'w Fleet,
    /// The number of the host that the job is about.
    host: usize,
    nodes: Vec<Node<'w>>,
    /// Questions being answered, the innermost last.
    asked: RefCell<Vec<Question>>,
}

/// How modules become a configuration.
type EvalModules<'w> =
    fn(&'w Evaluator<'w>, &[ModuleSource<'w>], &[(Symbol, Value<'w>)]) -> Configuration<'w, 'w>;

/// A host within a job.
struct Node<'w> {
    name: &'w str,
    eval: OnceCell<Evaluator<'w>>,
    heap: &'w Arena,
    config: OnceCell<Configuration<'w, 'w>>,
    strict: OnceCell<Configuration<'w, 'w>>,
}

impl<'w> Job<'w> {
    /// A job about `host`; none where there is no such host.
    pub(crate) fn new(fleet: &'w Fleet, heaps: &'w Heaps, host: &str) -> Option<Job<'w>> {
        let names = fleet.outline.hosts.keys();
        let nodes = names.zip(&heaps.0).map(|(name, heap)| Node {
            name,
            eval: OnceCell::new(),
            heap,
            config: OnceCell::new(),
            strict: OnceCell::new(),
        });
        let nodes: Vec<_> = nodes.collect();
        let host = nodes.iter().position(|node| node.name == host)?;
        Some(Job { fleet, host, nodes, asked: RefCell::default() })
    }

    /// The host's evaluator.
    pub(crate) fn eval(&'w self) -> Result<&'w Evaluator<'w>> {
        self.evaluator(self.host)
    }

    /// The host's configuration.
    ///
    /// # Errors
    /// Whatever `cairn.nix` meets.
    pub(crate) fn config(&'w self) -> Result<&'w Configuration<'w, 'w>> {
        self.configuration(self.host)
    }

    /// The host's configuration once more: whatever depends on an error fails in it.
    ///
    /// # Errors
    /// Whatever `cairn.nix` meets.
    pub(crate) fn strict(&'w self) -> Result<&'w Configuration<'w, 'w>> {
        let node = self.node(self.host)?;
        if let Some(config) = node.strict.get() {
            return Ok(config);
        }
        let config = self.evaluate(self.host, eval_modules_strictly)?;
        Ok(node.strict.get_or_init(|| config))
    }

    /// The host's name.
    pub(crate) fn name(&'w self) -> &'w str {
        self.nodes.get(self.host).map_or("", |node| node.name)
    }

    /// What the host's evaluator takes its memory from.
    pub(crate) fn heap(&'w self) -> Option<&'w Arena> {
        self.nodes.get(self.host).map(|node| node.heap)
    }

    /// Where the fleet names the host.
    pub(crate) fn span(&'w self) -> Span {
        self.fleet.outline.hosts.get(self.name()).copied().unwrap_or(Span::NONE)
    }

    /// Where the fleet names a package of its own.
    pub(crate) fn package_span(&'w self, name: &str) -> Option<Span> {
        let eval = self.eval().ok()?;
        let packages = FleetValue::load(eval).ok()?.packages(eval).ok()??;
        packages.get_str(name).map(|attr| attr.span)
    }

    /// The texts that spans point into.
    pub(crate) fn sources(&'w self) -> &'w Sources {
        &self.fleet.world.sources
    }

    fn node(&'w self, number: usize) -> Result<&'w Node<'w>> {
        let gone = || Diagnostic::error("fleet::unknown-host", Span::NONE, "no such host");
        self.nodes.get(number).ok_or_else(|| gone().into())
    }

    fn evaluator(&'w self, number: usize) -> Result<&'w Evaluator<'w>> {
        let node = self.node(number)?;
        Ok(node.eval.get_or_init(|| {
            let eval = Evaluator::new(node.heap, &self.fleet.world);
            install(&eval);
            eval
        }))
    }

    fn configuration(&'w self, number: usize) -> Result<&'w Configuration<'w, 'w>> {
        let node = self.node(number)?;
        if let Some(config) = node.config.get() {
            return Ok(config);
        }
        let config = self.evaluate(number, eval_modules)?;
        Ok(node.config.get_or_init(|| config))
    }

    fn evaluate(&'w self, number: usize, with: EvalModules<'w>) -> Result<Configuration<'w, 'w>> {
        let name = self.node(number)?.name;
        let eval = self.evaluator(number)?;
        let fleet = FleetValue::load(eval)?;
        let modules = self.modules(eval, &fleet, name)?;
        let special = special(eval, &fleet, name, self.nodes_value(eval, number))?;
        Ok(with(eval, &modules, &special))
    }

    /// The host's modules for their declarations alone: what would be computed from the values of a
    /// host, a default for example, fails.
    ///
    /// # Errors
    /// Whatever `cairn.nix` meets.
    pub(super) fn declarations(&'w self) -> Result<Configuration<'w, 'w>> {
        let eval = self.eval()?;
        let fleet = FleetValue::load(eval)?;
        let modules = self.modules(eval, &fleet, self.name())?;
        declarations(eval, &fleet, self.name(), &modules)
    }

    /// The modules of a host, weakest layer first.
    fn modules(
        &'w self,
        eval: &'w Evaluator<'w>,
        fleet: &FleetValue<'w>,
        name: &str,
    ) -> Result<Vec<ModuleSource<'w>>> {
        let standard = VirtualPath { root: Root::Cairn, path: "default.nix".to_owned() };
        let mut modules = vec![ModuleSource::file(standard, Layer::Standard)];
        let groups: Vec<&str> = self.fleet.outline.groups_of(name).collect();
        for group in &groups {
            // One layer for all: which group comes later in the alphabet must not matter.
            if let Some(module) = fleet.group_module(eval, group)? {
                let source = (module.value.get(), Layer::Group(0));
                let at = eval.value_span(module.span);
                modules.push(ModuleSource::value(source.0, source.1, "cairn.nix", at));
            }
        }
        if let Some(module) = fleet.host(eval, name)? {
            let at = eval.value_span(module.span);
            modules.push(ModuleSource::value(module.value.get(), Layer::Host, "cairn.nix", at));
        }
        let groups = eval.list(groups.into_iter().map(|group| eval.str(group)));
        let membership = eval.attrs([("deployment", eval.attrs([("groups", groups)]))]);
        let from = "the fleet's groups";
        modules.push(ModuleSource::value(membership, Layer::Standard, from, Span::NONE));
        for setting in &self.fleet.settings {
            let value = setting.module(eval)?;
            let layer = Layer::CommandLine;
            modules.push(ModuleSource::value(value, layer, &setting.name, Span::NONE));
        }
        Ok(modules)
    }

    /// `nodes` as the job's host sees it, or as nobody's: then every configuration is a copy.
    pub(crate) fn nodes(&'w self, eval: &Evaluator<'w>, of_host: bool) -> Value<'w> {
        self.nodes_value(eval, if of_host { self.host } else { usize::MAX })
    }

    /// `nodes`: the other hosts by name, each with its `config`.
    fn nodes_value(&'w self, eval: &Evaluator<'w>, reader: usize) -> Value<'w> {
        let each = self.nodes.iter().enumerate().map(|(number, node)| {
            let config = eval.thunk(move |eval| {
                if number == reader {
                    return eval.force(self.configuration(number)?.config());
                }
                self.mirror(eval, number, Path::default())
            });
            (node.name, eval.attrs([("config", config), ("name", eval.str(node.name))]))
        });
        eval.attrs(each)
    }

    /// A part of a host's configuration, in the evaluator of whoever asks.
    fn mirror(&'w self, eval: &Evaluator<'w>, host: usize, path: Path<'w>) -> Result<Value<'w>> {
        match &*self.ask(&(host, path.names()))? {
            Part::Leaf(data) => Ok(eval.from_data(data)),
            Part::Set(names) => Ok(eval.attrs(names.iter().map(|name| {
                let below = Path(Some(eval.alloc(Step { up: path, name: *name })));
                (*name, eval.thunk(move |eval| self.mirror(eval, host, below)))
            }))),
        }
    }

    fn ask(&'w self, question: &Question) -> Result<Arc<Part>> {
        if let Some(known) = self.fleet.answers.known(question) {
            return Ok(known);
        }
        if self.asked.borrow().contains(question) {
            return Err(self.cycle(question));
        }
        let at_work = question.0 == self.host
            || self.asked.borrow().iter().any(|(host, _)| *host == question.0);
        self.asked.borrow_mut().push(question.clone());
        let part = self.answer(question);
        let part = part.map_err(|error| match error.code.as_str() {
            // A host that waits for others met itself again.
            "eval::infinite-recursion" if at_work => self.cycle(question),
            _ => error,
        });
        self.asked.borrow_mut().pop();
        let part = Arc::new(part?);
        self.fleet.answers.keep(question.clone(), part.clone());
        Ok(part)
    }

    fn answer(&'w self, (host, path): &Question) -> Result<Part> {
        let eval = self.evaluator(*host)?;
        let mut value = eval.force(self.configuration(*host)?.config())?;
        for name in path {
            value = match value {
                Value::Attrs(set) => match set.get(*name) {
                    Some(attr) => eval.force_attr(attr)?,
                    None => return Err(eval.missing(value, *name, Span::NONE)),
                },
                other => return Err(eval.missing(other, *name, Span::NONE)),
            };
        }
        match value {
            Value::Attrs(set) => Ok(Part::Set(set.sorted().iter().map(|attr| attr.name).collect())),
            value => eval.to_data(value, Span::NONE).map(Part::Leaf).map_err(|error| {
                if error.code != "eval::not-data" {
                    return error;
                }
                let place = self.told(&(*host, path.clone()));
                let message = format!("`{place}` holds a function, which stays on its own host");
                let help = "read plain data of other hosts: strings, numbers, lists and sets";
                Diagnostic::error("nodes::not-data", error.span, message).with_help(help).into()
            }),
        }
    }

    /// `nodes.a.config.x → nodes.b.config.y → nodes.a.config.x`. It is wherever the answer was
    /// asked for.
    fn cycle(&self, question: &Question) -> Box<Diagnostic> {
        let asked = self.asked.borrow();
        let others = match asked.split_last() {
            Some((last, others)) if last == question => others,
            _ => &asked[..],
        };
        // A host that computes something for itself is in the cycle without having been asked.
        let start = others.iter().position(|known| known == question).map_or(0, |own| own + 1);
        let between = others.iter().skip(start);
        let path = std::iter::once(question).chain(between).chain([question]);
        let path: Vec<_> = path.map(|question| self.told(question)).collect();
        let message = format!("hosts wait for each other: {}", path.join(" → "));
        let help = "let one of them say the value itself, or put it where both can read it";
        Diagnostic::error("nodes::cycle", Span::NONE, message).with_help(help).into()
    }

    fn told(&self, (host, path): &Question) -> String {
        let name = self.nodes.get(*host).map_or("", |node| node.name);
        let path = path.iter().map(|name| name.as_str());
        std::iter::once("config").chain(path).fold(format!("nodes.{name}"), |mut told, step| {
            told.push('.');
            told.push_str(step);
            told
        })
    }
}

/// The arguments of every module of a host.
fn special<'w>(
    eval: &'w Evaluator<'w>,
    fleet: &FleetValue<'w>,
    name: &str,
    nodes: Value<'w>,
) -> Result<Vec<(Symbol, Value<'w>)>> {
    Ok(vec![
        (Symbol::new("name"), eval.str(name)),
        (Symbol::new("nodes"), nodes),
        (Symbol::new("pkgs"), super::packages::pkgs(eval, fleet)?),
    ])
}

/// Modules for their declarations alone: no value is known in them.
pub(super) fn declarations<'w>(
    eval: &'w Evaluator<'w>,
    fleet: &FleetValue<'w>,
    name: &str,
    modules: &[ModuleSource<'w>],
) -> Result<Configuration<'w, 'w>> {
    let unknown = eval.thunk(|_| {
        let message = "a value of the configuration is not known where options are listed";
        Err(Diagnostic::error("option::undefined", Span::NONE, message).into())
    });
    let mut special = special(eval, fleet, name, unknown)?;
    special.push((Symbol::new("config"), unknown));
    Ok(eval_modules(eval, modules, &special))
}
