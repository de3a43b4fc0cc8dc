//! What the configurations of one evaluator have in common.
//!
//! The hosts of a fleet have the same modules, and so have the submodules of one option. A module
//! is called for each of them, but most of what it declares depends on nothing that the call gives
//! it: only on the file around it, on `lib` and on `pkgs`. Such parts are evaluated for the first
//! call and handed to the others. Options that were declared by the very same values are the same
//! [`Schema`], whose types are looked at once.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::diagnostic::Result;
use crate::eval::Evaluator;
use crate::source::Span;
use crate::symbol::{Symbol, symbol};
use crate::tree::{AttrsExpr, Expr, ExprKind, Key, Lambda, Param, Part, Pattern};
use crate::value::{Closure, Env, PathValue, Value};

use super::collect::{Loaded, ModuleFile, RawModule};
use super::definition::Layer;
use super::level::{Declaration, Schema};
use super::option::Declared;
use super::tree::ModuleTree;
use super::types::FlagTables;

/// Shared by all configurations of an evaluator.
#[derive(Default)]
pub(crate) struct Shared<'a> {
    /// The module that every tree has.
    pub(super) own: OnceCell<RawModule<'a>>,
    /// What `types.flags` was made of.
    pub(super) tables: FlagTables,
    /// `lib`, as modules get it.
    pub(super) lib: OnceCell<Value<'a>>,
    /// Modules by the paths that `imports` have for them.
    pub(super) files: RefCell<FxHashMap<*const PathValue<'a>, Rc<ModuleFile<'a>>>>,
    /// Modules that are nothing but options: what submodules are mostly made of.
    declaring: RefCell<FxHashMap<DeclarationKey<'a>, &'a Loaded<'a>>>,
    schemas: RefCell<FxHashMap<Vec<DeclarationKey<'a>>, &'a Schema<'a>>>,
    options: RefCell<FxHashMap<Vec<DeclarationKey<'a>>, &'a Declared<'a>>>,
    calls: RefCell<FxHashMap<CallKey, &'a [&'a [Kept<'a>]]>>,
}

/// What makes a declaration the same as another.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct DeclarationKey<'a> {
    set: *const (),
    span: Span,
    file: &'a str,
    layer: Layer,
}

impl<'a> DeclarationKey<'a> {
    /// Of a declaration whose value is this set.
    pub(super) fn new(
        declaration: &Declaration<'a>,
        set: &'a crate::value::Attrs<'a>,
    ) -> DeclarationKey<'a> {
        let origin = declaration.origin;
        let set = std::ptr::from_ref(set).cast();
        DeclarationKey { set, span: declaration.span, file: origin.file, layer: origin.layer }
    }
}

/// A function, and the packages that it was called with, if any.
type CallKey = (*const (), *const ());

/// A value that does not depend on the call.
#[derive(Clone, Copy)]
struct Kept<'a> {
    place: Kind<'a>,
    value: Value<'a>,
}

/// Where a value is put back.
#[derive(Clone, Copy)]
enum Kind<'a> {
    /// Into a slot of the scope.
    Slot(usize),
    /// Under these names in the result.
    Path(&'a [Symbol]),
}

impl Kept<'_> {
    fn is_slot(&self, index: usize) -> bool {
        matches!(self.place, Kind::Slot(slot) if slot == index)
    }
}

impl<'a> Shared<'a> {
    /// The options that these declarations make.
    pub(super) fn schema(
        &self,
        key: Vec<DeclarationKey<'a>>,
        make: impl FnOnce() -> &'a Schema<'a>,
    ) -> &'a Schema<'a> {
        if let Some(known) = self.schemas.borrow().get(&key) {
            return known;
        }
        let schema = make();
        self.schemas.borrow_mut().insert(key, schema);
        schema
    }

    /// A module that is these options and nothing else.
    pub(super) fn declaring(
        &self,
        key: DeclarationKey<'a>,
        make: impl FnOnce() -> &'a Loaded<'a>,
    ) -> &'a Loaded<'a> {
        self.declaring.borrow_mut().entry(key).or_insert_with(make)
    }

    /// The option that these declarations made before.
    pub(super) fn known_option(&self, key: &[DeclarationKey<'a>]) -> Option<&'a Declared<'a>> {
        self.options.borrow().get(key).copied()
    }

    /// The option that these declarations make.
    pub(super) fn option(
        &self,
        key: Vec<DeclarationKey<'a>>,
        make: impl FnOnce() -> &'a Declared<'a>,
    ) -> &'a Declared<'a> {
        if let Some(known) = self.options.borrow().get(&key) {
            return known;
        }
        let declared = make();
        self.options.borrow_mut().insert(key, declared);
        declared
    }
}

/// Calls a module with its arguments. What does not depend on them is the same in every call.
pub(super) fn call<'a>(
    eval: &Evaluator<'a>,
    tree: &ModuleTree<'a>,
    function: Value<'a>,
    args: Value<'a>,
    at: Span,
) -> Result<Value<'a>> {
    let special = |name| tree.special.iter().find(|(known, _)| *known == name);
    let (Value::Lambda(closure), None) = (function, special(symbol!("lib"))) else {
        return eval.call(function, &[args], at);
    };
    let Param::Pattern(pattern) = &closure.lambda.param else {
        return eval.call(function, &[args], at);
    };
    let pkgs = special(symbol!("pkgs")).map(|(_, pkgs)| *pkgs);
    let pkgs = pkgs.map_or(std::ptr::null(), |pkgs| match pkgs {
        Value::Attrs(set) => std::ptr::from_ref(set).cast(),
        Value::Thunk(thunk) => std::ptr::from_ref(thunk).cast(),
        _ => std::ptr::null(),
    });
    let key: CallKey = (std::ptr::from_ref(closure).cast(), pkgs);
    let known = eval.modules.calls.borrow().get(&key).copied();
    let env = eval.destructure(closure, pattern, args, at)?;
    let result = match known {
        Some(kept) => within(eval, &closure.lambda.body, env, kept),
        None => {
            let mut first = First { layers: vec![stable_formals(pattern, !pkgs.is_null())] };
            first.body(eval, closure, env, key)
        }
    };
    match result {
        Ok(value) => {
            eval.leave(env);
            Ok(value)
        }
        Err(mut error) => {
            crate::eval::trace_call(&mut error, closure.lambda, at);
            Err(error)
        }
    }
}

/// Evaluates a module's body once more: what is kept of the first time is put in its place.
fn within<'a>(
    eval: &Evaluator<'a>,
    body: &'a Expr,
    env: &'a Env<'a>,
    kept: &'a [&'a [Kept<'a>]],
) -> Result<Value<'a>> {
    let Some((here, rest)) = kept.split_first() else { return eval.eval(body, env) };
    match &body.kind {
        ExprKind::Let(bindings, body) => {
            let mut kept = here.iter().peekable();
            let known = |index| Some(kept.next_if(|kept| kept.is_slot(index))?.value);
            let inner = eval.bind_knowing(bindings, env, known);
            let value = within(eval, body, inner, rest)?;
            eval.leave(inner);
            Ok(value)
        }
        ExprKind::WithScope(scope, body) => {
            let inner = eval.scope_with(scope, env);
            if let ([kept], [slot]) = (here, inner.slots) {
                slot.set(kept.value);
            }
            let value = within(eval, body, inner, rest)?;
            eval.leave(inner);
            Ok(value)
        }
        ExprKind::Attrs(_) => {
            let value = eval.eval(body, env)?;
            for Kept { place, value: kept } in *here {
                if let Kind::Path(path) = place {
                    put_below(eval, value, path, *kept)?;
                }
            }
            Ok(value)
        }
        _ => eval.eval(body, env),
    }
}

/// Whether a set has its names from its text, and none that its values see.
fn is_plain(attrs: &AttrsExpr) -> bool {
    !attrs.recursive && attrs.overrides.is_none() && attrs.dynamic.is_empty()
}

/// Puts a value under names in a set; the sets on the way are written out, and so cannot fail.
fn put_below<'a>(
    eval: &Evaluator<'a>,
    set: Value<'a>,
    path: &[Symbol],
    value: Value<'a>,
) -> Result<()> {
    let (Some((name, rest)), Value::Attrs(set)) = (path.split_first(), set) else { return Ok(()) };
    let Some(attr) = set.get(*name) else { return Ok(()) };
    if rest.is_empty() {
        attr.value.set(value);
        return Ok(());
    }
    put_below(eval, eval.force_attr(attr)?, rest, value)
}

/// Which of a function's arguments are the same in every call.
fn stable_formals(pattern: &Pattern, pkgs: bool) -> Vec<bool> {
    let is_stable = |name: Symbol| name == symbol!("lib") || pkgs && name == symbol!("pkgs");
    let mut slots: Vec<bool> = pattern.formals.iter().map(|one| is_stable(one.name)).collect();
    slots.extend(pattern.at.map(|_| false));
    slots
}

/// The first call of a module: finds out what does not depend on it.
struct First {
    /// The scopes from the function's arguments inwards: which of their slots are stable.
    layers: Vec<Vec<bool>>,
}

impl First {
    fn body<'a>(
        &mut self,
        eval: &Evaluator<'a>,
        closure: &'a Closure<'a>,
        env: &'a Env<'a>,
        key: CallKey,
    ) -> Result<Value<'a>> {
        let mut kept = Vec::new();
        let value = self.walk(eval, &closure.lambda.body, env, &mut kept)?;
        let bump = &eval.arena.bump;
        let kept: Vec<&'a [Kept<'a>]> =
            kept.iter().map(|kept| &*bump.alloc_slice_copy(kept)).collect();
        eval.modules.calls.borrow_mut().insert(key, bump.alloc_slice_copy(&kept));
        Ok(value)
    }

    fn walk<'a>(
        &mut self,
        eval: &Evaluator<'a>,
        body: &'a Expr,
        env: &'a Env<'a>,
        kept: &mut Vec<Vec<Kept<'a>>>,
    ) -> Result<Value<'a>> {
        match &body.kind {
            ExprKind::Let(bindings, body) => {
                let inner = eval.bind(bindings, env);
                self.enter_bindings(bindings);
                kept.push(self.taken(inner));
                let value = self.walk(eval, body, inner, kept)?;
                eval.leave(inner);
                Ok(value)
            }
            ExprKind::WithScope(scope, body) => {
                let inner = eval.scope_with(scope, env);
                self.layers.push(vec![self.is_stable(scope, 0)]);
                kept.push(self.taken(inner));
                let value = self.walk(eval, body, inner, kept)?;
                eval.leave(inner);
                Ok(value)
            }
            ExprKind::Attrs(attrs) if is_plain(attrs) => {
                let value = eval.eval(body, env)?;
                let mut stable = Vec::new();
                self.attributes(eval, attrs, value, &mut Vec::new(), &mut stable)?;
                kept.push(stable);
                Ok(value)
            }
            _ => eval.eval(body, env),
        }
    }

    /// The stable values of the innermost scope.
    fn taken<'a>(&self, env: &Env<'a>) -> Vec<Kept<'a>> {
        let stable = self.layers.last().map(Vec::as_slice).unwrap_or_default();
        let each = stable.iter().zip(env.slots).enumerate();
        each.filter(|(_, (stable, _))| **stable)
            .map(|(index, (_, slot))| Kept { place: Kind::Slot(index), value: slot.get() })
            .collect()
    }

    /// The stable attributes of a set that is written out and not recursive; below `options`, those
    /// of the sets in it too: one default that depends on the configuration spoils no other option.
    fn attributes<'a>(
        &mut self,
        eval: &Evaluator<'a>,
        attrs: &AttrsExpr,
        value: Value<'a>,
        path: &mut Vec<Symbol>,
        kept: &mut Vec<Kept<'a>>,
    ) -> Result<()> {
        let Value::Attrs(set) = value else { return Ok(()) };
        let sources = attrs.has_env();
        if sources {
            self.enter_bindings(attrs);
        }
        for entry in &attrs.entries {
            let Some(attr) = set.get(entry.name) else { continue };
            // An attribute of the set itself sees the scope around the sources.
            let stable = match entry.outer && sources {
                true => self.is_stable_outside(&entry.value),
                false => self.is_stable(&entry.value, 0),
            };
            path.push(entry.name);
            if stable {
                let place = Kind::Path(eval.arena.bump.alloc_slice_copy(path));
                kept.push(Kept { place, value: attr.value.get() });
            } else if path.first() == Some(&symbol!("options"))
                && let ExprKind::Attrs(inner) = &entry.value.kind
                && is_plain(inner)
            {
                let value = eval.force_attr(attr)?;
                self.attributes(eval, inner, value, path, kept)?;
            }
            path.pop();
        }
        if sources {
            self.layers.pop();
        }
        Ok(())
    }

    fn is_stable_outside(&mut self, expr: &Expr) -> bool {
        let inner = self.layers.pop();
        let stable = self.is_stable(expr, 0);
        self.layers.extend(inner);
        stable
    }

    /// Enters a `let`, or a set with `inherit (…)`: what that binds is stable unless it needs
    /// something that is not.
    fn enter_bindings(&mut self, bindings: &AttrsExpr) {
        let named = if bindings.recursive { &bindings.entries[..] } else { &[] };
        self.layers.push(vec![true; named.len() + bindings.sources.len()]);
        loop {
            let entries = named.iter().map(|entry| (&entry.value, entry.outer));
            let sources = bindings.sources.iter().map(|source| (source, false));
            let all: Vec<_> = entries.chain(sources).collect();
            let stable: Vec<bool> = all
                .into_iter()
                .map(|(expr, outer)| match outer {
                    true => self.is_stable_outside(expr),
                    false => self.is_stable(expr, 0),
                })
                .collect();
            let Some(layer) = self.layers.last_mut() else { return };
            if *layer == stable {
                return;
            }
            // Once unstable, for ever: what was found with too much hope is looked at again.
            for (known, found) in layer.iter_mut().zip(stable) {
                *known &= found;
            }
        }
    }

    /// Whether an expression, `depth` scopes of its own inwards, needs stable names alone.
    fn is_stable(&self, expr: &Expr, depth: usize) -> bool {
        stacker::maybe_grow(128 << 10, 4 << 20, || self.is_stable_kind(&expr.kind, depth))
    }

    fn is_stable_kind(&self, kind: &ExprKind, depth: usize) -> bool {
        let all = |exprs: &[Expr]| exprs.iter().all(|expr| self.is_stable(expr, depth));
        let one = |expr: &Expr| self.is_stable(expr, depth);
        let parts = |parts: &[Part]| {
            parts.iter().all(|part| match part {
                Part::Text(_) => true,
                Part::Expr(expr) => self.is_stable(expr, depth),
            })
        };
        let keys = |path: &[Key]| {
            path.iter().all(|key| match key {
                Key::Static(..) => true,
                Key::Dynamic(expr) => self.is_stable(expr, depth),
            })
        };
        match kind {
            ExprKind::Null
            | ExprKind::Bool(_)
            | ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Str(_)
            | ExprKind::Path(_)
            | ExprKind::Global(_)
            | ExprKind::CurPos
            | ExprKind::Fail(_) => true,
            ExprKind::Interpolation(of) | ExprKind::PathInterpolation(_, of) => parts(of),
            ExprKind::Var(up, slot) => self.is_stable_slot(*up, *slot, depth),
            ExprKind::With(_, scopes) => scopes.iter().all(|up| self.is_stable_slot(*up, 0, depth)),
            ExprKind::Select(of, path, default) => {
                one(of) && keys(path) && default.iter().all(|default| one(default))
            }
            ExprKind::HasAttr(of, path) => one(of) && keys(path),
            ExprKind::Apply(function, args) => one(function) && all(args),
            ExprKind::Lambda(lambda) => self.is_stable_function(lambda, depth + 1),
            ExprKind::List(items) => all(items),
            ExprKind::Attrs(attrs) => self.are_stable(attrs, depth),
            ExprKind::Let(bindings, body) => {
                self.are_stable(bindings, depth) && self.is_stable(body, depth + 1)
            }
            ExprKind::WithScope(scope, body) => one(scope) && self.is_stable(body, depth + 1),
            ExprKind::If(a, b, c) => one(a) && one(b) && one(c),
            ExprKind::Assert(a, b) | ExprKind::Binary(_, a, b) => one(a) && one(b),
            ExprKind::Not(of) | ExprKind::Negate(of) => one(of),
        }
    }

    fn is_stable_function(&self, lambda: &Lambda, depth: usize) -> bool {
        let defaults = match &lambda.param {
            Param::Pattern(pattern) => pattern
                .formals
                .iter()
                .filter_map(|formal| formal.default.as_ref())
                .all(|default| self.is_stable(default, depth)),
            Param::Names(_) => true,
        };
        defaults && self.is_stable(&lambda.body, depth)
    }

    fn are_stable(&self, attrs: &AttrsExpr, depth: usize) -> bool {
        let inner = depth + usize::from(attrs.has_env());
        attrs.sources.iter().all(|source| self.is_stable(source, inner))
            && attrs
                .entries
                .iter()
                .all(|entry| self.is_stable(&entry.value, if entry.outer { depth } else { inner }))
            && attrs.dynamic.iter().all(|entry| {
                self.is_stable(&entry.name, inner) && self.is_stable(&entry.value, inner)
            })
    }

    /// Whether a name is stable: one of the expression's own, or of outside of the function, is.
    fn is_stable_slot(&self, up: u32, slot: u32, depth: usize) -> bool {
        let Some(above) = (up as usize).checked_sub(depth) else { return true };
        let Some(layer) = self.layers.iter().rev().nth(above) else { return true };
        layer.get(slot as usize).copied().unwrap_or(false)
    }
}
