//! Making values.

use std::any::Any;
use std::cell::Cell;

use super::Evaluator;
use super::scope::{hold, slot_of};
use crate::diagnostic::Result;
use crate::fs::VirtualPath;
use crate::source::Span;
use crate::symbol::Symbol;
use crate::tree::{BinaryOp, Expr, ExprKind, Lambda};
use crate::value::{
    Application, Attr, Attrs, Beside, Closure, Env, List, PathValue, Payload, PrimOp, Thunk,
    ThunkState, Value,
};

/// Collects attributes for a set. A name that comes twice keeps its last value.
#[derive(Default)]
pub struct AttrsBuilder<'a> {
    entries: Vec<Attr<'a>>,
}

impl<'a> AttrsBuilder<'a> {
    /// No attributes.
    pub fn new() -> AttrsBuilder<'a> {
        AttrsBuilder::default()
    }

    /// No attributes, with room for some.
    pub fn with_capacity(capacity: usize) -> AttrsBuilder<'a> {
        AttrsBuilder { entries: Vec::with_capacity(capacity) }
    }

    /// Adds an attribute and where it is written.
    pub fn insert(&mut self, name: impl Into<Symbol>, value: Value<'a>, span: Span) -> &mut Self {
        self.entries.push(Attr { name: name.into(), span, value: Cell::new(value) });
        self
    }

    /// Adds an attribute that no file wrote.
    pub fn set(&mut self, name: impl Into<Symbol>, value: Value<'a>) -> &mut Self {
        self.insert(name, value, Span::NONE)
    }

    /// Adds a copy of another set's attribute.
    pub fn copy(&mut self, attr: &Attr<'a>) -> &mut Self {
        self.entries.push(attr.clone());
        self
    }

    /// The set.
    pub fn finish(self, evaluator: &Evaluator<'a>) -> Value<'a> {
        evaluator.finish_attrs(self.entries, None)
    }

    /// The set, with Rust data hidden in it. The data is never dropped.
    pub fn finish_with(
        self,
        evaluator: &Evaluator<'a>,
        data: impl Any,
        values: &[Value<'a>],
    ) -> Value<'a> {
        let bump = &evaluator.arena.bump;
        let data: &'a dyn Any = bump.alloc(data);
        let payload = Payload { data, values: bump.alloc_slice_copy(values) };
        evaluator.finish_attrs(self.entries, Some(bump.alloc(Beside::Payload(payload))))
    }
}

impl<'a> Evaluator<'a> {
    /// A string, copied.
    pub fn str(&self, text: &str) -> Value<'a> {
        self.str_in(self.arena.bump.alloc_str(text))
    }

    /// A string that lives in the arena (or forever) already.
    pub fn str_in(&self, text: &'a str) -> Value<'a> {
        Value::Str(self.arena.bump.alloc(text))
    }

    /// A name as a string.
    pub(crate) fn name(&self, name: Symbol) -> Value<'a> {
        Value::Str(name.text())
    }

    /// Text copied into the arena.
    pub fn alloc_str(&self, text: &str) -> &'a str {
        self.arena.bump.alloc_str(text)
    }

    /// Anything moved into the arena. It is never dropped.
    pub fn alloc<T>(&self, value: T) -> &'a T {
        self.arena.bump.alloc(value)
    }

    /// Values copied into the arena.
    pub fn alloc_values(&self, values: &[Value<'a>]) -> &'a [Value<'a>] {
        self.arena.bump.alloc_slice_copy(values)
    }

    /// A path.
    pub fn path(&self, path: &VirtualPath) -> Value<'a> {
        let text = self.arena.bump.alloc_str(&path.path);
        Value::Path(self.arena.bump.alloc(PathValue { root: path.root, path: text }))
    }

    /// A list.
    pub fn list(&self, items: impl IntoIterator<Item = Value<'a>>) -> Value<'a> {
        let items: Vec<Value<'a>> = items.into_iter().collect();
        self.list_of(items.len(), items.into_iter())
    }

    /// A list of so many elements; missing ones would be null.
    pub(crate) fn list_of(&self, len: usize, items: impl Iterator<Item = Value<'a>>) -> Value<'a> {
        let mut items = items.map(Cell::new);
        let fill = |_| items.next().unwrap_or(Cell::new(Value::Null));
        let items: &'a [Cell<Value<'a>>] = self.arena.bump.alloc_slice_fill_with(len, fill);
        Value::List(self.arena.bump.alloc(List { items }))
    }

    /// A list that is a part of another.
    pub(crate) fn sub_list(&self, items: &'a [Cell<Value<'a>>]) -> Value<'a> {
        Value::List(self.arena.bump.alloc(List { items }))
    }

    /// A function that [`Self::apply_later`] calls.
    pub(crate) fn application(&self, function: Value<'a>, at: Span) -> &'a Application<'a> {
        self.alloc(Application { function, at })
    }

    /// The function's value for an argument, later.
    pub(crate) fn apply_later(&self, call: &'a Application<'a>, arg: Value<'a>) -> Value<'a> {
        self.new_thunk(ThunkState::Apply(call, arg))
    }

    /// An attribute set that no file wrote.
    pub fn attrs<N: Into<Symbol>>(
        &self,
        entries: impl IntoIterator<Item = (N, Value<'a>)>,
    ) -> Value<'a> {
        let mut builder = AttrsBuilder::new();
        for (name, value) in entries {
            builder.set(name, value);
        }
        builder.finish(self)
    }

    fn finish_attrs(
        &self,
        mut entries: Vec<Attr<'a>>,
        beside: Option<&'a Beside<'a>>,
    ) -> Value<'a> {
        let sorted = entries.windows(2).all(|pair| pair[0].name < pair[1].name);
        if !sorted {
            // A stable sort keeps equal names in their order, and the last one wins.
            entries.sort_by_key(|entry| entry.name);
            entries.reverse();
            entries.dedup_by_key(|entry| entry.name);
            entries.reverse();
        }
        self.sorted_attrs(entries.len(), entries.into_iter(), beside)
    }

    /// A set of entries already sorted by symbol, each name once.
    pub(crate) fn sorted_attrs(
        &self,
        len: usize,
        mut entries: impl Iterator<Item = Attr<'a>>,
        beside: Option<&'a Beside<'a>>,
    ) -> Value<'a> {
        let none =
            || Attr { name: Symbol::new(""), span: Span::NONE, value: Cell::new(Value::Null) };
        let fill = |_| entries.next().unwrap_or_else(none);
        let entries: &'a [Attr<'a>] = self.arena.bump.alloc_slice_fill_with(len, fill);
        self.attrs_of(entries, beside)
    }

    /// A set of entries in the arena, already sorted by symbol, each name once.
    pub(crate) fn attrs_of(
        &self,
        entries: &'a [Attr<'a>],
        beside: Option<&'a Beside<'a>>,
    ) -> Value<'a> {
        Value::Attrs(self.arena.bump.alloc(Attrs::new(entries, beside)))
    }

    /// A value that `body` computes when it is first forced; it may return a thunk.
    pub fn thunk(&self, body: impl Fn(&Evaluator<'a>) -> Result<Value<'a>> + 'a) -> Value<'a> {
        let body = self.arena.bump.alloc(body);
        self.new_thunk(ThunkState::Native(body))
    }

    /// A function written in Rust. Its arguments may be thunks; it may return one.
    pub fn primop(
        &self,
        name: &str,
        arity: usize,
        body: impl Fn(&Evaluator<'a>, &[Value<'a>], Span) -> Result<Value<'a>> + 'a,
    ) -> Value<'a> {
        let name = self.arena.bump.alloc_str(name);
        let body = self.arena.bump.alloc(body);
        Value::PrimOp(self.arena.bump.alloc(PrimOp {
            name,
            arity,
            body,
            args: &[],
            asks_first: &[],
        }))
    }

    pub(crate) fn new_thunk(&self, state: ThunkState<'a>) -> Value<'a> {
        Value::Thunk(self.arena.bump.alloc(Thunk { state: Cell::new(state) }))
    }

    pub(crate) fn closure(&self, lambda: &'a Lambda, env: &'a Env<'a>) -> Value<'a> {
        Value::Lambda(self.arena.bump.alloc(Closure { lambda, env: hold(env), given: 0 }))
    }

    /// The value of an expression, later: without a thunk where it is one already.
    pub(crate) fn delay(&self, expr: &'a Expr, env: &'a Env<'a>) -> Value<'a> {
        match &expr.kind {
            ExprKind::Var(depth, slot) => slot_of(env, *depth, *slot).get(),
            ExprKind::Binary(op, left, right) => match known_sum(*op, left, right, env) {
                Some(sum) => Value::Int(sum),
                None => self.delayed(expr, env),
            },
            _ => self.delayed(expr, env),
        }
    }

    /// As [`Self::delay`], while the slots of `env` itself are not filled yet.
    pub(crate) fn delayed(&self, expr: &'a Expr, env: &'a Env<'a>) -> Value<'a> {
        match &expr.kind {
            ExprKind::Null => Value::Null,
            ExprKind::Bool(value) => Value::Bool(*value),
            ExprKind::Int(value) => Value::Int(*value),
            ExprKind::Float(value) => Value::Float(*value),
            ExprKind::Str(text) => Value::Str(text.text()),
            ExprKind::Lambda(lambda) => self.closure(lambda, env),
            ExprKind::Global(index) => self.global(*index),
            ExprKind::Var(depth, slot) if *depth > 0 => slot_of(env, *depth, *slot).get(),
            _ => self.new_thunk(ThunkState::Delayed(expr, hold(env))),
        }
    }
}

/// The result of an operator, where both operands are integers already: it needs no thunk.
fn known_sum<'a>(op: BinaryOp, left: &Expr, right: &Expr, env: &'a Env<'a>) -> Option<i64> {
    let (a, b) = (known_int(left, env)?, known_int(right, env)?);
    match op {
        BinaryOp::Add => a.checked_add(b),
        BinaryOp::Sub => a.checked_sub(b),
        BinaryOp::Mul => a.checked_mul(b),
        _ => None,
    }
}

/// The integer that an expression is without any evaluation.
#[inline]
pub(crate) fn known_int<'a>(expr: &Expr, env: &'a Env<'a>) -> Option<i64> {
    match expr.kind {
        ExprKind::Int(value) => Some(value),
        ExprKind::Var(depth, slot) => match slot_of(env, depth, slot).get() {
            Value::Int(value) => Some(value),
            _ => None,
        },
        _ => None,
    }
}
