//! Operators with two operands.

use crate::source::Span;
use crate::symbol::Symbol;
use crate::tree::{BinaryOp, Expr, ExprKind};

use super::Checker;
use super::lookup::Look;
use super::report;
use super::scope::Cx;
use super::ty::{Field, Kinds, Mode, SetTy, Ty};

/// What `+` adds or joins: sets may say how.
const ADDED: Kinds = Kinds::NUMBER.or(Kinds::STR).or(Kinds::PATH).or(Kinds::SET);
/// What has an order, each with its like.
const ORDERED: Kinds = Kinds::NUMBER.or(Kinds::STR).or(Kinds::PATH).or(Kinds::LIST);

impl<'a> Checker<'_, 'a> {
    pub(super) fn binary(
        &self,
        op: BinaryOp,
        left: &'a Expr,
        right: &'a Expr,
        cx: Cx<'a>,
        at: Span,
    ) -> Ty<'a> {
        match op {
            BinaryOp::And | BinaryOp::Or | BinaryOp::Implies => {
                let (then, otherwise) = self.condition(left, cx);
                let next = if op == BinaryOp::Or { otherwise } else { then };
                if let Some(cx) = next {
                    self.aside(|| self.expect_bool(right, cx));
                }
                return Ty::Bool;
            }
            _ => {}
        }
        let (a, b) = (self.infer(left, cx), self.infer(right, cx));
        self.demand_operands(op, (left, a), (right, b), cx);
        if let (Ty::Never, _) | (_, Ty::Never) = (a, b) {
            return Ty::Never;
        }
        match op {
            BinaryOp::Add => self.add(a, b, left.span, right.span),
            BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div => {
                let first = self.expect(a, Kinds::NUMBER, "a number", left.span);
                let fine = first && self.expect(b, Kinds::NUMBER, "a number", right.span);
                if fine { number(a, b) } else { Ty::Dyn }
            }
            BinaryOp::Concat => {
                let first = self.expect(a, Kinds::LIST, "a list", left.span);
                if first && self.expect(b, Kinds::LIST, "a list", right.span) {
                    self.concat(a, b)
                } else {
                    Ty::Dyn
                }
            }
            BinaryOp::Update => {
                let first = self.expect(a, Kinds::SET, "an attribute set", left.span);
                if first && self.expect(b, Kinds::SET, "an attribute set", right.span) {
                    self.update(a, b)
                } else {
                    Ty::Dyn
                }
            }
            BinaryOp::Equal | BinaryOp::NotEqual => {
                self.note_never_equal(left, (b, right.span), cx);
                self.note_never_equal(right, (a, left.span), cx);
                Ty::Bool
            }
            _ => {
                self.sure_of_order(a, b, at);
                if !comparable(a, b) {
                    self.report(report::not_comparable(&a, &b, at));
                }
                Ty::Bool
            }
        }
    }

    /// Warns of a text that is compared with an option that never has it.
    fn note_never_equal(&self, option: &'a Expr, (text, at): (Ty<'a>, Span), cx: Cx<'a>) {
        let (Ty::Str(Some(text)), Mode::All) = (text, self.mode.get()) else { return };
        let Some(ty) = self.in_mode(Mode::Silent, || self.option_read(option, cx)) else { return };
        let texts = ty.members().iter().map(|member| match member {
            Ty::Str(text) => *text,
            _ => None,
        });
        let Some(texts) = texts.collect::<Option<Vec<_>>>() else { return };
        if !texts.contains(&text) {
            self.report(report::never_equal(text, &texts, at));
        }
    }

    /// What an option is that an expression reads, without null.
    fn option_read(&self, expr: &'a Expr, cx: Cx<'a>) -> Option<Ty<'a>> {
        let ExprKind::Select(of, path, _) = &expr.kind else { return None };
        let mut ty = self.infer(of, cx);
        for name in self.names_of_path(path, cx)? {
            let (Look::Has(next) | Look::Maybe(next)) = self.look_in(ty, name) else { return None };
            ty = next;
        }
        let Ty::Value(_) = ty else { return None };
        Some(self.without(self.resolve(ty), Kinds::NULL))
    }

    fn add(&self, a: Ty<'a>, b: Ty<'a>, a_at: Span, b_at: Span) -> Ty<'a> {
        self.sure_of_sum(a, b, a_at);
        if a.is_vague() {
            // Nothing takes these on its right.
            if !b.is_vague() && !b.kinds().meets(Kinds::NUMBER) {
                self.expect_text(b, b_at);
            }
            return Ty::Dyn;
        }
        if !a.kinds().meets(ADDED) {
            if !a.kinds().meets(Kinds::FUN) {
                self.report(report::not_added(&a, a_at));
            } else {
                self.expect_text(a, a_at);
            }
            return Ty::Dyn;
        }
        if a.kinds().without(Kinds::NUMBER) == Kinds::NONE {
            if !b.is_vague() && !b.kinds().meets(Kinds::NUMBER) {
                self.report(report::not_a_number(&b, b_at));
                return Ty::Dyn;
            }
            return number(a, b);
        }
        if a.kinds().without(Kinds::STR.or(Kinds::SET)) == Kinds::NONE {
            if self.expect_text(a, a_at) {
                self.expect_text(b, b_at);
            }
            return match (a, b) {
                (Ty::Str(Some(a)), Ty::Str(Some(b))) if a.len() + b.len() < 200 => {
                    Ty::Str(Some(self.eval.alloc_str(&format!("{a}{b}"))))
                }
                _ => Ty::Str(None),
            };
        }
        if a.kinds() == Kinds::PATH {
            self.expect_text(b, b_at);
            return Ty::Path(None);
        }
        Ty::Dyn
    }

    /// Reports what interpolation does not take.
    pub(super) fn expect_text(&self, ty: Ty<'a>, at: Span) -> bool {
        let ty = self.resolve(ty);
        if ty.is_vague() || ty.members().iter().any(|member| self.is_text(*member)) {
            self.sure_of_kinds(ty, Kinds::STR.or(Kinds::PATH), at);
            return true;
        }
        self.report(match self.is_secret(ty) {
            true => crate::eval::secret_in_text(at),
            false => report::not_a_string(&ty, at),
        });
        false
    }

    /// Whether a value is surely the handle of a secret.
    pub(super) fn is_secret(&self, ty: Ty<'a>) -> bool {
        let Ty::Set(set) = ty else { return false };
        let Look::Has(kind) = self.look(set, Symbol::new("_type")) else { return false };
        matches!(self.resolve(kind), Ty::Str(Some(crate::modules::SECRET)))
    }

    /// Whether interpolation may take a value.
    pub(super) fn is_text(&self, ty: Ty<'a>) -> bool {
        match ty {
            Ty::Str(_) | Ty::Path(_) | Ty::Dyn => true,
            Ty::Set(set) => ["outPath", "__toString"]
                .into_iter()
                .any(|name| !matches!(self.look(set, Symbol::new(name)), Look::No)),
            _ => false,
        }
    }

    pub(super) fn concat(&self, a: Ty<'a>, b: Ty<'a>) -> Ty<'a> {
        if a.is_vague() && b.is_vague() {
            return self.list_of(Ty::Dyn, false);
        }
        let some = |ty: Ty<'a>| matches!(ty, Ty::List(list) if list.non_empty);
        let elem = self.aside(|| {
            let (a, b) = (self.elements(a), self.elements(b));
            self.union([a, b])
        });
        let items = |ty: Ty<'a>| match ty {
            Ty::List(list) => list.items,
            _ => None,
        };
        match (items(a), items(b)) {
            (Some(a), Some(b)) => self.list_of_items([a, b].concat()),
            _ => self.list_of(elem, some(a) || some(b)),
        }
    }

    /// `a // b`
    pub(super) fn update(&self, a: Ty<'a>, b: Ty<'a>) -> Ty<'a> {
        let (Ty::Set(SetTy::Record(left)), Ty::Set(SetTy::Record(right))) = (a, b) else {
            return self.update_unions(a, b);
        };
        let mut fields: Vec<Field<'a>> = Vec::with_capacity(left.fields.len() + right.fields.len());
        for new in right.fields {
            let old = left.get(new.name).map(|old| old.ty).or(left.rest);
            match old.filter(|_| new.optional) {
                None => fields.push(*new),
                Some(old) => {
                    let ty = self.union([new.ty, old]);
                    let optional = left.get(new.name).is_none_or(|old| old.optional);
                    fields.push(Field { ty, optional, ..*new });
                }
            }
        }
        for old in left.fields.iter().filter(|old| right.get(old.name).is_none()) {
            let ty = match right.rest {
                Some(rest) => self.union([old.ty, rest]),
                None => old.ty,
            };
            fields.push(Field { ty, ..*old });
        }
        let rest = match (left.rest, right.rest) {
            (Some(left), Some(right)) => Some(self.union([left, right])),
            (left, right) => left.or(right),
        };
        self.record(fields, rest)
    }

    fn update_unions(&self, a: Ty<'a>, b: Ty<'a>) -> Ty<'a> {
        let records = |ty: Ty<'a>| {
            let all = ty.members().iter();
            let sets: Vec<_> =
                all.filter(|one| matches!(one, Ty::Set(SetTy::Record(_)))).copied().collect();
            (sets.len() == ty.members().len() && !sets.is_empty()).then_some(sets)
        };
        match (records(a), records(b)) {
            (Some(left), Some(right)) if left.len() * right.len() <= 4 => {
                let each = left.iter().flat_map(|a| right.iter().map(|b| self.update(*a, *b)));
                let each: Vec<_> = each.collect();
                self.union(each)
            }
            // What the right side surely brings, and anything else.
            (_, Some(right)) => match &right[..] {
                [Ty::Set(SetTy::Record(right))] => {
                    self.record(right.fields.to_vec(), Some(Ty::Dyn))
                }
                _ => self.any_set(),
            },
            _ => self.any_set(),
        }
    }
}

fn number<'a>(a: Ty<'a>, b: Ty<'a>) -> Ty<'a> {
    match (a.kinds(), b.kinds()) {
        (Kinds::INT, Kinds::INT) => Ty::Int(None),
        (Kinds::FLOAT, _) | (_, Kinds::FLOAT) => Ty::Float,
        _ => Ty::Union(&[Ty::Int(None), Ty::Float]),
    }
}

pub(super) fn comparable(a: Ty<'_>, b: Ty<'_>) -> bool {
    if a.is_vague() || b.is_vague() {
        // One of them alone may be of no order.
        let hopeless = |ty: Ty<'_>| !ty.is_vague() && !ty.kinds().meets(ORDERED);
        return !hopeless(a) && !hopeless(b);
    }
    let like = |kinds: Kinds| a.kinds().meets(kinds) && b.kinds().meets(kinds);
    [Kinds::NUMBER, Kinds::STR, Kinds::PATH, Kinds::LIST].into_iter().any(like)
}
