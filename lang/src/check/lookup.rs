//! Attributes: `a.b or c`, `with`, and what is known of a set's names.

use crate::modules::Node;
use crate::source::Span;
use crate::symbol::Symbol;
use crate::tree::{Expr, ExprKind, Key};
use crate::value::Value;

use super::Checker;
use super::scope::{Cx, Place};
use super::ty::{Kinds, SetTy, Ty};
use super::watch::Seen;

/// What is known of a name in a set.
#[derive(Clone, Copy)]
pub(super) enum Look<'a> {
    /// It is there.
    Has(Ty<'a>),
    /// It may be there, and then has this type.
    Maybe(Ty<'a>),
    /// It is not there.
    No,
}

impl<'a> Checker<'_, 'a> {
    pub(super) fn select(
        &self,
        of: &'a Expr,
        path: &'a [Key],
        default: Option<&'a Expr>,
        cx: Cx<'a>,
    ) -> Ty<'a> {
        let mut ty = self.infer(of, cx);
        let mut place = self.place(of, cx);
        let mut certain = true;
        if default.is_none() {
            self.demand(of, cx, Kinds::SET);
        }
        for key in path {
            if let Ty::Never = ty {
                self.visit_keys(path, cx);
                return Ty::Never;
            }
            let (name, span) = match key {
                Key::Static(name, span) => (*name, *span),
                Key::Dynamic(expr) => match self.dynamic_key(expr, cx) {
                    Some(name) => (name, expr.span),
                    None => {
                        self.doubt_if(default.is_none(), expr.span);
                        ty = self.any_attribute(ty);
                        place = None;
                        certain = false;
                        continue;
                    }
                },
            };
            self.saw(span, || Seen::Name(ty, name));
            place = place.map(|place| Place { path: self.symbols(place.path, name), ..place });
            if let Some(known) = place.as_ref().and_then(|place| cx.fact(place)) {
                ty = known;
                continue;
            }
            match self.look_in(ty, name) {
                Look::Has(found) => ty = self.force(found),
                Look::Maybe(found) => {
                    self.doubt_if(default.is_none(), span);
                    ty = self.resolve(found);
                    certain = false;
                }
                Look::No if default.is_some() => {
                    ty = Ty::Never;
                    certain = false;
                    break;
                }
                Look::No => {
                    self.report(self.missing(ty, name, span));
                    self.visit_keys(path, cx);
                    return Ty::Dyn;
                }
            }
        }
        let Some(default) = default else { return ty };
        let otherwise = self.aside(|| self.infer(default, cx));
        if certain { ty } else { self.union([ty, otherwise]) }
    }

    /// Keys are expressions too.
    pub(super) fn visit_keys(&self, path: &'a [Key], cx: Cx<'a>) {
        for key in path {
            if let Key::Dynamic(expr) = key {
                self.dynamic_key(expr, cx);
            }
        }
    }

    fn dynamic_key(&self, expr: &'a Expr, cx: Cx<'a>) -> Option<Symbol> {
        let name = self.infer(expr, cx);
        self.expect(name, Kinds::STR, "a string", expr.span);
        match name {
            Ty::Str(Some(name)) => Some(Symbol::new(name)),
            _ => None,
        }
    }

    /// The variable or attribute that an expression names.
    pub(super) fn place(&self, expr: &'a Expr, cx: Cx<'a>) -> Option<Place<'a>> {
        match &expr.kind {
            ExprKind::Var(depth, slot) => {
                Some(Place { scope: cx.scope.outer(*depth)?, slot: *slot, path: &[] })
            }
            ExprKind::Select(of, path, _) => self.place_below(self.place(of, cx)?, path, cx),
            _ => None,
        }
    }

    pub(super) fn place_below(
        &self,
        mut place: Place<'a>,
        path: &'a [Key],
        cx: Cx<'a>,
    ) -> Option<Place<'a>> {
        for name in self.names_of_path(path, cx)? {
            place.path = self.symbols(place.path, name);
        }
        Some(place)
    }

    /// A name in a value: `No` only if no alternative has it.
    pub(super) fn look_in(&self, ty: Ty<'a>, name: Symbol) -> Look<'a> {
        let ty = self.resolve(ty);
        if ty.is_vague() {
            return Look::Maybe(Ty::Dyn);
        }
        let (mut found, mut certain) = (Vec::new(), true);
        for member in ty.members() {
            match member {
                Ty::Set(set) => match self.look(*set, name) {
                    Look::Has(ty) => found.push(ty),
                    Look::Maybe(ty) => {
                        found.push(ty);
                        certain = false;
                    }
                    Look::No => certain = false,
                },
                _ => certain = false,
            }
        }
        match (&found[..], certain) {
            ([], _) => Look::No,
            ([one], true) => Look::Has(*one),
            (many, true) => Look::Has(self.union(many.iter().copied())),
            (many, false) => Look::Maybe(self.union(many.iter().copied())),
        }
    }

    /// A name in a set.
    pub(super) fn look(&self, set: SetTy<'a>, name: Symbol) -> Look<'a> {
        match set {
            SetTy::Record(record) => match (record.get(name), record.rest) {
                (Some(field), _) if !field.optional => Look::Has(field.ty),
                (Some(field), _) => Look::Maybe(field.ty),
                (None, Some(rest)) => Look::Maybe(rest),
                (None, None) => Look::No,
            },
            SetTy::Config { level, open } => match level.child(name) {
                Some(child) => match child.node(self.eval) {
                    Ok(Node::Level(level)) => Look::Has(Ty::Set(SetTy::Config { level, open })),
                    Ok(Node::Option(option)) => Look::Has(self.of_option_node(option)),
                    Err(_) => Look::Has(Ty::Dyn),
                },
                None if open => Look::Maybe(Ty::Dyn),
                None => Look::No,
            },
            SetTy::Options(level) => match level.child(name).map(|child| child.node(self.eval)) {
                Some(Ok(Node::Level(level))) => Look::Has(Ty::Set(SetTy::Options(level))),
                Some(_) => Look::Has(Ty::Dyn),
                None => Look::No,
            },
            SetTy::Known { attrs, open } => match attrs.get(name) {
                Some(attr) => Look::Has(match self.of_value(attr.value.get()) {
                    Ty::Set(SetTy::Known { attrs, .. }) => Ty::Set(SetTy::Known { attrs, open }),
                    ty => ty,
                }),
                None if crate::eval::fallback(Value::Attrs(attrs)).is_some() => {
                    Look::Maybe(self.any_set())
                }
                None if open => Look::Maybe(Ty::Dyn),
                None => Look::No,
            },
        }
    }

    /// The bound of an attribute whose name is computed.
    fn any_attribute(&self, ty: Ty<'a>) -> Ty<'a> {
        match ty {
            Ty::Set(SetTy::Record(record)) if record.fields.is_empty() => {
                record.rest.map_or(Ty::Dyn, |rest| self.resolve(rest))
            }
            _ => Ty::Dyn,
        }
    }

    /// The bound of all attributes of a set.
    pub(super) fn attributes(&self, ty: Ty<'a>) -> Ty<'a> {
        let mut all = Vec::new();
        for member in ty.members() {
            match member {
                Ty::Set(SetTy::Record(record)) => {
                    all.extend(record.fields.iter().map(|field| field.ty));
                    all.extend(record.rest);
                }
                _ => return Ty::Dyn,
            }
        }
        self.union(all)
    }

    /// A name that only a `with` can bring: the innermost that has it.
    pub(super) fn with_lookup(
        &self,
        name: Symbol,
        scopes: &'a [u32],
        cx: Cx<'a>,
        at: Span,
    ) -> Ty<'a> {
        self.saw_with(scopes, cx, at);
        let mut unknown = false;
        for depth in scopes {
            let set = cx.scope.outer(*depth).and_then(|scope| scope.slots.first());
            let set = set.map_or(Ty::Dyn, |slot| self.force(slot.get()));
            match self.look_in(set, name) {
                Look::Has(ty) if !unknown => return self.force(ty),
                Look::No => {}
                _ => {
                    self.doubt_if(true, at);
                    unknown = true;
                }
            }
        }
        if !unknown {
            self.report(super::report::unbound(name, at));
        }
        Ty::Dyn
    }
}
