//! What is wrong with the set that a `{ a, b }:` is called with: the evaluator and the checker say it
//! in the same words, at the same place.

use crate::diagnostic::{Diagnostic, did_you_mean, nearest};
use crate::origin;
use crate::source::{Sources, Span};
use crate::symbol::Symbol;
use crate::tree::{Formal, Lambda, Pattern};

/// An attribute that a call passes, and where its name is written.
pub(crate) type Passed = (Symbol, Span);

/// How errors name a function.
pub(crate) fn described(lambda: &Lambda) -> String {
    lambda.name.map_or_else(|| "this function".to_owned(), |name| format!("`{name}`"))
}

/// Names without a default that a call does not pass, all of them. The place is the one passed name
/// that looks like a missing one, or else the set.
#[cold]
pub(crate) fn missing(
    sources: &Sources,
    lambda: &Lambda,
    pattern: &Pattern,
    passed: &[Passed],
    at: Span,
) -> Diagnostic {
    let is_passed = |formal: &Formal| passed.iter().any(|(name, _)| *name == formal.name);
    let needed = pattern.formals.iter().filter(|formal| formal.default.is_none());
    let mut missing: Vec<&Formal> = needed.filter(|formal| !is_passed(formal)).collect();
    missing.sort_by_key(|formal| formal.span);
    let names: Vec<_> = missing.iter().map(|formal| format!("`{}`", formal.name)).collect();
    let names = match names.as_slice() {
        [one] => format!("the argument {one}"),
        [most @ .., last] => format!("the arguments {} and {last}", most.join(", ")),
        [] => "an argument".to_owned(),
    };
    let message = format!("{} needs {names}", described(lambda));
    let unknown: Vec<_> = passed
        .iter()
        .filter(|(name, _)| pattern.formals.iter().all(|formal| formal.name != *name))
        .collect();
    let typo = missing.iter().find_map(|formal| {
        let near = nearest(formal.name.as_str(), unknown.iter().map(|(name, _)| name.as_str()))?;
        let (_, span) = unknown.iter().find(|(name, _)| name.as_str() == near)?;
        Some((*span, format!("`{near}` is passed: did you mean `{}`?", formal.name)))
    });
    let written = passed.first().map_or(Span::NONE, |(_, span)| *span);
    let span = match &typo {
        Some((span, _)) if !span.is_none() => *span,
        _ => origin::passed_set(sources, at, written).unwrap_or(at),
    };
    let mut error = Diagnostic::error("name::missing-argument", span, message);
    error.help = typo.map(|(_, help)| help);
    match missing.as_slice() {
        [formal] => error.with_related(formal.span, format!("`{}` has no default", formal.name)),
        _ => error.with_related(lambda.param_span, "its arguments are declared here"),
    }
}

/// A name that a call passes and the function has not.
#[cold]
pub(crate) fn unexpected(
    lambda: &Lambda,
    pattern: &Pattern,
    passed: &[Passed],
    at: Span,
) -> Diagnostic {
    let known = |name: Symbol| pattern.formals.iter().any(|formal| formal.name == name);
    let unknown = passed.iter().find(|(name, _)| !known(*name));
    let (name, span) = unknown.map_or(("", at), |(name, span)| (name.as_str(), span.or(at)));
    let message = format!("{} has no argument `{name}`", described(lambda));
    let mut error = Diagnostic::error("name::unexpected-argument", span, message)
        .with_related(lambda.param_span, "its arguments are declared here");
    error.help = did_you_mean(name, pattern.formals.iter().map(|formal| formal.name.as_str()))
        .or_else(|| Some("`...` in the declaration would allow any".to_owned()));
    if at.holds(span) { error } else { error.with_related(at, "it is called here") }
}
