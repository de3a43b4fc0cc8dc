//! What is found, in the evaluator's own words.

use crate::arguments::described;
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::eval::AttrsBuilder;
use crate::source::Span;
use crate::symbol::Symbol;
use crate::tree::Lambda;
use crate::value::Value;

use super::Checker;
use super::signature::Sig;
use super::ty::{Kinds, Mode, SetTy, Site, Ty};

/// The words of the place inside of a function that makes a call fail.
const CAUSE: &str = "because of this";

impl<'a> Checker<'_, 'a> {
    /// Takes an error as the mode wants it.
    pub(super) fn report(&self, error: Diagnostic) {
        let learnt = self.learnt.borrow().get(&error.span).copied();
        let error = match learnt.filter(|place| *place != error.span) {
            Some(place) => error.with_related(place, "used as such here"),
            None => error,
        };
        match self.mode.get() {
            Mode::All => self.found.borrow_mut().push(error),
            Mode::Call => self.faults.borrow_mut().push(error),
            Mode::Silent => self.doubt_if(true, error.span),
        }
    }

    /// The error of an attribute that no alternative of a value has.
    pub(super) fn missing(&self, ty: Ty<'a>, name: Symbol, at: Span) -> Diagnostic {
        let sets = ty.members().iter().filter_map(|member| match member {
            Ty::Set(set) => Some(*set),
            _ => None,
        });
        let sets: Vec<_> = sets.collect();
        if sets.is_empty() {
            let message = format!("{} has no attributes, so no `{name}`", ty.described());
            return Diagnostic::error("type::not-a-set", at, message);
        }
        let mut names = AttrsBuilder::new();
        for set in sets {
            match set {
                SetTy::Record(record) => record.fields.iter().for_each(|field| {
                    names.set(field.name, Value::Null);
                }),
                SetTy::Config { level, .. } | SetTy::Options(level) => {
                    level.children().into_iter().for_each(|child| {
                        names.set(child.name, Value::Null);
                    });
                }
                SetTy::Known { attrs, .. } => {
                    return *self.eval.missing(Value::Attrs(attrs), name, at);
                }
            }
        }
        *self.eval.missing(names.finish(self.eval), name, at)
    }
}

pub(super) fn mismatch(expected: &str, ty: &Ty<'_>, at: Span) -> Diagnostic {
    let message = format!("expected {expected}, found {}", ty.described());
    Diagnostic::error("type::mismatch", at, message)
}

/// A `type::mismatch` of any words.
pub(super) fn plain(message: String, at: Span) -> Diagnostic {
    Diagnostic::error("type::mismatch", at, message)
}

pub(super) fn not_added(ty: &Ty<'_>, at: Span) -> Diagnostic {
    mismatch("a number, string or path", ty, at)
        .with_help("`+` adds numbers and joins strings and paths; `++` joins lists, `//` sets")
}

pub(super) fn not_a_number(ty: &Ty<'_>, at: Span) -> Diagnostic {
    let error = mismatch("a number", ty, at);
    match ty.kinds() {
        Kinds::STR => error.with_help("to join texts, write `toString` before the number"),
        _ => error,
    }
}

pub(super) fn not_a_string(ty: &Ty<'_>, at: Span) -> Diagnostic {
    let message = format!("{} cannot be used as a string", ty.described());
    let error = Diagnostic::error("type::not-a-string", at, message);
    if ty.kinds().meets(Kinds::FUN) {
        return error.with_help("call the function to get a string");
    }
    if ty.kinds().meets(Kinds::SET) {
        let help = "a set becomes a string by its attribute `outPath` or `__toString`";
        return error.with_help(help);
    }
    error.with_help(match ty.kinds() {
        Kinds::NULL => crate::eval::NULL_AS_TEXT,
        Kinds::LIST => crate::eval::LIST_AS_TEXT,
        _ => "write `toString` before it",
    })
}

pub(super) fn not_comparable(left: &Ty<'_>, right: &Ty<'_>, at: Span) -> Diagnostic {
    let message = format!("{} and {} have no order", left.described(), right.described());
    Diagnostic::error("type::not-comparable", at, message).with_help(
        "numbers, strings, paths, and lists of these can be compared, each with its like",
    )
}

pub(super) fn not_a_function(ty: &Ty<'_>, at: Span) -> Diagnostic {
    let message = format!("{} is called like a function", ty.described());
    let error = Diagnostic::error("type::not-a-function", at, message);
    match ty.kinds() {
        Kinds::SET => error.with_help("a set is callable only with a `__functor` attribute"),
        _ => error.with_help("in a list, write parentheses around a call: `[ (f x) ]`"),
    }
}

/// A set that lacks what the library takes from it.
pub(super) fn lacks(name: Symbol, needed: &[&(String, bool, Sig)], at: Span) -> Diagnostic {
    let names: Vec<_> = needed.iter().map(|(name, ..)| format!("`{name}`")).collect();
    let message = format!("the attribute `{name}` is missing here");
    let help = format!("each of these sets has {}", names.join(" and "));
    Diagnostic::error("name::missing-attribute", at, message).with_help(help)
}

/// A function that the library gives more arguments than it takes.
pub(super) fn too_few_params(ty: &Ty<'_>, given: usize, at: Span) -> Diagnostic {
    let message = format!(
        "this function is given {given} arguments, but gives {} before the last of them",
        ty.described()
    );
    Diagnostic::error("type::not-a-function", at, message)
        .with_help("write a parameter for each: `name: value: …`")
}

pub(super) fn unbound(name: Symbol, at: Span) -> Diagnostic {
    let message = format!("`{name}` is not defined, and no `with` around it brings it");
    Diagnostic::error("name::unbound", at, message)
}

pub(super) fn hidden(name: &str, at: Span) -> Diagnostic {
    let message = format!("`{name}` is the one of the `let` around the `with`, which has it too");
    Diagnostic::warning("name::hidden", at, message)
        .with_help("a `with` never hides a name: rename one, or write the set's name before it")
}

pub(super) fn never_equal(text: &str, texts: &[&str], at: Span) -> Diagnostic {
    let message =
        format!("this option is never \"{text}\": the comparison always comes out the same");
    let all = || texts.iter().map(|text| format!("\"{text}\"")).collect::<Vec<_>>().join(", ");
    let help = did_you_mean(text, texts.iter().copied());
    let help = help.unwrap_or_else(|| format!("it is one of {}", all()));
    Diagnostic::warning("type::never-equal", at, message).with_help(help)
}

pub(super) fn not_a_set(lambda: &Lambda, ty: &Ty<'_>, at: Span) -> Diagnostic {
    let message = format!("{} takes an attribute set, not {}", described(lambda), ty.described());
    Diagnostic::error("type::mismatch", at, message)
        .with_related(lambda.param_span, "its argument is declared here")
}

/// A call that fails because of what its function does with an argument.
pub(super) fn call_fails(site: &Site<'_>, cause: Diagnostic) -> Diagnostic {
    let given = if site.at == site.call { "these arguments" } else { "this argument" };
    let message = format!("{} fails for {given}: {}", described(site.lambda), cause.message);
    let mut error = Diagnostic::error(cause.code, site.at, message);
    let inner = cause.related.into_iter().find(|(_, words)| words == CAUSE);
    error = error.with_related(inner.map_or(cause.span, |(span, _)| span), CAUSE);
    error.help = cause.help;
    error
}

/// The place inside of a function that makes a call fail.
pub(super) fn cause(error: &Diagnostic) -> Option<Span> {
    error.related.iter().find(|(_, words)| words == CAUSE).map(|(span, _)| *span)
}
