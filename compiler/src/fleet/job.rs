//! The evaluation of one host, and of as much of other hosts as it asks for.
//!
//! A thread evaluates hosts one after the other at a [`Desk`], where they share what does not depend
//! on the host: files, the library, options' declarations. What one host reads of another is copied
//! as plain data, part by part, so that nothing is computed that nobody asked for.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, VecDeque};
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

/// Of so many paths one host's answers are noted before anybody asks: where a host reads a path of
/// another, it mostly reads it of all.
const FORETOLD: usize = 32;

/// What hosts, by their numbers, have at one path.
type ByHost = BTreeMap<usize, Arc<Part>>;

/// What hosts have told each other, for the whole fleet, by the path that was asked for: an answer
/// does not depend on who asks.
#[derive(Debug, Default)]
pub(crate) struct Answers(Mutex<BTreeMap<Vec<Symbol>, ByHost>>);

impl Answers {
    fn known(&self, (host, path): &Question) -> Option<Arc<Part>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(path)?.get(host).cloned()
    }

    fn keep(&self, (host, path): Question, part: Arc<Part>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(path).or_default().insert(host, part);
    }

    /// Paths that were asked of hosts, but not of this one.
    fn open(&self, host: usize) -> Vec<Vec<Symbol>> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let open = all.iter().take(FORETOLD).filter(|(_, answers)| !answers.contains_key(&host));
        open.map(|(path, _)| path.clone()).collect()
    }
}

/// What evaluations of several hosts share, one after the other in one thread: a heap, and with it
/// whatever does not depend on the host. What comes of a host is the same as if it were alone: one
/// with an error is evaluated once more at a desk of its own, see [`Fleet::each`].
pub(crate) struct Desk<'w> {
    fleet: &'w Fleet,
    eval: Evaluator<'w>,
    value: OnceCell<FleetValue<'w>>,
    pkgs: OnceCell<Value<'w>>,
    /// `nodes`, every host's configuration as a copy.
    copies: OnceCell<Value<'w>>,
    nodes: Vec<Node<'w>>,
    /// The number of the host whose job is under way.
    at_work: Cell<usize>,
    /// How many jobs there were.
    jobs: Cell<usize>,
    /// Hosts that were begun here because others read them.
    begun: RefCell<VecDeque<usize>>,
    /// Questions being answered, the innermost last.
    asked: RefCell<Vec<Question>>,
}

/// The evaluation of one host.
#[derive(Clone, Copy)]
pub(crate) struct Job<'w> {
    desk: &'w Desk<'w>,
    /// The number of the host that the job is about.
    host: usize,
}

/// How modules become a configuration.
type EvalModules<'w> =
    fn(&'w Evaluator<'w>, &[ModuleSource<'w>], &[(Symbol, Value<'w>)]) -> Configuration<'w, 'w>;

/// A host at a desk.
struct Node<'w> {
    name: &'w str,
    config: OnceCell<Configuration<'w, 'w>>,
    strict: OnceCell<Configuration<'w, 'w>>,
}

impl<'w> Desk<'w> {
    /// A desk with nothing on it, all of whose values will lie on `heap`.
    pub(crate) fn new(fleet: &'w Fleet, heap: &'w Arena) -> Desk<'w> {
        let eval = Evaluator::new(heap, &fleet.world);
        install(&eval);
        let nodes = fleet.outline.hosts.keys().map(|name| Node {
            name,
            config: OnceCell::new(),
            strict: OnceCell::new(),
        });
        Desk {
            fleet,
            eval,
            value: OnceCell::new(),
            pkgs: OnceCell::new(),
            copies: OnceCell::new(),
            nodes: nodes.collect(),
            at_work: Cell::new(usize::MAX),
            jobs: Cell::new(0),
            begun: RefCell::default(),
            asked: RefCell::default(),
        }
    }

    /// A job about `host`; none where there is no such host.
    pub(crate) fn job(&'w self, host: &str) -> Option<Job<'w>> {
        let host = self.nodes.binary_search_by(|node| node.name.cmp(host)).ok()?;
        self.at_work.set(host);
        self.jobs.set(self.jobs.get() + 1);
        Some(Job { desk: self, host })
    }

    /// The evaluator of whoever is at the desk.
    pub(crate) fn eval(&'w self) -> &'w Evaluator<'w> {
        &self.eval
    }

    pub(crate) fn value(&'w self) -> Result<&'w FleetValue<'w>> {
        if let Some(value) = self.value.get() {
            return Ok(value);
        }
        let value = FleetValue::load(&self.eval, &self.fleet.inputs)?;
        Ok(self.value.get_or_init(|| value))
    }

    fn pkgs(&'w self) -> Result<Value<'w>> {
        if let Some(pkgs) = self.pkgs.get() {
            return Ok(*pkgs);
        }
        let pkgs = super::packages::pkgs(&self.eval, self.value()?)?;
        Ok(*self.pkgs.get_or_init(|| pkgs))
    }

    fn node(&'w self, number: usize) -> Result<&'w Node<'w>> {
        let gone = || Diagnostic::error("fleet::unknown-host", Span::NONE, "no such host");
        self.nodes.get(number).ok_or_else(|| gone().into())
    }

    fn configuration(&'w self, number: usize) -> Result<&'w Configuration<'w, 'w>> {
        let node = self.node(number)?;
        if let Some(config) = node.config.get() {
            return Ok(config);
        }
        if number != self.at_work.get() {
            self.begun.borrow_mut().push_back(number);
        }
        let config = self.evaluate(number, eval_modules)?;
        Ok(node.config.get_or_init(|| config))
    }

    /// The next host that was begun here because another one reads it: half of its job is done.
    pub(crate) fn begun(&self) -> Option<&'w str> {
        let number = self.begun.borrow_mut().pop_front()?;
        self.nodes.get(number).map(|node| node.name)
    }

    /// Notes what this host, whose job is done, has to answer to questions that others were asked.
    pub(crate) fn foretell(&'w self, host: &str) {
        let Ok(number) = self.nodes.binary_search_by(|node| node.name.cmp(host)) else { return };
        let Some(config) = self.nodes.get(number).and_then(|node| node.config.get()) else {
            return;
        };
        for path in self.fleet.answers.open(number) {
            // Only what is computed already: nothing is, for nobody.
            let value =
                path.iter().try_fold(config.config().settled(), |value, name| match value {
                    Value::Attrs(set) => Some(set.get(*name)?.value.get().settled()),
                    _ => None,
                });
            if let Some(value) = value.filter(|value| is_settled(*value))
                && let Ok(part) = self.part(value)
            {
                self.fleet.answers.keep((number, path), Arc::new(part));
            }
        }
    }

    fn evaluate(&'w self, number: usize, with: EvalModules<'w>) -> Result<Configuration<'w, 'w>> {
        let name = self.node(number)?.name;
        let modules = self.modules(name)?;
        let special = special(&self.eval, self.pkgs()?, name, self.nodes_value(number));
        let eval = &self.eval;
        Ok(with(eval, &modules, &special))
    }

    /// The modules of a host, weakest layer first.
    fn modules(&'w self, name: &str) -> Result<Vec<ModuleSource<'w>>> {
        let (eval, fleet) = (&self.eval, self.value()?);
        let standard = VirtualPath { root: Root::Cairn, path: "default.nix".to_owned() };
        let mut modules = vec![ModuleSource::file(standard, Layer::Standard)];
        let groups: Vec<&str> = self.fleet.outline.groups_of(name).collect();
        for group in &groups {
            if let Some(module) = fleet.group_module(eval, group)? {
                let source = (module.value.get(), Layer::Group(Symbol::new(group)));
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

    /// `nodes`: the other hosts by name, each with its `config`. The reader's own is no copy.
    fn nodes_value(&'w self, reader: usize) -> Value<'w> {
        let eval = &self.eval;
        let entry = |name: &str, config| eval.attrs([("config", config), ("name", eval.str(name))]);
        let copies = *self.copies.get_or_init(|| {
            eval.attrs(self.nodes.iter().enumerate().map(|(number, node)| {
                let copy = eval.thunk(move |eval| self.mirror(eval, number, Path::default()));
                (node.name, eval.thunk(move |_| Ok(entry(node.name, copy))))
            }))
        });
        let Some(node) = self.nodes.get(reader) else { return copies };
        let own = eval.thunk(move |eval| eval.force(self.configuration(reader)?.config()));
        match (copies, eval.attrs([(node.name, entry(node.name, own))])) {
            (Value::Attrs(copies), Value::Attrs(own)) => eval.update(copies, own),
            (_, own) => own,
        }
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
        let at_work = question.0 == self.at_work.get()
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
        let eval = &self.eval;
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
        self.part(value).map_err(|error| {
            if error.code != "eval::not-data" {
                return error;
            }
            let place = self.told(&(*host, path.clone()));
            let message = format!("`{place}` holds a function, which stays on its own host");
            let help = "read plain data of other hosts: strings, numbers, lists and sets";
            Diagnostic::error("nodes::not-data", error.span, message).with_help(help).into()
        })
    }

    /// A value for other hosts.
    fn part(&'w self, value: Value<'w>) -> Result<Part> {
        match value {
            Value::Attrs(set) => Ok(Part::Set(set.sorted().iter().map(|attr| attr.name).collect())),
            value => self.eval.to_data(value, Span::NONE).map(Part::Leaf),
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

impl<'w> Job<'w> {
    /// The host's evaluator.
    pub(crate) fn eval(self) -> &'w Evaluator<'w> {
        &self.desk.eval
    }

    /// Whether no other host was worked on at this desk.
    pub(crate) fn is_first(self) -> bool {
        self.desk.jobs.get() == 1
    }

    /// The host's configuration.
    ///
    /// # Errors
    /// Whatever `cairn.nix` meets.
    pub(crate) fn config(self) -> Result<&'w Configuration<'w, 'w>> {
        self.desk.configuration(self.host)
    }

    /// The host's configuration once more: whatever depends on an error fails in it.
    ///
    /// # Errors
    /// Whatever `cairn.nix` meets.
    pub(crate) fn strict(self) -> Result<&'w Configuration<'w, 'w>> {
        let node = self.desk.node(self.host)?;
        if let Some(config) = node.strict.get() {
            return Ok(config);
        }
        let config = self.desk.evaluate(self.host, eval_modules_strictly)?;
        Ok(node.strict.get_or_init(|| config))
    }

    /// The fleet's own value.
    ///
    /// # Errors
    /// Whatever `cairn.nix` meets.
    pub(crate) fn value(self) -> Result<&'w FleetValue<'w>> {
        self.desk.value()
    }

    /// `pkgs`, as the host's modules see it.
    ///
    /// # Errors
    /// Whatever `cairn.nix` meets.
    pub(crate) fn pkgs(self) -> Result<Value<'w>> {
        self.desk.pkgs()
    }

    /// The host's name.
    pub(crate) fn name(self) -> &'w str {
        self.desk.nodes.get(self.host).map_or("", |node| node.name)
    }

    /// Where the fleet names the host.
    pub(crate) fn span(self) -> Span {
        self.desk.fleet.outline.hosts.get(self.name()).copied().unwrap_or(Span::NONE)
    }

    /// A file that evaluation may read.
    pub(crate) fn read(&self, file: &VirtualPath) -> Option<Vec<u8>> {
        self.desk.fleet.world.roots.read(file).ok()
    }

    /// Where the fleet names a package of its own.
    pub(crate) fn package_span(self, name: &str) -> Option<Span> {
        let packages = self.desk.value().ok()?.packages(self.eval()).ok()??;
        packages.get_str(name).map(|attr| attr.span)
    }

    /// The fleet that the host is of.
    pub(super) fn fleet(self) -> &'w Fleet {
        self.desk.fleet
    }

    /// The texts that spans point into.
    pub(crate) fn sources(self) -> &'w Sources {
        &self.desk.fleet.world.sources
    }

    /// `nodes` as the job's host sees it, or as nobody's: then every configuration is a copy.
    pub(crate) fn nodes(self, of_host: bool) -> Value<'w> {
        self.desk.nodes_value(if of_host { self.host } else { usize::MAX })
    }

    /// The host's modules for their declarations alone: what would be computed from the values of a
    /// host, a default for example, fails.
    ///
    /// # Errors
    /// Whatever `cairn.nix` meets.
    pub(super) fn declarations(self) -> Result<Configuration<'w, 'w>> {
        let modules = self.desk.modules(self.name())?;
        Ok(listed(self.eval(), self.desk.pkgs()?, self.name(), &modules))
    }
}

/// Whether a value is known as far as another host sees it in one piece.
fn is_settled(value: Value<'_>) -> bool {
    match value {
        Value::Thunk(_) => false,
        Value::List(list) => list.iter().all(|item| {
            let item = item.settled();
            !matches!(item, Value::Attrs(_)) && is_settled(item)
        }),
        _ => true,
    }
}

/// The arguments of every module of a host.
fn special<'w>(
    eval: &'w Evaluator<'w>,
    pkgs: Value<'w>,
    name: &str,
    nodes: Value<'w>,
) -> Vec<(Symbol, Value<'w>)> {
    vec![
        (Symbol::new("name"), eval.str(name)),
        (Symbol::new("nodes"), nodes),
        (Symbol::new("pkgs"), pkgs),
    ]
}

/// Modules for their declarations alone: no value is known in them.
pub(super) fn declarations<'w>(
    eval: &'w Evaluator<'w>,
    fleet: &FleetValue<'w>,
    name: &str,
    modules: &[ModuleSource<'w>],
) -> Result<Configuration<'w, 'w>> {
    Ok(listed(eval, super::packages::pkgs(eval, fleet)?, name, modules))
}

fn listed<'w>(
    eval: &'w Evaluator<'w>,
    pkgs: Value<'w>,
    name: &str,
    modules: &[ModuleSource<'w>],
) -> Configuration<'w, 'w> {
    let unknown = eval.thunk(|_| {
        let message = "a value of the configuration is not known where options are listed";
        Err(Diagnostic::error("option::undefined", Span::NONE, message).into())
    });
    let mut special = special(eval, pkgs, name, unknown);
    special.push((Symbol::new("config"), unknown));
    eval_modules(eval, modules, &special)
}
