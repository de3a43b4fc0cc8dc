//! The words of a value that has not its option's type, and of definitions that contradict.

use crate::diagnostic::Diagnostic;
use crate::diagnostic::Result;
use crate::eval::Evaluator;
use crate::source::Span;
use crate::value::Value;

use super::super::definition::{Definition, Layer};
use super::super::location::Place;
use super::Type;
use crate::brief::{found, not_called, written};

/// `type::mismatch`: what was expected, what was found, where the option says so.
#[cold]
pub(crate) fn mismatch<'a>(
    eval: &Evaluator<'a>,
    ty: Type<'a>,
    place: Place<'a>,
    definition: &Definition<'a>,
) -> Result<Box<Diagnostic>> {
    let expected = ty.alone().description(eval)?;
    let value = eval.force(definition.value)?;
    let (expected, found) = (with_article(&expected), found(eval, value));
    let message = match place.path.last() {
        Some(_) => format!("`{}` takes {expected}, found {found}", place.path),
        None => format!("{expected} is needed here, found {found}"),
    };
    let mut error = refused(eval, place, definition, message);
    error.help = help(eval, ty, value)?;
    if let (Value::Int(_), Some(help)) = (value, &mut error.help) {
        // As it is written: a file's mode loses its leading zero in a number.
        let digits = eval.world.sources.text(error.span).unwrap_or_default();
        let zeros = digits.len() - digits.trim_start_matches('0').len();
        if zeros > 0 && zeros < digits.len() && digits.bytes().all(|b| b.is_ascii_digit()) {
            *help = help.replace(&format!("\"{}\"", &digits[zeros..]), &format!("\"{digits}\""));
        }
    }
    Ok(error)
}

/// A `type::mismatch` of any words about a definition's value.
#[cold]
pub(crate) fn refused<'a>(
    eval: &Evaluator<'a>,
    place: Place<'a>,
    definition: &Definition<'a>,
    message: impl Into<String>,
) -> Box<Diagnostic> {
    let span = value_span(eval, definition);
    let mut error = Diagnostic::error("type::mismatch", span, message);
    error.catchable = true;
    error.with_related(place.declared, DECLARED).into()
}

/// Where the very value is written: inside `mkForce "x"`, the string.
pub(crate) fn value_span<'a>(eval: &Evaluator<'a>, definition: &Definition<'a>) -> Span {
    let span = definition.span(eval);
    let text = match eval.force(definition.value) {
        Ok(value @ (Value::Str(_) | Value::Int(_) | Value::Bool(_))) => written(value),
        _ => return span,
    };
    let whole = eval.world.sources.text(span).unwrap_or_default();
    if whole.bytes().all(|b| b.is_ascii_digit()) {
        // A number may have zeros before it.
        return span;
    }
    eval.world.sources.narrow(span, &text).unwrap_or(span)
}

/// Two different values where there can be only one.
#[cold]
pub(crate) fn conflict<'a>(
    eval: &Evaluator<'a>,
    place: Place<'a>,
    first: &Definition<'a>,
    other: &Definition<'a>,
) -> Box<Diagnostic> {
    let shown = |definition: &Definition<'a>| match eval.force(definition.value) {
        Ok(value) => found(eval, value),
        Err(_) => "a value that fails".to_owned(),
    };
    let message = format!("`{}` has two values: {} and {}", place.path, shown(first), shown(other));
    let layer = match (first.origin.layer, other.origin.layer) {
        (Layer::Group(one), Layer::Group(other)) if one != other => {
            format!("the groups `{one}` and `{other}` are one layer")
        }
        (layer, _) => format!("both are in the layer `{layer}`"),
    };
    // Of two values under one name, as `mkMerge` gives, the values are shown.
    let key = |of: &Definition<'a>| of.key.or(of.span(eval));
    let (here, there) = match key(other) == key(first) {
        true => (other.span(eval), first.span(eval)),
        false => (key(other), key(first)),
    };
    Diagnostic::error("module::conflict", here, message)
        .with_label("defined here")
        .with_related(there, "and here, equally strong")
        .with_related(place.declared, DECLARED)
        .with_help(format!(
            "{layer}: remove one, or let one win with `lib.mkForce` or give way with `lib.mkDefault`"
        ))
        .into()
}

/// What an option's declaration is called where it explains an error.
pub(crate) const DECLARED: &str = "the option is declared here";

pub(crate) fn with_article(description: &str) -> String {
    let plain = ["one of", "null or", "anything", "the value"];
    if plain.iter().any(|start| description.starts_with(start)) {
        return description.to_owned();
    }
    let vowel = description.starts_with(['a', 'e', 'i', 'o', 'A', 'E', 'I', 'O'])
        || ["SSH", "8 bit", "unsigned"].iter().any(|start| description.starts_with(start));
    format!("{} {description}", if vowel { "an" } else { "a" })
}

/// The nearest right thing to write.
fn help<'a>(eval: &Evaluator<'a>, ty: Type<'a>, value: Value<'a>) -> Result<Option<String>> {
    let shown = written(value);
    let help = match value {
        Value::Str(text) => match plain_value(text) {
            Some(plain) if takes(eval, ty, plain) => {
                Some(format!("write it without quotes: {}", written(plain)))
            }
            _ => listed(eval, ty, value, &shown)?,
        },
        Value::Int(_) | Value::Float(_) | Value::Bool(_) => {
            let text = eval.str(&shown);
            if takes(eval, ty, text) && ty.name() != "enum" {
                Some(format!("write it as a string: \"{shown}\""))
            } else {
                listed(eval, ty, value, &shown)?
            }
        }
        Value::List(list) if list.len() == 1 => {
            let item = list.iter().next().unwrap_or(Value::Null);
            takes(eval, ty, item).then(|| "write the element alone, without brackets".to_owned())
        }
        other => not_called(other),
    };
    let of_options =
        || ty.is_submodule().then(|| "write a set of its options: `{ name = value; }`".to_owned());
    Ok(help.or_else(of_options))
}

fn listed<'a>(
    eval: &Evaluator<'a>,
    ty: Type<'a>,
    value: Value<'a>,
    shown: &str,
) -> Result<Option<String>> {
    if ty.name() != "listOf" || !takes(eval, ty.inner(eval, 0)?, value) {
        return Ok(None);
    }
    Ok(Some(format!("write it in brackets: [ {shown} ]")))
}

fn plain_value<'a>(text: &str) -> Option<Value<'a>> {
    match text {
        "true" | "yes" | "on" => Some(Value::Bool(true)),
        "false" | "no" | "off" => Some(Value::Bool(false)),
        "null" => Some(Value::Null),
        _ => text.parse().map(Value::Int).ok().or_else(|| text.parse().map(Value::Float).ok()),
    }
}

/// Whether a type takes what somebody might have meant; a check of somebody's own may fail on it.
fn takes<'a>(eval: &Evaluator<'a>, ty: Type<'a>, value: Value<'a>) -> bool {
    ty.accepts(eval, value).unwrap_or(false)
}
