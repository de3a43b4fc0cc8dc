//! The evaluator: a walk over lowered trees, lazy, on one arena.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use crate::arena::Arena;
use crate::builtins::{self, RegexCache};
use crate::diagnostic::{Diagnostic, Result};
use crate::fs::VirtualPath;
use crate::source::Span;
use crate::tree::Tree;
use crate::value::{Env, Value};
use crate::world::{Mode, World};

mod alloc;
mod attrs;
mod blame;
mod call;
mod coerce;
mod compare;
mod expr;
mod force;
mod inspect;
mod operators;
mod scope;

pub use alloc::AttrsBuilder;
pub use attrs::Fallback;
pub(crate) use attrs::fallback;
pub(crate) use call::trace_call;
pub(crate) use coerce::{LIST_AS_TEXT, NULL_AS_TEXT, STORE, secret_in_text};
pub use inspect::{FormalInfo, Formals};
pub(crate) use inspect::{mismatch, virtual_path};
pub(crate) use operators::arithmetic;
use scope::SpareScopes;

/// How much stack must be left before more is taken, and how much is taken then. An unoptimised
/// build has frames of several kilobytes, and what is left is looked at every few levels.
const RED_ZONE: usize = 512 << 10;
const LEVELS: u32 = 8;
const STACK_SEGMENT: usize = 8 << 20;
/// The stack of a whole evaluation, most of which is never touched.
const ROOM: usize = 128 << 20;

/// So many bytes are worth asking whether they fit the limits.
const LARGE: usize = 64 << 10;

/// Evaluates expressions on one arena.
pub struct Evaluator<'a> {
    pub(crate) arena: &'a Arena,
    /// What this evaluator shares with others.
    pub world: &'a World,
    pub(crate) globals: Vec<Value<'a>>,
    root_env: &'a Env<'a>,
    spare_scopes: SpareScopes<'a>,
    imports: RefCell<FxHashMap<VirtualPath, Value<'a>>>,
    errors: RefCell<Vec<Diagnostic>>,
    blobs: RefCell<BTreeMap<String, VirtualPath>>,
    trees: RefCell<FxHashMap<u32, &'a Tree>>,
    regexes: RegexCache,
    pub(crate) modules: crate::modules::Shared<'a>,
    depth: Cell<u32>,
    ticks: Cell<u32>,
    started: Cell<Instant>,
    /// How long this evaluation may take, where that is less than the world's limit.
    patience: Cell<Option<Duration>>,
}

impl<'a> Evaluator<'a> {
    /// An evaluator on an arena.
    pub fn new(arena: &'a Arena, world: &'a World) -> Evaluator<'a> {
        let root_env =
            arena.bump.alloc(Env { up: Cell::default(), slots: &[], holders: Cell::new(1) });
        let mut evaluator = Evaluator {
            arena,
            world,
            globals: Vec::new(),
            root_env,
            spare_scopes: SpareScopes::default(),
            imports: RefCell::default(),
            errors: RefCell::default(),
            blobs: RefCell::default(),
            trees: RefCell::default(),
            regexes: RegexCache::default(),
            modules: crate::modules::Shared::default(),
            depth: Cell::new(0),
            ticks: Cell::new(0),
            started: Cell::new(Instant::now()),
            patience: Cell::new(None),
        };
        evaluator.globals = builtins::globals(&evaluator);
        crate::modules::install(&evaluator);
        evaluator
    }

    /// The value of a tree.
    ///
    /// # Errors
    /// Whatever evaluating it meets.
    pub fn eval_tree(&self, tree: &Arc<Tree>) -> Result<Value<'a>> {
        let tree = self.arena.hold(tree.clone());
        self.trees.borrow_mut().insert(tree.file.0, tree);
        self.roomy(|| self.eval(&tree.root, self.root_env))
    }

    /// Runs `work`, which may be a whole evaluation, on a stack with room for it. It would find
    /// its stack without that too, piece by piece, and each file that it reads one of its own.
    pub fn roomy<T>(&self, work: impl FnOnce() -> T) -> T {
        match self.depth.get() {
            0 => stacker::maybe_grow(ROOM / 2, ROOM, work),
            _ => work(),
        }
    }

    /// The value of a tree, evaluated when it is first forced.
    pub fn tree_later(&self, tree: Arc<Tree>) -> Value<'a> {
        let tree = self.arena.hold(tree);
        self.trees.borrow_mut().insert(tree.file.0, tree);
        self.delayed(&tree.root, self.root_env)
    }

    /// The value of a file, evaluated once: what `import` gives.
    ///
    /// # Errors
    /// The file's first syntax error or unbound name (the others are in
    /// [`World::file_diagnostics`]), or whatever evaluating it meets.
    pub fn import(&self, path: &VirtualPath, at: Span) -> Result<Value<'a>> {
        if let Some(&known) = self.imports.borrow().get(path) {
            return self.force_at(known, at);
        }
        let path = &self
            .world
            .module_path(path)
            .map_err(|error| self.world.unreadable(path, &error, at))?;
        let known = self.imports.borrow().get(path).copied();
        let value = match known {
            Some(known) => known,
            None => {
                let tree = self.world.tree(path, at).map_err(first)?;
                let tree = self.arena.hold(tree);
                self.trees.borrow_mut().insert(tree.file.0, tree);
                let value = self.delayed(&tree.root, self.root_env);
                self.imports.borrow_mut().insert(path.clone(), value);
                value
            }
        };
        self.force_at(value, at).map_err(|mut error| {
            error.push_trace(at, format!("while importing {path}"));
            error
        })
    }

    /// Makes `import path` give this value: how Rust provides a file such as `<cairn/lib>`.
    pub fn provide(&self, path: VirtualPath, value: Value<'a>) {
        self.imports.borrow_mut().insert(path, value);
    }

    /// The value of `name` at `builtins`, for native code that wants one.
    pub fn builtin(&self, name: &str) -> Option<Value<'a>> {
        builtins::index(name).and_then(|index| self.globals.get(index as usize)).copied()
    }

    /// Files that a string refers to by `/var/lib/cairn/store/<id>`: id to path.
    pub fn blobs(&self) -> BTreeMap<String, VirtualPath> {
        self.blobs.borrow().clone()
    }

    /// The value of a name that is in scope everywhere.
    pub(crate) fn global(&self, index: u32) -> Value<'a> {
        self.globals.get(index as usize).copied().unwrap_or(Value::Null)
    }

    pub(crate) fn record_blob(&self, id: String, path: VirtualPath) {
        self.blobs.borrow_mut().insert(id, path);
    }

    pub(crate) fn regexes(&self) -> &RegexCache {
        &self.regexes
    }

    /// Whether paths keep their real places (`cairn eval`).
    pub(crate) fn shows_real_paths(&self) -> bool {
        self.world.mode == Mode::Eval
    }

    pub(crate) fn tree_of(&self, span: Span) -> Option<&'a Tree> {
        self.trees.borrow().get(&span.file.0).copied()
    }

    /// Keeps a tree alive for as long as the arena.
    pub(crate) fn hold_tree(&self, tree: Arc<Tree>) -> &'a Tree {
        let tree = self.arena.hold(tree);
        self.trees.borrow_mut().insert(tree.file.0, tree);
        tree
    }

    /// The value of a tree whose scope holds these values.
    pub(crate) fn scoped_tree(&self, tree: Tree, names: Vec<Value<'a>>) -> Result<Value<'a>> {
        let tree = self.arena.hold(Arc::new(tree));
        self.trees.borrow_mut().insert(tree.file.0, tree);
        let env = self.scope(self.root_env, names.len());
        for (slot, value) in env.slots.iter().zip(names) {
            slot.set(value);
        }
        self.eval(&tree.root, env)
    }

    /// Runs `work` one level deeper: more stack where it runs low, an error past the limits.
    /// Native code that recurses over values goes through here.
    ///
    /// # Errors
    /// `eval::too-deep`, `eval::memory`, `eval::time`, or those of `work`.
    #[inline]
    pub fn deeper<T>(&self, at: Span, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let depth = self.depth.get() + 1;
        let result = if depth.is_multiple_of(LEVELS) {
            self.check_depth(depth, at)?;
            self.depth.set(depth);
            stacker::maybe_grow(RED_ZONE, STACK_SEGMENT, work)
        } else {
            self.depth.set(depth);
            work()
        };
        self.depth.set(depth - 1);
        result
    }

    fn check_depth(&self, depth: u32, at: Span) -> Result<()> {
        if depth > self.world.limits.depth {
            return Err(self.too_deep(at));
        }
        self.tick(at)
    }

    /// Runs `work` as an evaluation of its own: the time limit, `patience` if there is one, starts
    /// anew. What it leaves half-done is taken up again when it is next asked for.
    pub fn anew<T>(&self, patience: Option<Duration>, work: impl FnOnce() -> T) -> T {
        self.started.set(Instant::now());
        self.depth.set(0);
        let before = self.patience.replace(patience);
        let result = work();
        self.patience.set(before);
        result
    }

    /// Counts work, and looks at the limits once in a while.
    #[inline]
    pub(crate) fn tick(&self, at: Span) -> Result<()> {
        let ticks = self.ticks.get().wrapping_add(1);
        self.ticks.set(ticks);
        if ticks & 0xfff == 0 { self.check_limits(0, at) } else { Ok(()) }
    }

    /// Whether `bytes` more fit the limits: asked before anything that may be large is made.
    #[inline]
    pub(crate) fn claim(&self, bytes: usize, at: Span) -> Result<()> {
        if bytes < LARGE { Ok(()) } else { self.check_limits(bytes, at) }
    }

    pub(crate) fn check_limits(&self, bytes: usize, at: Span) -> Result<()> {
        let limits = &self.world.limits;
        if self.arena.allocated().saturating_add(bytes) > limits.memory {
            let message = format!("the evaluation needs more than {} MiB", limits.memory >> 20);
            return Err(Diagnostic::error("eval::memory", at, message)
                .with_help(
                    "look for a function that calls itself without end, or a list or string that \
                     grows so",
                )
                .into());
        }
        if self.world.is_interrupted() {
            let message = "the evaluation was interrupted";
            return Err(Diagnostic::error("eval::interrupted", at, message).into());
        }
        let time = self.patience.get().or(limits.time);
        if let Some(time) = time.filter(|time| self.started.get().elapsed() > *time) {
            let message = format!("the evaluation takes more than {time:?}");
            return Err(Diagnostic::error("eval::time", at, message)
                .with_help("look for a function that calls itself without end")
                .into());
        }
        Ok(())
    }

    /// As [`Evaluator::tick`], where a text has grown to so many bytes: parts that are used many
    /// times over make a large one of a small value.
    pub(crate) fn check_text(&self, bytes: usize, at: Span) -> Result<()> {
        if bytes < LARGE { self.tick(at) } else { self.check_limits(bytes, at) }
    }

    #[cold]
    fn too_deep(&self, at: Span) -> Box<Diagnostic> {
        let limit = self.world.limits.depth;
        let message = format!("the evaluation is more than {limit} levels deep");
        let help = "look for a function that calls itself without end; a fold (`foldl'`) needs no \
                    depth";
        Diagnostic::error("eval::too-deep", at, message).with_help(help).into()
    }
}

/// The first of a file's diagnostics, saying how many more there are.
pub(crate) fn first(diagnostics: Vec<Diagnostic>) -> Box<Diagnostic> {
    let none = || Diagnostic::error("syntax::error", Span::NONE, "the file cannot be read");
    Box::new(diagnostics.into_iter().next().unwrap_or_else(none))
}
