//! Calls of functions that call themselves.
//!
//! What such a call gives depends on what the calls within it give. These are taken to give nothing
//! at first; the body is looked at, and again with what came of it, until nothing new comes. The
//! arguments of the calls within must be among those of the call, or they are widened until they are.

use crate::source::Span;
use crate::tree::Lambda;

use super::Checker;
use super::scope::{Cx, Scope};
use super::ty::{Mode, Ty};

/// So often may a function be in its own call, each with arguments of its own, before those are
/// widened.
const RECURSION: usize = 2;
/// Deeper calls give anything.
const DEEPEST_CALL: usize = 24;
/// After so many rounds a call gives anything.
const ROUNDS: usize = 4;

/// A call whose body is being looked at.
pub(super) struct Active<'a> {
    lambda: &'a Lambda,
    /// Where the function was made.
    home: &'a Scope<'a>,
    args: &'a [Ty<'a>],
    /// What the calls within it are taken to give.
    assumed: Ty<'a>,
    /// Whether one of them was.
    asked: bool,
    /// The number of this round among all rounds.
    round: u32,
    /// How many thunks were being resolved when it began.
    resolving: usize,
}

impl<'a> Active<'a> {
    fn is_of(&self, lambda: &Lambda, home: &Scope<'a>) -> bool {
        std::ptr::eq(self.lambda, lambda) && std::ptr::addr_eq(self.home, home)
    }
}

/// How a call is to be taken.
enum Taken<'a> {
    /// With these arguments.
    Run(&'a [Ty<'a>]),
    /// As one that it is in.
    Known(Ty<'a>),
    /// Nothing is known of it.
    Lost,
}

impl<'a> Checker<'_, 'a> {
    /// What a function gives that was made in `cx`, with all of its arguments.
    pub(super) fn result(
        &self,
        lambda: &'a Lambda,
        cx: Cx<'a>,
        args: &[Ty<'a>],
        at: Span,
    ) -> Ty<'a> {
        let args = match self.taken(lambda, cx.scope, self.slice(args)) {
            Taken::Run(args) => args,
            Taken::Known(ty) => return ty,
            Taken::Lost => return self.given_up(lambda.body.span),
        };
        let mut assumed = Ty::Never;
        for _ in 0..ROUNDS {
            self.begin(lambda, cx.scope, args, assumed);
            let before = self.faults.take();
            let inner = self.bind_params(lambda, cx, args, at);
            let result = inner.map_or(Ty::Dyn, |inner| self.infer(&lambda.body, inner));
            // What fails because too little is assumed, does not fail.
            let faults = self.faults.replace(before);
            let known = !self.was_asked() || self.silently(|| self.fits(result, assumed));
            if !known {
                assumed = self.silently(|| self.join(assumed, self.widen(result)));
            }
            self.active.borrow_mut().pop();
            if known {
                self.faults.borrow_mut().extend(faults);
                return result;
            }
        }
        self.given_up(lambda.body.span)
    }

    fn silently<T>(&self, work: impl FnOnce() -> T) -> T {
        self.in_mode(Mode::Silent, work)
    }

    fn begin(&self, lambda: &'a Lambda, home: &'a Scope<'a>, args: &'a [Ty<'a>], assumed: Ty<'a>) {
        let round = self.rounds.get() + 1;
        self.rounds.set(round);
        let resolving = self.resolving.borrow().len();
        let active = Active { lambda, home, args, assumed, asked: false, round, resolving };
        self.active.borrow_mut().push(active);
    }

    fn was_asked(&self) -> bool {
        self.active.borrow().last().is_some_and(|call| call.asked)
    }

    fn taken(&self, lambda: &'a Lambda, home: &'a Scope<'a>, args: &'a [Ty<'a>]) -> Taken<'a> {
        let around: Vec<(usize, &'a [Ty<'a>])> = {
            let active = self.active.borrow();
            let around = active.iter().enumerate().filter(|(_, call)| call.is_of(lambda, home));
            around.map(|(number, call)| (number, call.args)).collect()
        };
        let fits = |of: &'a [Ty<'a>]| {
            self.silently(|| args.iter().zip(of).all(|(arg, of)| self.fits(*arg, *of)))
        };
        for (number, of) in around.iter().rev() {
            if fits(of)
                && let Some(ty) = self.assumed(*number)
            {
                return Taken::Known(ty);
            }
        }
        let active = self.active.borrow();
        let times = active.iter().filter(|call| std::ptr::eq(call.lambda, lambda)).count();
        let deep = active.len() >= DEEPEST_CALL;
        drop(active);
        match around.last() {
            _ if deep || times > RECURSION => Taken::Lost,
            _ if times < RECURSION => Taken::Run(args),
            None => Taken::Lost,
            Some((_, of)) => {
                let wide = args.iter().zip(*of);
                let wide = wide.map(|(a, b)| self.join(self.widen(*a), self.widen(*b)));
                Taken::Run(self.slice(&self.silently(|| wide.collect::<Vec<_>>())))
            }
        }
    }

    /// What the call of this number is taken to give, for a call in its body. The type of what was
    /// there before the call outlasts it, and must not be made of assumptions.
    fn assumed(&self, number: usize) -> Option<Ty<'a>> {
        let mut active = self.active.borrow_mut();
        let call = active.get_mut(number)?;
        let resolving = self.resolving.borrow();
        let mut inside = resolving.get(call.resolving..)?.iter();
        if inside.any(|born| *born < call.round) {
            return None;
        }
        call.asked = true;
        Some(call.assumed)
    }
}
