//! Names in scope while inferring, and what conditions say of them.

use std::cell::Cell;

use crate::symbol::Symbol;

use super::ty::Ty;

/// What brought names into scope.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Binder {
    /// A function's parameters, or nothing.
    Params,
    /// A `let`, or a recursive set.
    Let,
    /// A `with`: its one slot is the set.
    With,
}

/// The names of one environment, as lowering numbered them.
pub(crate) struct Scope<'a> {
    pub(crate) binder: Binder,
    /// Whether it stands in a function whose arguments are not known.
    pub(crate) unknown: bool,
    pub(crate) up: Option<&'a Scope<'a>>,
    pub(crate) slots: &'a [Cell<Ty<'a>>],
}

/// Where an expression stands: its names, and what the conditions around it say.
#[derive(Clone, Copy)]
pub(crate) struct Cx<'a> {
    pub(crate) scope: &'a Scope<'a>,
    pub(crate) facts: Option<&'a Fact<'a>>,
}

/// Within a branch, a place has this type.
pub(crate) struct Fact<'a> {
    pub(crate) place: Place<'a>,
    pub(crate) ty: Ty<'a>,
    pub(crate) others: Option<&'a Fact<'a>>,
}

/// A variable, or an attribute below one: what conditions speak about.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) scope: &'a Scope<'a>,
    pub(crate) slot: u32,
    pub(crate) path: &'a [Symbol],
}

impl Place<'_> {
    fn is(&self, other: &Place<'_>) -> bool {
        std::ptr::eq(self.scope as *const _ as *const (), other.scope as *const _ as *const ())
            && self.slot == other.slot
            && self.path == other.path
    }
}

impl<'a> Scope<'a> {
    /// The scope so many environments up.
    pub(crate) fn outer(&'a self, depth: u32) -> Option<&'a Scope<'a>> {
        (0..depth).try_fold(self, |scope, _| scope.up)
    }
}

impl<'a> Cx<'a> {
    /// What the conditions around say of a place; the innermost knows best.
    pub(crate) fn fact(self, place: &Place<'_>) -> Option<Ty<'a>> {
        let mut fact = self.facts;
        while let Some(known) = fact {
            if known.place.is(place) {
                return Some(known.ty);
            }
            fact = known.others;
        }
        None
    }
}
