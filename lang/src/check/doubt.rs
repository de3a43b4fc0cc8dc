//! What is not sure: where evaluation may find a wrong type for all that is known.
//!
//! The checker reports what is surely wrong. What is neither surely wrong nor surely right is a
//! doubt. A file without errors and doubts never fails by a wrong type when it is evaluated, and
//! that is what the tests of the checker hold it to. In functions of which the arguments are not
//! known nothing is doubted: each call of them is looked at by itself.

use crate::diagnostic::Diagnostic;
use crate::eval::Evaluator;
use crate::fs::VirtualPath;
use crate::source::Span;
use crate::tree::Pattern;

use super::lookup::Look;
use super::report;
use super::shape::Shape;
use super::ty::{Kinds, Mode, SetTy, Ty};
use super::{Checker, Pending};

impl<'e, 'a> Checker<'e, 'a> {
    /// Checks one file for its own sake: what is wrong, and the first place where evaluation may
    /// find a wrong type for all that is known.
    pub fn examine(eval: &'e Evaluator<'a>, path: &VirtualPath) -> (Vec<Diagnostic>, Option<Span>) {
        let checker = Checker::plain(eval);
        checker.proving.set(true);
        checker.check_file(path, &Shape::Any);
        checker.drain();
        let doubt = checker.doubt.get();
        (checker.finish(), doubt)
    }
}

impl<'a> Checker<'_, 'a> {
    /// Notes a place that is not sure.
    pub(super) fn doubt_if(&self, doubtful: bool, at: Span) {
        if doubtful && self.proving.get() && !self.unknown.get() && self.doubt.get().is_none() {
            self.doubt.set(Some(at));
        }
    }

    /// Whether a part of a call is looked at though nobody asked for it.
    pub(super) fn is_to_be_sure(&self, pending: Pending<'a>) -> bool {
        if !self.proving.get() || self.unknown.get() || self.doubt.get().is_some() {
            return false;
        }
        let Pending::Thunk(thunk) = pending else { return false };
        match self.parts.get().checked_sub(1) {
            Some(left) => {
                self.parts.set(left);
                true
            }
            None => {
                self.doubt_if(true, thunk.expr.span);
                false
            }
        }
    }

    /// The type of what is not looked at any further.
    pub(super) fn given_up(&self, at: Span) -> Ty<'a> {
        self.doubt_if(true, at);
        Ty::Dyn
    }

    /// Runs `work` on a function of which the arguments are not known.
    pub(super) fn not_known<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = self.unknown.replace(true);
        let result = work();
        self.unknown.set(before);
        result
    }

    pub(super) fn sure_of_kinds(&self, ty: Ty<'a>, kinds: Kinds, at: Span) {
        let fits = |member: &Ty<'a>| {
            !matches!(member, Ty::Dyn) && member.kinds().without(kinds) == Kinds::NONE
        };
        let functor = Kinds::FUN.or(Kinds::SET) == kinds && ty.kinds().meets(Kinds::SET);
        self.doubt_if(functor || !ty.members().iter().all(fits), at);
    }

    pub(super) fn sure_of_order(&self, a: Ty<'a>, b: Ty<'a>, at: Span) {
        if self.proving.get() {
            let sure = self.surely_ordered(a, b);
            self.doubt_if(!sure, at);
        }
    }

    fn surely_ordered(&self, a: Ty<'a>, b: Ty<'a>) -> bool {
        let (a, b) = (self.resolve(a), self.resolve(b));
        let within = |kinds: Kinds| {
            let fits = |ty: Ty<'a>| {
                !ty.members().iter().any(|member| matches!(member, Ty::Dyn))
                    && ty.kinds().without(kinds) == Kinds::NONE
            };
            fits(a) && fits(b)
        };
        if within(Kinds::LIST) {
            let (a, b) = (self.elements(a), self.elements(b));
            return self.inside(false, || self.surely_ordered(a, b));
        }
        [Kinds::NUMBER, Kinds::STR, Kinds::PATH].into_iter().any(within)
    }

    pub(super) fn sure_of_sum(&self, a: Ty<'a>, b: Ty<'a>, at: Span) {
        let within = |ty: Ty<'a>, kinds: Kinds| {
            !ty.members().iter().any(|member| matches!(member, Ty::Dyn))
                && ty.kinds().without(kinds) == Kinds::NONE
        };
        let text = Kinds::STR.or(Kinds::PATH);
        let sure =
            [Kinds::NUMBER, text].into_iter().any(|kinds| within(a, kinds) && within(b, kinds));
        self.doubt_if(!sure, at);
    }

    /// Whether a set surely has what a pattern takes, and no more.
    pub(super) fn sure_of_argument(&self, pattern: &Pattern, arg: Ty<'a>, at: Span) {
        if !self.proving.get() || matches!(arg, Ty::Never) {
            return;
        }
        let needed = pattern.formals.iter().filter(|formal| formal.default.is_none());
        let has = |name| matches!(self.look_in(arg, name), Look::Has(_));
        let lacks = needed.into_iter().any(|formal| !has(formal.name));
        let exact = arg.members().iter().all(|member| match member {
            Ty::Set(SetTy::Record(record)) => {
                let known = |name| pattern.formals.iter().any(|formal| formal.name == name);
                pattern.ellipsis
                    || record.rest.is_none() && record.fields.iter().all(|field| known(field.name))
            }
            Ty::Set(_) => pattern.ellipsis,
            _ => false,
        });
        self.doubt_if(lacks || !exact, at);
    }

    /// What `toString` takes.
    pub(super) fn compare_shown(&self, ty: Ty<'a>, at: Span) {
        let ty = self.resolve(ty);
        let plain = Kinds::ALL.without(Kinds::FUN).without(Kinds::SET);
        if ty.is_vague()
            || ty.members().iter().any(|one| one.kinds().meets(plain) || self.is_text(*one))
        {
            self.sure_of_kinds(ty, plain, at);
            if self.proving.get() && ty.kinds().meets(Kinds::LIST) {
                let each = ty.members().iter().filter(|one| one.kinds() == Kinds::LIST);
                let each: Vec<_> = each.map(|one| self.elements(*one)).collect();
                let elem = self.union(each);
                self.inside((), || self.in_mode(Mode::Silent, || self.compare_shown(elem, at)));
            }
            return;
        }
        self.report(match self.is_secret(ty) {
            true => crate::eval::secret_in_text(at),
            false => report::not_a_string(&ty, at),
        });
    }
}
