//! Bounds of several types that stay small, for what is computed in rounds.

use super::Checker;
use super::ty::{Field, Fun, Record, SetTy, Ty};

/// Deeper parts are not looked at.
const DEEP: u32 = 4;

impl<'a> Checker<'_, 'a> {
    /// The bound without single values: those are what changes from round to round.
    pub(super) fn widen(&self, ty: Ty<'a>) -> Ty<'a> {
        self.widen_to(ty, DEEP)
    }

    fn widen_to(&self, ty: Ty<'a>, depth: u32) -> Ty<'a> {
        let ty = self.resolve(ty);
        let Some(below) = depth.checked_sub(1) else { return Ty::Dyn };
        match ty {
            Ty::Int(_) => Ty::Int(None),
            Ty::Str(_) => Ty::Str(None),
            Ty::Path(_) => Ty::Path(None),
            Ty::List(list) => {
                self.list_of(self.widen_to(self.resolve(list.elem), below), list.non_empty)
            }
            Ty::Set(SetTy::Record(record)) => {
                let fields = record
                    .fields
                    .iter()
                    .map(|field| Field { ty: self.widen_to(field.ty, below), ..*field });
                let rest = record.rest.map(|rest| self.widen_to(rest, below));
                self.record(fields.collect(), rest)
            }
            Ty::Union(members) => {
                let each = members.iter().map(|member| self.widen_to(*member, depth));
                let each: Vec<_> = each.collect();
                each.into_iter().fold(Ty::Never, |all, one| self.join(all, one))
            }
            other => other,
        }
    }

    /// The bound of both, where lists become one list, and sets of the same names one set.
    pub(super) fn join(&self, a: Ty<'a>, b: Ty<'a>) -> Ty<'a> {
        let (a, b) = (self.resolve(a), self.resolve(b));
        let mut all: Vec<Ty<'a>> = a.members().to_vec();
        for new in b.members() {
            let merged = all.iter_mut().find_map(|known| {
                self.merge(*known, *new).map(|ty| {
                    *known = ty;
                })
            });
            if merged.is_none() {
                all.push(*new);
            }
        }
        self.union(all)
    }

    /// One type for both, where they are of one form.
    fn merge(&self, a: Ty<'a>, b: Ty<'a>) -> Option<Ty<'a>> {
        match (a, b) {
            (Ty::List(a), Ty::List(b)) => {
                let elem = self.join(a.elem, b.elem);
                Some(self.list_of(elem, a.non_empty && b.non_empty))
            }
            (Ty::Set(SetTy::Record(a)), Ty::Set(SetTy::Record(b))) => self.merge_records(a, b),
            _ if self.fits(b, a) => Some(a),
            _ => None,
        }
    }

    fn merge_records(&self, a: &'a Record<'a>, b: &'a Record<'a>) -> Option<Ty<'a>> {
        let names = |record: &'a Record<'a>| record.fields.iter().map(|field| field.name);
        // Sets that grow are one set of which nothing is known but what all have.
        let open = a.rest.is_some() || b.rest.is_some();
        if !open && !names(a).eq(names(b)) {
            return None;
        }
        let rest = match (a.rest, b.rest) {
            (Some(a), Some(b)) => Some(self.join(a, b)),
            (one, other) => one.or(other),
        };
        let mut fields = Vec::with_capacity(a.fields.len());
        for (field, other) in a.fields.iter().map(|field| (field, b.get(field.name))) {
            fields.push(match other {
                Some(other) => Field {
                    ty: self.join(field.ty, other.ty),
                    optional: field.optional || other.optional,
                    ..*field
                },
                None => Field { optional: true, ..self.with_rest(*field, b.rest) },
            });
        }
        for field in b.fields.iter().filter(|field| a.get(field.name).is_none()) {
            fields.push(Field { optional: true, ..self.with_rest(*field, a.rest) });
        }
        Some(self.record(fields, rest))
    }

    fn with_rest(&self, field: Field<'a>, rest: Option<Ty<'a>>) -> Field<'a> {
        match rest {
            Some(rest) => Field { ty: self.join(field.ty, rest), ..field },
            None => field,
        }
    }

    /// Whether every value of `a` is surely one of `b`.
    pub(super) fn fits(&self, a: Ty<'a>, b: Ty<'a>) -> bool {
        self.fits_to(a, b, DEEP + 2)
    }

    fn fits_to(&self, a: Ty<'a>, b: Ty<'a>, depth: u32) -> bool {
        let Some(below) = depth.checked_sub(1) else { return false };
        let (a, b) = (self.resolve(a), self.resolve(b));
        if let Ty::Dyn = b {
            return true;
        }
        let each = a.members();
        each.iter().all(|one| b.members().iter().any(|other| self.one_fits(*one, *other, below)))
    }

    fn one_fits(&self, a: Ty<'a>, b: Ty<'a>, depth: u32) -> bool {
        match (a, b) {
            (_, Ty::Dyn)
            | (Ty::Null, Ty::Null)
            | (Ty::Bool, Ty::Bool)
            | (Ty::Float, Ty::Float)
            | (Ty::Int(_), Ty::Int(None))
            | (Ty::Str(_), Ty::Str(None))
            | (Ty::Path(_), Ty::Path(None))
            | (Ty::Fun(_), Ty::Fun(Fun::Any)) => true,
            (Ty::Int(a), Ty::Int(b)) => a == b,
            (Ty::Str(a), Ty::Str(b)) => a == b,
            (Ty::Path(a), Ty::Path(b)) => a == b,
            (Ty::List(a), Ty::List(b)) => {
                (a.non_empty || !b.non_empty) && self.fits_to(a.elem, b.elem, depth)
            }
            (Ty::Set(SetTy::Record(a)), Ty::Set(SetTy::Record(b))) => self.record_fits(a, b, depth),
            (Ty::Fun(a), Ty::Fun(b)) => same_function(a, b),
            (Ty::Set(SetTy::Known { attrs: a, .. }), Ty::Set(SetTy::Known { attrs: b, .. })) => {
                std::ptr::eq(a, b)
            }
            (Ty::Set(SetTy::Config { level: a, .. }), Ty::Set(SetTy::Config { level: b, .. })) => {
                std::ptr::eq(a, b)
            }
            _ => false,
        }
    }

    fn record_fits(&self, a: &'a Record<'a>, b: &'a Record<'a>, depth: u32) -> bool {
        let has = |field: &Field<'a>| match (b.get(field.name), b.rest) {
            (Some(other), _) => {
                (other.optional || !field.optional) && self.fits_to(field.ty, other.ty, depth)
            }
            (None, Some(rest)) => self.fits_to(field.ty, rest, depth),
            (None, None) => false,
        };
        let rest = match (a.rest, b.rest) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(a), Some(rest)) => {
                let named = b.fields.iter().all(|field| self.fits_to(a, field.ty, depth));
                named && self.fits_to(a, rest, depth)
            }
        };
        // What `a` may lack, `b` may lack.
        let certain = b
            .fields
            .iter()
            .all(|field| field.optional || a.get(field.name).is_some_and(|own| !own.optional));
        certain && rest && a.fields.iter().all(has)
    }
}

/// Whether two functions are one, with the same arguments.
fn same_function(a: Fun<'_>, b: Fun<'_>) -> bool {
    let given = |a: &[Ty<'_>], b: &[Ty<'_>]| a.is_empty() && b.is_empty();
    match (a, b) {
        (Fun::Closure(a, a_cx, a_given), Fun::Closure(b, b_cx, b_given)) => {
            std::ptr::eq(a, b)
                && std::ptr::eq(
                    std::ptr::from_ref(a_cx.scope).cast::<()>(),
                    std::ptr::from_ref(b_cx.scope).cast::<()>(),
                )
                && given(a_given, b_given)
        }
        (Fun::Sig(a, a_given), Fun::Sig(b, b_given)) => {
            std::ptr::eq(a, b) && given(a_given, b_given)
        }
        _ => false,
    }
}
