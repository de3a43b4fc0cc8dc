//! Scopes: made for each call and `let`, counted, and used again.
//!
//! Profiles showed that most of an evaluation's memory was scopes of calls that had long
//! returned, and most of its time went to fetching fresh memory for the next ones. A scope is
//! held by the evaluation that made it, by thunks that are not forced yet, by functions and by
//! scopes within; a function that computes a number leaves none of these behind, so its scope
//! serves the next call. What a thunk or function of the heap holds for good is never used again:
//! forgetting to leave a scope costs memory, leaving it twice would give it away too early.

use std::cell::Cell;

use super::Evaluator;
use crate::value::{Closure, Env, Value};

/// Scopes with more slots than this are not kept.
const MOST_SLOTS: usize = 15;

/// Scopes that nobody holds, by their number of slots; each leads to the next by `up`.
#[derive(Default)]
pub(super) struct SpareScopes<'a>([Cell<Option<&'a Env<'a>>>; MOST_SLOTS + 1]);

impl<'a> Evaluator<'a> {
    /// A scope within another, held by the caller. Its slots hold anything: fill all of them.
    #[inline]
    pub(crate) fn scope(&self, up: &'a Env<'a>, slots: usize) -> &'a Env<'a> {
        hold(up);
        if let Some(spare) = self.spare_scopes.0.get(slots)
            && let Some(env) = spare.get()
        {
            spare.set(env.up.replace(Some(up)));
            env.holders.set(1);
            return env;
        }
        self.new_scope(Some(up), slots)
    }

    fn new_scope(&self, up: Option<&'a Env<'a>>, slots: usize) -> &'a Env<'a> {
        let bump = &self.arena.bump;
        let slots = bump.alloc_slice_fill_with(slots, |_| Cell::new(Value::Null));
        bump.alloc(Env { up: Cell::new(up), slots, holders: Cell::new(1) })
    }

    /// Ends the caller's hold of a scope.
    #[inline]
    pub(crate) fn leave(&self, mut env: &'a Env<'a>) {
        loop {
            let holders = env.holders.get() - 1;
            env.holders.set(holders);
            if holders > 0 {
                return;
            }
            let Some(up) = env.up.get() else { return };
            if let Some(spare) = self.spare_scopes.0.get(env.slots.len()) {
                env.up.set(spare.replace(Some(env)));
            }
            env = up;
        }
    }

    /// A scope for a function's body, with the arguments that it was given before.
    #[inline]
    pub(crate) fn scope_of(&self, closure: &'a Closure<'a>) -> &'a Env<'a> {
        let count = closure.lambda.param.count();
        match closure.env.up.get() {
            Some(around) if closure.given > 0 => {
                let env = self.scope(around, count);
                for (slot, given) in env.slots.iter().zip(closure.env.slots) {
                    slot.set(given.get());
                }
                env
            }
            _ => self.scope(closure.env, count),
        }
    }

    /// A function with more of its arguments, but not all of them.
    pub(crate) fn give(
        &self,
        closure: &'a Closure<'a>,
        args: impl ExactSizeIterator<Item = Value<'a>>,
    ) -> Value<'a> {
        let given = closure.given + args.len();
        let (around, before) = match closure.env.up.get() {
            Some(around) if closure.given > 0 => (around, closure.env.slots),
            _ => (closure.env, [].as_slice()),
        };
        let env = self.scope(around, given);
        for (slot, arg) in env.slots.iter().zip(before.iter().map(Cell::get).chain(args)) {
            slot.set(arg);
        }
        Value::Lambda(self.alloc(Closure { lambda: closure.lambda, env, given }))
    }
}

/// Counts one more holder of a scope.
#[inline]
pub(crate) fn hold<'a>(env: &'a Env<'a>) -> &'a Env<'a> {
    env.holders.set(env.holders.get() + 1);
    env
}

/// The cell of a variable. Lowering made sure that it exists.
#[inline]
pub(crate) fn slot_of<'a>(mut env: &'a Env<'a>, depth: u32, slot: u32) -> &'a Cell<Value<'a>> {
    for _ in 0..depth {
        if let Some(up) = env.up.get() {
            env = up;
        }
    }
    &env.slots[slot as usize]
}
