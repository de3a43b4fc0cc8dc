//! The checker: types for every expression of a file, evaluated or not.
//!
//! It is gradual, and reports only what is *definitely* wrong: an operation that fails for every
//! value that its operands can have. How the work is split:
//!
//! - `ty` and `scope`: types, names, and what conditions say of them;
//! - `infer` walks expressions; `lookup` is attributes, `operators` operators, `narrow` conditions;
//! - `call` is calls: the body of a function of the fleet is looked at for each call, with the types
//!   of its arguments; functions of the library have signatures (`signature`, `signatures.txt`);
//! - `want` pushes what is expected of an expression down into it; `define` compares definitions
//!   with the options that they are for, `module` takes modules apart;
//! - `schema` turns options and evaluated values into types, each when it is first looked at.
//!
//! Every expression is inferred once for its own sake ([`ty::Mode::All`]), and errors of it are
//! reported wherever it stands: in a branch that is never taken, in a function that nobody calls.
//! The body of a function is inferred once more for each call ([`ty::Mode::Call`]); what fails there
//! is an error of the call only where evaluating the call must come by.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::diagnostic::Diagnostic;
use crate::eval::Evaluator;
use crate::fs::VirtualPath;
use crate::modules::Level;
use crate::source::Span;
use crate::symbol::Symbol;
use crate::tree::{Lambda, Tree};

mod call;
mod define;
mod demand;
mod display;
mod doubt;
mod infer;
mod join;
mod library;
mod lookup;
mod module;
mod narrow;
mod operators;
mod recursion;
mod report;
mod schema;
mod scope;
mod shape;
mod sight;
mod signature;
mod ty;
mod unused;
mod want;
mod watch;

pub use shape::{Shape, is_module};
pub use sight::{Candidate, CandidateKind, Mention, Sight, Use};

use recursion::Active;
use scope::{Binder, Cx, Scope};
use signature::SigFun;
use ty::{Mode, Site, Thunk, Ty};
use watch::Watch;

/// Checks files against one set of options.
pub struct Checker<'e, 'a> {
    eval: &'e Evaluator<'a>,
    /// The options that modules define; none where no module is checked.
    root: Option<&'a Level<'a>>,
    mode: Cell<Mode>,
    /// Whether a module is being looked at for the call that made it.
    instance: Cell<bool>,
    /// How many more expressions may be looked at for the call at hand.
    fuel: Cell<u32>,
    nesting: Cell<u32>,
    /// The function whose body is being looked at for its own sake, where evaluation surely comes
    /// by when it is called.
    body: Cell<Option<&'a Scope<'a>>>,
    /// Parameters of which the kind was learnt, and where.
    asked: RefCell<FxHashMap<*const (), Span>>,
    /// Where a parameter's kind was learnt, by each place where it is used afterwards.
    learnt: RefCell<FxHashMap<Span, Span>>,
    /// Submodules that are written where options are declared, looked at as such.
    written: RefCell<FxHashSet<Span>>,
    /// Files that are functions, looked at with what they were given.
    visited: RefCell<FxHashSet<*const Lambda>>,
    /// The call that is being looked at for its own sake.
    site: Cell<Option<&'a Site<'a>>>,
    /// The calls whose bodies are being looked at, the innermost last.
    active: RefCell<Vec<Active<'a>>>,
    /// How often a body was looked at for a call.
    rounds: Cell<u32>,
    /// Of the thunks that are being resolved, when each was made, by rounds.
    resolving: RefCell<Vec<u32>>,
    found: RefCell<Vec<Diagnostic>>,
    /// What makes the call at hand fail.
    faults: RefCell<Vec<Diagnostic>>,
    pending: RefCell<VecDeque<Pending<'a>>>,
    /// The argument of modules that holds other configurations by name, and whether they have the
    /// same options.
    siblings: Cell<Option<(Symbol, bool)>>,
    /// Whether what is not sure is noted, and the first such place.
    proving: Cell<bool>,
    /// How many more parts of calls may be looked at to be sure of them.
    parts: Cell<u32>,
    doubt: Cell<Option<Span>>,
    /// Whether what is being looked at stands in a function whose arguments are not known.
    unknown: Cell<bool>,
    files: RefCell<FxHashMap<VirtualPath, Ty<'a>>>,
    signatures: RefCell<FxHashMap<*const (), &'static SigFun>>,
    submodules: RefCell<FxHashMap<*const (), Option<&'a Level<'a>>>>,
    /// Where options are declared whose types depend on the values of their submodule.
    varying: RefCell<FxHashSet<Span>>,
    watch: Option<Watch<'a>>,
}

/// What is to be looked at for its own sake, later.
#[derive(Clone, Copy)]
enum Pending<'a> {
    Thunk(&'a Thunk<'a>),
    /// A function that is not called where it is written: its arguments are anything.
    Body(&'a Lambda, Cx<'a>),
}

/// How many expressions are looked at for one call.
const FUEL: u32 = 4000;
/// How many parts of calls are looked at to be sure of a file.
const PARTS: u32 = 4000;

impl<'e, 'a> Checker<'e, 'a> {
    pub(crate) fn new(eval: &'e Evaluator<'a>, root: Option<&'a Level<'a>>) -> Checker<'e, 'a> {
        let checker = Checker {
            eval,
            root,
            mode: Cell::new(Mode::All),
            instance: Cell::new(false),
            fuel: Cell::new(FUEL),
            nesting: Cell::new(0),
            body: Cell::new(None),
            asked: RefCell::default(),
            learnt: RefCell::default(),
            written: RefCell::default(),
            visited: RefCell::default(),
            site: Cell::new(None),
            active: RefCell::default(),
            rounds: Cell::new(0),
            resolving: RefCell::default(),
            found: RefCell::default(),
            faults: RefCell::default(),
            pending: RefCell::default(),
            siblings: Cell::new(None),
            proving: Cell::new(false),
            parts: Cell::new(PARTS),
            doubt: Cell::new(None),
            unknown: Cell::new(false),
            files: RefCell::default(),
            signatures: RefCell::default(),
            submodules: RefCell::default(),
            varying: RefCell::default(),
            watch: None,
        };
        checker.know_library();
        checker
    }

    /// A checker of files that define no options.
    pub fn plain(eval: &'e Evaluator<'a>) -> Checker<'e, 'a> {
        Checker::new(eval, None)
    }

    /// Says that the modules' argument `name` holds other configurations by their names, each under
    /// `config`; and whether all of them have these options.
    pub fn siblings(&self, name: &str, alike: bool) {
        self.siblings.set(Some((Symbol::new(name), alike)));
    }

    /// Checks a file of which `shape` is known. A file that cannot be read has nothing to check.
    pub fn check_file(&self, path: &VirtualPath, shape: &Shape) {
        let Ok(tree) = self.eval.world.tree(path, Span::NONE) else { return };
        self.check_tree(tree, shape);
    }

    /// Whether a file that was checked imports this one.
    pub fn imported(&self, path: &VirtualPath) -> bool {
        self.files.borrow().contains_key(path)
    }

    /// Checks a text of which `shape` is known.
    pub fn check_tree(&self, tree: Arc<Tree>, shape: &Shape) {
        let shape = self.eval.alloc(shape.clone());
        let tree = self.eval.hold_tree(tree);
        self.watch_tree(tree);
        self.found.borrow_mut().extend(unused::unused(tree));
        let cx = self.outermost();
        self.check_shape(&tree.root, cx, shape);
        self.drain();
    }

    /// Everything found so far, each once.
    pub fn finish(self) -> Vec<Diagnostic> {
        self.drain();
        let mut found = self.found.into_inner();
        // A call that fails because of a function that fails anyway says nothing new.
        let own: Vec<(Span, String)> =
            found.iter().map(|error| (error.span, error.code.clone())).collect();
        found.retain(|error| {
            let cause = report::cause(error);
            cause.is_none_or(|cause| {
                !own.iter().any(|(span, code)| *span == cause && *code == error.code)
            })
        });
        let key = |error: &Diagnostic| (error.span, error.code.clone(), error.message.clone());
        found.sort_by_cached_key(key);
        found.dedup_by(|a, b| a.span == b.span && a.code == b.code && a.message == b.message);
        found
    }

    /// Looks at everything that nobody has needed yet.
    fn drain(&self) {
        loop {
            let next = self.pending.borrow_mut().pop_front();
            self.fuel.set(FUEL);
            match next {
                Some(Pending::Thunk(thunk)) => {
                    self.within(None, || self.resolve(Ty::Later(thunk)));
                }
                Some(Pending::Body(lambda, cx)) => self.visit_body(lambda, cx),
                None => return,
            }
        }
    }

    fn later(&self, pending: Pending<'a>) {
        if self.mode.get() == Mode::All || self.is_to_be_sure(pending) {
            self.pending.borrow_mut().push_back(pending);
        }
    }

    /// Runs `work` in a mode.
    fn in_mode<T>(&self, mode: Mode, work: impl FnOnce() -> T) -> T {
        let before = self.mode.replace(mode);
        let result = work();
        self.mode.set(before);
        result
    }

    /// Runs `work` on what does not depend on the call that made the module at hand.
    fn regardless<T>(&self, work: impl FnOnce() -> T) -> T {
        match self.instance.get() {
            true => self.in_mode(Mode::All, work),
            false => work(),
        }
    }

    /// Runs `work` on a part that evaluation may never come by.
    fn aside<T>(&self, work: impl FnOnce() -> T) -> T {
        match self.mode.get() {
            Mode::Call => self.in_mode(Mode::Silent, work),
            _ => self.within(None, work),
        }
    }

    /// Runs `work` as part of a body where evaluation surely comes by, or of none.
    fn within<T>(&self, body: Option<&'a Scope<'a>>, work: impl FnOnce() -> T) -> T {
        let before = self.body.replace(body);
        let result = work();
        self.body.set(before);
        result
    }

    /// The context of a file's expression.
    fn outermost(&self) -> Cx<'a> {
        let slots = std::iter::empty();
        Cx { scope: self.scope_of(Binder::Params, None, slots), facts: None }
    }

    fn scope_of(
        &self,
        binder: Binder,
        up: Option<&'a Scope<'a>>,
        slots: impl ExactSizeIterator<Item = Ty<'a>>,
    ) -> &'a Scope<'a> {
        let slots = self.eval.arena.bump.alloc_slice_fill_iter(slots.map(Cell::new));
        let unknown = self.unknown.get() || up.is_some_and(|up| up.unknown);
        self.eval.alloc(Scope { binder, unknown, up, slots })
    }

    fn slice<T: Copy>(&self, items: &[T]) -> &'a [T] {
        self.eval.arena.bump.alloc_slice_copy(items)
    }

    fn symbols(&self, prefix: &[Symbol], last: Symbol) -> &'a [Symbol] {
        let path = prefix.iter().copied().chain([last]).collect::<Vec<_>>();
        self.slice(&path)
    }
}
