//! Calling functions, and binding their arguments.

use super::Evaluator;
use crate::arguments::{Passed, described, missing, unexpected};
use crate::brief;
use crate::diagnostic::{Diagnostic, Result};
use crate::source::Span;
use crate::symbol::symbol;
use crate::tree::{Lambda, Param, Pattern};
use crate::value::{Attrs, Closure, Env, PrimOp, Value};

impl<'a> Evaluator<'a> {
    /// Calls a function (or a set with `__functor`) with arguments, which may be thunks. The
    /// result is forced.
    ///
    /// # Errors
    /// `type::not-a-function`, or whatever the call meets.
    pub fn call(&self, function: Value<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
        let mut function = self.force_at(function, at)?;
        let mut rest = args;
        while !rest.is_empty() {
            match function {
                Value::Lambda(closure) => {
                    let missing = closure.lambda.param.count() - closure.given;
                    if rest.len() < missing {
                        return Ok(self.give(closure, rest.iter().copied()));
                    }
                    let (now, after) = rest.split_at(missing);
                    rest = after;
                    let env = self.enter(closure, now, at)?;
                    function = self.run_body(closure.lambda, env, at)?;
                }
                Value::PrimOp(primop) => {
                    let taken = (primop.arity - primop.args.len()).min(rest.len());
                    let (now, after) = rest.split_at(taken);
                    function = self.call_primop(primop, now, at)?;
                    rest = after;
                }
                Value::Attrs(set) => {
                    function = self.functor(set, function, at)?;
                }
                other => return Err(not_a_function(other, at)),
            }
        }
        Ok(function)
    }

    /// The body of a function in the scope of its arguments, which ends with it; the call is in
    /// an error's trace.
    pub(crate) fn run_body(
        &self,
        lambda: &'a Lambda,
        env: &'a Env<'a>,
        at: Span,
    ) -> Result<Value<'a>> {
        match self.eval(&lambda.body, env) {
            Ok(value) => {
                self.leave(env);
                Ok(value)
            }
            Err(mut error) => {
                trace_call(&mut error, lambda, at);
                Err(error)
            }
        }
    }

    /// What a set's `__functor` gives for the set itself: the function to call.
    pub(crate) fn functor(
        &self,
        set: &'a Attrs<'a>,
        value: Value<'a>,
        at: Span,
    ) -> Result<Value<'a>> {
        match set.get(symbol!("__functor")) {
            Some(attr) => {
                self.tick(at)?;
                let functor = self.force_attr(attr)?;
                self.deeper(at, || self.call(functor, &[value], at))
            }
            None => Err(not_a_function(value, at)),
        }
    }

    pub(crate) fn call_primop(
        &self,
        primop: &'a PrimOp<'a>,
        args: &[Value<'a>],
        at: Span,
    ) -> Result<Value<'a>> {
        let complete = primop.args.len() + args.len() >= primop.arity;
        if complete && primop.args.is_empty() {
            let result = self.deeper(at, || {
                (primop.body)(self, args, at).and_then(|value| self.force_at(value, at))
            });
            return result.map_err(|error| self.blame(error, primop, args, at));
        }
        let mut all = Vec::with_capacity(primop.arity);
        all.extend_from_slice(primop.args);
        all.extend_from_slice(args);
        if complete {
            let result = self.deeper(at, || {
                (primop.body)(self, &all, at).and_then(|value| self.force_at(value, at))
            });
            return result.map_err(|error| self.blame(error, primop, &all, at));
        }
        let args = self.alloc_values(&all);
        Ok(Value::PrimOp(self.alloc(PrimOp { args, ..*primop })))
    }

    /// The names that a function's body sees when it is called with the arguments that it misses.
    fn enter(&self, closure: &'a Closure<'a>, args: &[Value<'a>], at: Span) -> Result<&'a Env<'a>> {
        match (&closure.lambda.param, args) {
            (Param::Pattern(pattern), [arg]) => {
                let arg = self.force_at(*arg, at)?;
                self.destructure(closure, pattern, arg, at)
            }
            _ => {
                let env = self.scope_of(closure);
                for (slot, arg) in env.slots[closure.given..].iter().zip(args) {
                    slot.set(arg.settled());
                }
                Ok(env)
            }
        }
    }

    /// The names of a pattern, for an argument that is forced.
    pub(crate) fn destructure(
        &self,
        closure: &'a Closure<'a>,
        pattern: &'a Pattern,
        value: Value<'a>,
        at: Span,
    ) -> Result<&'a Env<'a>> {
        let lambda = closure.lambda;
        let Value::Attrs(set) = value else {
            let name = described(lambda);
            let message = format!("{name} takes an attribute set, not {}", value.described());
            return Err(Diagnostic::error("type::mismatch", at, message)
                .with_related(lambda.param_span, "its argument is declared here")
                .into());
        };
        let count = pattern.formals.len() + usize::from(pattern.at.is_some());
        let inner = self.scope(closure.env, count);
        let mut used = 0;
        for (formal, slot) in pattern.formals.iter().zip(inner.slots) {
            match (set.get(formal.name), &formal.default) {
                (Some(attr), _) => {
                    used += 1;
                    slot.set(attr.value.get());
                }
                (None, Some(default)) => slot.set(self.delayed(default, inner)),
                (None, None) => {
                    let sources = &self.world.sources;
                    return Err(missing(sources, lambda, pattern, &passed(set), at).into());
                }
            }
        }
        if pattern.at.is_some()
            && let Some(slot) = inner.slots.last()
        {
            slot.set(value);
        }
        if !pattern.ellipsis && used < set.len() {
            return Err(unexpected(lambda, pattern, &passed(set), at).into());
        }
        Ok(inner)
    }
}

#[cold]
pub(crate) fn trace_call(error: &mut Diagnostic, lambda: &Lambda, at: Span) {
    let name = lambda.name.map_or_else(|| "a function".to_owned(), |name| format!("`{name}`"));
    error.push_trace(at, format!("while calling {name}"));
}

#[cold]
pub(crate) fn not_a_function(value: Value<'_>, at: Span) -> Box<Diagnostic> {
    let message = format!("{} is called like a function", brief::described(value));
    let error = Diagnostic::error("type::not-a-function", at, message).about(value, "");
    match value {
        Value::Attrs(_) => error.with_help("a set is callable only with a `__functor` attribute"),
        _ => error,
    }
    .into()
}

/// What a set passes, in the order of the names.
#[cold]
fn passed(set: &Attrs<'_>) -> Vec<Passed> {
    set.sorted().into_iter().map(|attr| (attr.name, attr.span)).collect()
}
