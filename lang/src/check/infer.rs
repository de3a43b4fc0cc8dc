//! The walk over expressions.

use std::cell::{Cell, RefCell};

use crate::source::Span;
use crate::symbol::Symbol;
use crate::tree::{AttrsExpr, Expr, ExprKind, Formal, Lambda, Param, Part};

use super::demand::TEXT;
use super::lookup::Look;
use super::scope::{Binder, Cx, Place, Scope};
use super::ty::{Field, Fun, Item, Kinds, ListTy, Mode, Record, SetTy, State, Thunk, Ty};
use super::watch::Seen;
use super::{Checker, Pending};

/// Unions of more members than this are anything.
const WIDEST: usize = 12;
/// Of longer lists only the bound of all elements is known.
const LONGEST: usize = 64;
/// Of longer texts than this, in bytes, only that they are texts is known.
const LONGEST_TEXT: usize = 200;
/// Deeper calls and values than this are anything.
const DEEPEST: u32 = 400;

impl<'a> Checker<'_, 'a> {
    /// The type of an expression, resolved.
    pub(super) fn infer(&self, expr: &'a Expr, cx: Cx<'a>) -> Ty<'a> {
        if self.mode.get() != Mode::All {
            let Some(fuel) = self.fuel.get().checked_sub(1) else {
                return self.given_up(expr.span);
            };
            self.fuel.set(fuel);
        }
        let depth = self.nesting.get();
        if depth > DEEPEST && self.mode.get() != Mode::All {
            return self.given_up(expr.span);
        }
        self.nesting.set(depth + 1);
        let ty = stacker::maybe_grow(256 << 10, 8 << 20, || self.force(self.kind(expr, cx)));
        self.nesting.set(depth);
        self.saw(expr.span, || Seen::Expr(ty));
        ty
    }

    /// Runs `work` on a part of a type, which may be a part of itself: not too often.
    pub(super) fn inside<T>(&self, otherwise: T, work: impl FnOnce() -> T) -> T {
        let depth = self.nesting.get();
        if depth > DEEPEST {
            self.doubt_if(true, Span::NONE);
            return otherwise;
        }
        self.nesting.set(depth + 1);
        let result = stacker::maybe_grow(256 << 10, 8 << 20, work);
        self.nesting.set(depth);
        result
    }

    fn kind(&self, expr: &'a Expr, cx: Cx<'a>) -> Ty<'a> {
        match &expr.kind {
            ExprKind::Null => Ty::Null,
            ExprKind::Bool(_) => Ty::Bool,
            ExprKind::Int(value) => Ty::Int(Some(*value)),
            ExprKind::Float(_) => Ty::Float,
            ExprKind::Str(text) => Ty::Str(Some(text.as_str())),
            ExprKind::Path(path) => Ty::Path(Some(path)),
            ExprKind::Interpolation(parts) => Ty::Str(self.texts(parts, cx)),
            ExprKind::PathInterpolation(_, parts) => {
                self.texts(parts, cx);
                Ty::Path(None)
            }
            ExprKind::Var(depth, slot) => {
                self.note_hidden(*depth, cx, expr.span);
                self.note_learnt(*depth, *slot, cx, expr.span);
                self.variable(*depth, *slot, cx)
            }
            ExprKind::Global(index) => match self.eval.globals.get(*index as usize) {
                Some(value) => self.of_value(*value),
                None => Ty::Dyn,
            },
            ExprKind::With(name, scopes) => self.with_lookup(*name, scopes, cx, expr.span),
            ExprKind::Select(of, path, default) => self.select(of, path, default.as_deref(), cx),
            ExprKind::HasAttr(of, path) => {
                self.infer(of, cx);
                self.visit_keys(path, cx);
                Ty::Bool
            }
            ExprKind::Apply(function, args) => self.apply(function, args, cx, expr.span),
            ExprKind::Lambda(lambda) => {
                self.later(Pending::Body(lambda, cx));
                Ty::Fun(Fun::Closure(lambda, cx, &[]))
            }
            ExprKind::List(items) => self.list(items, cx),
            ExprKind::Attrs(attrs) => self.attrs(attrs, cx),
            ExprKind::Let(bindings, body) => {
                let inner = self.bind(bindings, cx);
                self.infer(body, inner)
            }
            ExprKind::WithScope(scope, body) => {
                let inner = self.enter_with(scope, cx);
                self.infer(body, inner)
            }
            ExprKind::If(condition, yes, no) => {
                let (then, otherwise) = self.condition(condition, cx);
                let branch = |expr: &'a Expr, cx: Option<Cx<'a>>| match cx {
                    Some(cx) => self.aside(|| self.infer(expr, cx)),
                    None => Ty::Never,
                };
                let (yes, no) = (branch(yes, then), branch(no, otherwise));
                self.union([yes, no])
            }
            ExprKind::Assert(condition, body) => match self.condition(condition, cx).0 {
                Some(cx) => match (self.infer(body, cx), &condition.kind) {
                    (_, ExprKind::Bool(false)) => Ty::Never,
                    (ty, _) => ty,
                },
                None => Ty::Never,
            },
            ExprKind::Binary(op, left, right) => self.binary(*op, left, right, cx, expr.span),
            ExprKind::Not(of) => {
                self.expect_bool(of, cx);
                Ty::Bool
            }
            ExprKind::Negate(of) => {
                let ty = self.infer(of, cx);
                self.expect(ty, Kinds::NUMBER, "a number", of.span);
                self.demand(of, cx, Kinds::NUMBER);
                match ty {
                    Ty::Int(value) => Ty::Int(value.and_then(i64::checked_neg)),
                    Ty::Float => Ty::Float,
                    _ => Ty::Dyn,
                }
            }
            ExprKind::CurPos | ExprKind::Fail(_) => Ty::Dyn,
        }
    }

    /// The text that all parts make, where it is known and short.
    fn texts(&self, parts: &'a [Part], cx: Cx<'a>) -> Option<&'a str> {
        let mut whole = Some(String::new());
        for part in parts {
            let text = match part {
                Part::Text(text) => Some(&**text),
                Part::Expr(expr) => {
                    let ty = self.infer(expr, cx);
                    self.expect_text(ty, expr.span);
                    self.demand(expr, cx, TEXT);
                    match ty {
                        Ty::Str(text) => text,
                        _ => None,
                    }
                }
            };
            whole = whole.zip(text).map(|(whole, text)| whole + text);
        }
        whole.filter(|text| text.len() < LONGEST_TEXT).map(|text| self.eval.alloc_str(&text))
    }

    fn variable(&self, depth: u32, slot: u32, cx: Cx<'a>) -> Ty<'a> {
        let Some(scope) = cx.scope.outer(depth) else { return Ty::Dyn };
        if let Some(ty) = cx.fact(&Place { scope, slot, path: &[] }) {
            return ty;
        }
        match scope.slots.get(slot as usize) {
            // The thunk stays in its slot: `narrow` looks through names of conditions.
            Some(cell) => self.force(cell.get()),
            None => Ty::Dyn,
        }
    }

    /// Warns of a name that a `let` binds where a nearer `with` has it too: the `let` wins.
    fn note_hidden(&self, depth: u32, cx: Cx<'a>, at: Span) {
        let bound = cx.scope.outer(depth).is_some_and(|scope| scope.binder == Binder::Let);
        if depth == 0 || !bound || self.mode.get() != Mode::All {
            return;
        }
        let between = (0..depth).filter_map(|depth| cx.scope.outer(depth));
        for with in between.filter(|scope| scope.binder == Binder::With) {
            let Some(text) = self.eval.world.sources.text(at) else { return };
            let set = with.slots.first().map_or(Ty::Dyn, |slot| self.resolve(slot.get()));
            if let Look::Has(_) = self.look_in(set, Symbol::new(&text)) {
                self.report(super::report::hidden(&text, at));
                return;
            }
        }
    }

    fn list(&self, items: &'a [Expr], cx: Cx<'a>) -> Ty<'a> {
        let each = items.iter().map(|item| Item { ty: self.part(item, cx), at: item.span });
        let elems = each.collect();
        self.list_of_items(elems)
    }

    pub(super) fn list_of(&self, elem: Ty<'a>, non_empty: bool) -> Ty<'a> {
        Ty::List(self.eval.alloc(ListTy { elem, non_empty, items: None }))
    }

    /// A list of these elements.
    pub(super) fn list_of_items(&self, items: Vec<Item<'a>>) -> Ty<'a> {
        let known = (items.len() <= LONGEST).then(|| self.slice(&items));
        let non_empty = !items.is_empty();
        let elem = self.aside(|| self.union(items.into_iter().map(|item| item.ty)));
        Ty::List(self.eval.alloc(ListTy { elem, non_empty, items: known }))
    }

    /// A part of a value, which evaluation may never come by: looked at when it is needed, or in
    /// the end.
    pub(super) fn part(&self, expr: &'a Expr, cx: Cx<'a>) -> Ty<'a> {
        match &expr.kind {
            ExprKind::Null => Ty::Null,
            ExprKind::Bool(_) => Ty::Bool,
            ExprKind::Int(value) => Ty::Int(Some(*value)),
            ExprKind::Str(text) => Ty::Str(Some(text.as_str())),
            _ => {
                let home = match self.mode.get() {
                    Mode::All => Mode::All,
                    _ => Mode::Silent,
                };
                let thunk = self.thunk(expr, cx, home);
                self.later(Pending::Thunk(thunk));
                Ty::Later(thunk)
            }
        }
    }

    pub(super) fn thunk(&self, expr: &'a Expr, cx: Cx<'a>, home: Mode) -> &'a Thunk<'a> {
        let (born, state) = (self.rounds.get(), Cell::new(State::Waiting));
        let (site, faults) = (self.site.get(), RefCell::default());
        self.eval.alloc(Thunk { expr, cx, home, born, site, state, faults })
    }

    /// A type whose outermost form is known. What fails in it fails only where it is needed.
    pub(super) fn resolve(&self, ty: Ty<'a>) -> Ty<'a> {
        match ty {
            Ty::Later(thunk) => match thunk.state.get() {
                State::Done(ty) => ty,
                State::Busy => Ty::Dyn,
                State::Waiting => self.within(None, || self.look_at(thunk)),
            },
            Ty::Value(ty) => self.of_option(ty),
            known => known,
        }
    }

    /// As [`Self::resolve`], of what evaluation comes by here.
    pub(super) fn force(&self, ty: Ty<'a>) -> Ty<'a> {
        let Ty::Later(thunk) = ty else { return self.resolve(ty) };
        let ty = match thunk.state.get() {
            State::Done(ty) => ty,
            State::Busy => Ty::Dyn,
            State::Waiting => self.look_at(thunk),
        };
        let fault = thunk.faults.borrow().first().cloned();
        match (fault, self.mode.get()) {
            (Some(fault), Mode::Call) => self.faults.borrow_mut().push(fault),
            (Some(fault), Mode::All) => {
                if let Some(site) = thunk.site {
                    self.blame(site, fault);
                }
            }
            _ => {}
        }
        ty
    }

    /// Infers a thunk that nobody has asked for yet, and keeps with it what fails in it.
    fn look_at(&self, thunk: &'a Thunk<'a>) -> Ty<'a> {
        thunk.state.set(State::Busy);
        let known = self.unknown.replace(thunk.cx.scope.unknown);
        let site = self.site.replace(thunk.site);
        self.resolving.borrow_mut().push(thunk.born);
        let infer = || self.infer(thunk.expr, thunk.cx);
        let ty = match thunk.home {
            Mode::All => self.in_mode(Mode::All, infer),
            _ => {
                let others = self.faults.take();
                let ty = self.in_mode(Mode::Call, infer);
                thunk.faults.replace(self.faults.replace(others));
                ty
            }
        };
        let fails = !thunk.faults.borrow().is_empty();
        self.doubt_if(fails, thunk.expr.span);
        self.resolving.borrow_mut().pop();
        self.site.set(site);
        self.unknown.set(known);
        let ty = self.resolve(ty);
        thunk.state.set(State::Done(ty));
        ty
    }

    /// The bound of all these.
    pub(super) fn union(&self, types: impl IntoIterator<Item = Ty<'a>>) -> Ty<'a> {
        let mut members: Vec<Ty<'a>> = Vec::new();
        for ty in types {
            let ty = self.resolve(ty);
            for member in ty.members() {
                if matches!(member, Ty::Dyn) {
                    return Ty::Dyn;
                }
                add_member(&mut members, *member);
            }
        }
        if members.len() > WIDEST {
            // Many texts are some text.
            members.retain(|member| !matches!(member, Ty::Str(_)));
            members.push(Ty::Str(None));
        }
        match &members[..] {
            [] => Ty::Never,
            [one] => *one,
            many if many.len() > WIDEST => Ty::Dyn,
            many => Ty::Union(self.slice(many)),
        }
    }

    /// The scope of a `let` or a recursive set.
    pub(super) fn bind(&self, expr: &'a AttrsExpr, cx: Cx<'a>) -> Cx<'a> {
        if !expr.has_env() {
            return cx;
        }
        let named = if expr.recursive { expr.entries.len() } else { 0 };
        let count = named + expr.sources.len();
        let nothing = std::iter::repeat_n(Ty::Dyn, count);
        let scope = self.scope_of(Binder::Let, Some(cx.scope), nothing);
        let inner = Cx { scope, ..cx };
        let (names, sources) = scope.slots.split_at(named);
        for (slot, source) in sources.iter().zip(&expr.sources) {
            slot.set(self.part(source, inner));
        }
        for (slot, entry) in names.iter().zip(&expr.entries) {
            let ty = self.part(&entry.value, if entry.outer { cx } else { inner });
            slot.set(if expr.overrides.is_some() { Ty::Dyn } else { ty });
            self.saw(entry.span, || Seen::Bound(slot.get()));
        }
        inner
    }

    pub(super) fn enter_with(&self, scope: &'a Expr, cx: Cx<'a>) -> Cx<'a> {
        let names = self.part(scope, cx);
        let scope = self.scope_of(Binder::With, Some(cx.scope), std::iter::once(names));
        Cx { scope, ..cx }
    }

    fn attrs(&self, expr: &'a AttrsExpr, cx: Cx<'a>) -> Ty<'a> {
        let inner = self.bind(expr, cx);
        if expr.overrides.is_some() {
            return self.any_set();
        }
        let mut fields = Vec::with_capacity(expr.entries.len());
        for (index, entry) in expr.entries.iter().enumerate() {
            let ty = match inner.scope.slots.get(index).filter(|_| expr.recursive) {
                Some(slot) => slot.get(),
                None => self.part(&entry.value, if entry.outer { cx } else { inner }),
            };
            let (key, at) = (entry.span, entry.value.span);
            self.saw(key, || Seen::Bound(ty));
            fields.push(Field { name: entry.name, ty, optional: false, key, at });
        }
        let mut rest = None;
        for entry in &expr.dynamic {
            let name = self.infer(&entry.name, inner);
            self.expect(name, Kinds::STR.or(Kinds::NULL), "a string", entry.name.span);
            let value = self.part(&entry.value, inner);
            rest = Some(if rest.is_none() { value } else { Ty::Dyn });
        }
        self.record(fields, rest)
    }

    /// A set with these attributes; of a name that comes twice, the first counts.
    pub(super) fn record(&self, mut fields: Vec<Field<'a>>, rest: Option<Ty<'a>>) -> Ty<'a> {
        fields.sort_by_key(|field| field.name);
        fields.dedup_by_key(|field| field.name);
        let fields = self.slice(&fields);
        Ty::Set(SetTy::Record(self.eval.alloc(Record { fields, rest })))
    }

    /// A set of which nothing is known.
    pub(super) fn any_set(&self) -> Ty<'a> {
        self.record(Vec::new(), Some(Ty::Dyn))
    }

    /// Looks at a function's body for its own sake: its arguments are anything.
    pub(super) fn visit_body(&self, lambda: &'a Lambda, cx: Cx<'a>) {
        // By a custom that nobody breaks `lib` is the library, perhaps with more in it.
        let given = |formal: &'a Formal| match (formal.name.as_str(), self.library()) {
            ("lib", Ty::Set(SetTy::Known { attrs, .. })) if formal.default.is_none() => {
                Ty::Set(SetTy::Known { attrs, open: true })
            }
            _ => Ty::Dyn,
        };
        self.not_known(|| {
            let scope = self.params(lambda, cx, given, &[]);
            self.within(Some(scope), || self.infer(&lambda.body, Cx { scope, ..cx }));
        });
    }

    /// Looks at the function that a file is for its own sake, with the library and the configuration
    /// that it is given: they are the same for all who call it.
    pub(super) fn visit_file(&self, lambda: &'a Lambda, cx: Cx<'a>, arg: Ty<'a>) {
        let Param::Pattern(pattern) = &lambda.param else { return };
        let known = |formal: &Formal| match self.look_in(arg, formal.name) {
            Look::Has(ty) => match self.resolve(ty) {
                ty @ Ty::Set(SetTy::Config { .. } | SetTy::Options(_)) => Some(ty),
                ty @ Ty::Set(SetTy::Known { open: false, .. }) => Some(ty),
                _ => None,
            },
            _ => None,
        };
        let new = pattern.formals.iter().any(|formal| known(formal).is_some())
            && self.visited.borrow_mut().insert(std::ptr::from_ref(lambda));
        if new {
            self.not_known(|| {
                let scope = self.params(lambda, cx, |formal| known(formal).unwrap_or(Ty::Dyn), &[]);
                self.within(Some(scope), || self.infer(&lambda.body, Cx { scope, ..cx }));
            });
        }
    }

    /// The scope of a function's body, where `given` says what each formal of a pattern is given,
    /// and `args` what plain parameters, or the whole of a pattern, are; what is not said is
    /// anything.
    pub(super) fn params(
        &self,
        lambda: &'a Lambda,
        cx: Cx<'a>,
        given: impl Fn(&'a Formal) -> Ty<'a>,
        args: &[Ty<'a>],
    ) -> &'a Scope<'a> {
        let pattern = match &lambda.param {
            Param::Names(names) => {
                let arg = |index| args.get(index).copied().unwrap_or(Ty::Dyn);
                let slots = (0..names.len()).map(arg);
                for (index, (_, span)) in names.iter().enumerate() {
                    self.saw(*span, || Seen::Bound(arg(index)));
                }
                return self.scope_of(Binder::Params, Some(cx.scope), slots);
            }
            Param::Pattern(pattern) => pattern,
        };
        let count = pattern.formals.len() + usize::from(pattern.at.is_some());
        let nothing = std::iter::repeat_n(Ty::Dyn, count);
        let scope = self.scope_of(Binder::Params, Some(cx.scope), nothing);
        let inner = Cx { scope, ..cx };
        for (formal, slot) in pattern.formals.iter().zip(scope.slots) {
            let default = formal.default.as_ref().map(|default| self.part(default, inner));
            slot.set(match (given(formal), default) {
                (Ty::Never, Some(default)) => default,
                (Ty::Never, None) => Ty::Dyn,
                (given, _) => given,
            });
            self.saw(formal.span, || Seen::Bound(slot.get()));
        }
        if let (Some((_, span)), Some(slot)) = (pattern.at, scope.slots.last()) {
            slot.set(args.first().copied().unwrap_or_else(|| self.any_set()));
            self.saw(span, || Seen::Bound(slot.get()));
        }
        scope
    }

    /// The elements' bound, of a list that has any.
    pub(super) fn elements(&self, ty: Ty<'a>) -> Ty<'a> {
        let each = ty.members().iter().map(|member| match member {
            Ty::List(list) => list.elem,
            _ => Ty::Dyn,
        });
        let each: Vec<_> = each.collect();
        self.union(each)
    }

    pub(super) fn expect_bool(&self, expr: &'a Expr, cx: Cx<'a>) {
        let ty = self.infer(expr, cx);
        self.expect(ty, Kinds::BOOL, "a boolean", expr.span);
        self.demand(expr, cx, Kinds::BOOL);
    }

    /// Reports a value that is of none of these kinds.
    pub(super) fn expect(&self, ty: Ty<'a>, kinds: Kinds, words: &str, at: Span) -> bool {
        let ty = self.resolve(ty);
        if ty.is_vague() || ty.kinds().meets(kinds) {
            self.sure_of_kinds(ty, kinds, at);
            return true;
        }
        self.report(super::report::mismatch(words, &ty, at));
        false
    }
}

fn add_member<'a>(members: &mut Vec<Ty<'a>>, new: Ty<'a>) {
    let same = |known: &Ty<'a>| match (known, &new) {
        (Ty::Null, Ty::Null)
        | (Ty::Bool, Ty::Bool)
        | (Ty::Float, Ty::Float)
        | (Ty::Str(None) | Ty::Int(None), Ty::Str(_) | Ty::Int(_))
        | (Ty::Path(_), Ty::Path(None)) => known.kinds() == new.kinds(),
        (Ty::Str(a), Ty::Str(b)) => a == b,
        (Ty::Int(a), Ty::Int(b)) => a == b,
        (Ty::List(a), Ty::List(b)) => std::ptr::eq(*a, *b),
        (Ty::Set(SetTy::Record(a)), Ty::Set(SetTy::Record(b))) => std::ptr::eq(*a, *b),
        (Ty::Set(SetTy::Known { attrs: a, .. }), Ty::Set(SetTy::Known { attrs: b, .. })) => {
            std::ptr::eq(*a, *b)
        }
        (Ty::Set(SetTy::Config { level: a, .. }), Ty::Set(SetTy::Config { level: b, .. })) => {
            std::ptr::eq(*a, *b)
        }
        (Ty::Fun(Fun::Any), Ty::Fun(Fun::Any)) => true,
        _ => false,
    };
    if members.iter().any(same) {
        return;
    }
    if let Ty::Str(None) | Ty::Int(None) = new {
        members.retain(|known| known.kinds() != new.kinds());
    }
    members.push(new);
}
