//! Calling functions, and binding their arguments.

use super::Evaluator;
use crate::brief;
use crate::diagnostic::{Diagnostic, Result, did_you_mean, nearest};
use crate::origin;
use crate::source::Span;
use crate::symbol::Symbol;
use crate::tree::{Formal, Lambda, Param, Pattern};
use crate::value::{Attrs, Closure, Env, PrimOp, Value};
use crate::world::World;

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
        match set.get_str("__functor") {
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
            let name = described_function(lambda);
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
                    return Err(missing_argument(self.world, lambda, pattern, set, at));
                }
            }
        }
        if pattern.at.is_some()
            && let Some(slot) = inner.slots.last()
        {
            slot.set(value);
        }
        if !pattern.ellipsis && used < set.len() {
            return Err(unexpected_argument(lambda, pattern, set, at));
        }
        Ok(inner)
    }
}

#[cold]
pub(crate) fn trace_call(error: &mut Diagnostic, lambda: &Lambda, at: Span) {
    let name = lambda.name.map_or_else(|| "a function".to_owned(), |name| format!("`{name}`"));
    error.push_trace(at, format!("while calling {name}"));
}

fn described_function(lambda: &Lambda) -> String {
    lambda.name.map_or_else(|| "this function".to_owned(), |name| format!("`{name}`"))
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

#[cold]
fn missing_argument(
    world: &World,
    lambda: &Lambda,
    pattern: &Pattern,
    set: &Attrs<'_>,
    at: Span,
) -> Box<Diagnostic> {
    let mut missing: Vec<&Formal> = pattern
        .formals
        .iter()
        .filter(|formal| formal.default.is_none() && set.get(formal.name).is_none())
        .collect();
    missing.sort_by_key(|formal| formal.span);
    let names: Vec<_> = missing.iter().map(|formal| format!("`{}`", formal.name)).collect();
    let names = match names.as_slice() {
        [one] => format!("the argument {one}"),
        [most @ .., last] => format!("the arguments {} and {last}", most.join(", ")),
        [] => "an argument".to_owned(),
    };
    let message = format!("{} needs {names}", described_function(lambda));
    let passed = set.sorted().into_iter();
    let unknown: Vec<_> = passed
        .filter(|attr| pattern.formals.iter().all(|formal| formal.name != attr.name))
        .collect();
    let typo = missing.iter().find_map(|formal| {
        let near = nearest(formal.name.as_str(), unknown.iter().map(|attr| attr.name.as_str()))?;
        let attr = unknown.iter().find(|attr| attr.name.as_str() == near)?;
        Some((attr, format!("`{near}` is passed: did you mean `{}`?", formal.name)))
    });
    let written = set.sorted().first().map_or(Span::NONE, |attr| attr.span);
    let span = match &typo {
        Some((attr, _)) if !attr.span.is_none() => attr.span,
        _ => origin::passed_set(&world.sources, at, written).unwrap_or(at),
    };
    let mut error = Diagnostic::error("name::missing-argument", span, message);
    error.help = typo.map(|(_, help)| help);
    if let [formal] = missing.as_slice() {
        error = error.with_related(formal.span, format!("`{}` has no default", formal.name));
    } else {
        error = error.with_related(lambda.param_span, "its arguments are declared here");
    }
    error.into()
}

#[cold]
fn unexpected_argument(
    lambda: &Lambda,
    pattern: &Pattern,
    set: &Attrs<'_>,
    at: Span,
) -> Box<Diagnostic> {
    let known = |name: Symbol| pattern.formals.iter().any(|formal| formal.name == name);
    let unknown = set.sorted().into_iter().find(|attr| !known(attr.name));
    let (name, span) = unknown.map_or(("", at), |attr| (attr.name.as_str(), attr.span.or(at)));
    let message = format!("{} has no argument `{name}`", described_function(lambda));
    let mut error = Diagnostic::error("name::unexpected-argument", span, message)
        .with_related(lambda.param_span, "its arguments are declared here");
    error.help = did_you_mean(name, pattern.formals.iter().map(|formal| formal.name.as_str()))
        .or_else(|| Some("`...` in the declaration would allow any".to_owned()));
    let within = span.file == at.file && at.start <= span.start && span.end <= at.end;
    if !within {
        error = error.with_related(at, "it is called here");
    }
    error.into()
}
