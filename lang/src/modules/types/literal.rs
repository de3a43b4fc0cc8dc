//! Domain types: strings in one of the small languages of [`crate::literal`].

use crate::diagnostic::{Diagnostic, Result, did_you_mean};
use crate::eval::Evaluator;
use crate::literal::{Literal, LiteralError, port};
use crate::source::Span;
use crate::symbol::symbol;
use crate::value::{Attrs, Value};

use super::super::definition::Definition;
use super::super::location::Place;
use super::mismatch::{refused, value_span};
use super::{OptionType, Type, mismatch, one_value};

pub(crate) struct Domain(pub(crate) Literal);

impl OptionType for Domain {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn describe<'a>(&self, _: &Evaluator<'a>, _: Type<'a>) -> Result<String> {
        Ok(self.0.description().to_owned())
    }

    fn accepts<'a>(&self, eval: &Evaluator<'a>, _: Type<'a>, value: Value<'a>) -> Result<bool> {
        Ok(match value {
            Value::Str(text) => self.0.check(text).is_ok(),
            Value::Attrs(_) if self.0 == Literal::PortRange => ports(eval, value)?.is_some(),
            _ => false,
        })
    }

    fn merge<'a>(
        &self,
        eval: &Evaluator<'a>,
        _: Type<'a>,
        place: Place<'a>,
        definitions: &[Definition<'a>],
    ) -> Result<Value<'a>> {
        if self.0 != Literal::PortRange {
            return one_value(eval, place, definitions);
        }
        let each = definitions.iter().map(|definition| {
            let value = coerce_range(eval, definition.value)?;
            Ok(Definition { value, ..*definition })
        });
        one_value(eval, place, &each.collect::<Result<Vec<_>>>()?)
    }

    fn refuse<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        place: Place<'a>,
        definition: &Definition<'a>,
    ) -> Result<Box<Diagnostic>> {
        let text = match eval.force(definition.value)? {
            Value::Str(text) => text,
            Value::Attrs(set) if self.0 == Literal::PortRange => {
                let error = mismatch(eval, ty, place, definition)?;
                return no_range(eval, place, set, error);
            }
            _ => return mismatch(eval, ty, place, definition),
        };
        match self.0.check(text) {
            Err(error) => Ok(literal_error(eval, place, definition, text, &error)),
            Ok(()) => mismatch(eval, ty, place, definition),
        }
    }
}

/// The diagnostic of a bad literal, at the characters that are wrong.
#[cold]
pub(crate) fn literal_error<'a>(
    eval: &Evaluator<'a>,
    place: Place<'a>,
    definition: &Definition<'a>,
    text: &str,
    error: &LiteralError,
) -> Box<Diagnostic> {
    let message = format!("`{}`: {}", place.path, error.message);
    let mut out = refused(eval, place, definition, message);
    // Where something is missing at the end, all of it is shown.
    let part = if error.at.is_empty() { 0..text.len() } else { error.at.clone() };
    out.span = inside(eval, definition, text, part);
    out.help.clone_from(&error.help);
    out
}

/// Where a part of a string stands in its source, if it is written there as it is.
pub(crate) fn inside<'a>(
    eval: &Evaluator<'a>,
    definition: &Definition<'a>,
    text: &str,
    part: std::ops::Range<usize>,
) -> Span {
    let span = value_span(eval, definition);
    let sources = &eval.world.sources;
    let written = sources.text(span).unwrap_or_default();
    if let Some(offsets) = crate::lower::offsets(&written, text)
        && let (Some(&start), Some(&end)) = (offsets.get(part.start), offsets.get(part.end))
    {
        return within(span, start, end);
    }
    // Written with interpolations, or in part: the words themselves may be found.
    if let Some(whole) = sources.narrow(span, text) {
        return within(whole, part.start, part.end);
    }
    if let Some(found) = in_line(eval, span, text, part.clone()) {
        return found;
    }
    let words = text.get(part).filter(|words| !words.is_empty());
    words.and_then(|words| sources.narrow(span, words)).unwrap_or(span)
}

/// A part of a string over several lines, whose indentation is not in its text.
fn in_line<'a>(
    eval: &Evaluator<'a>,
    span: Span,
    text: &str,
    part: std::ops::Range<usize>,
) -> Option<Span> {
    let start = text.get(..part.start)?.rfind('\n').map_or(0, |at| at + 1);
    let end = text.get(part.start..)?.find('\n').map_or(text.len(), |at| part.start + at);
    let line = text.get(start..end).filter(|line| line.len() < text.len())?;
    let line = eval.world.sources.narrow(span, line)?;
    Some(within(line, part.start - start, part.end.min(end) - start))
}

fn within(span: Span, start: usize, end: usize) -> Span {
    // An empty string has at least its closing quote.
    let end = end.max(start + 1);
    Span { start: span.start + start as u32, end: span.start + end as u32, ..span }
}

/// `{ from; to; }` of a set with just these.
fn ports<'a>(eval: &Evaluator<'a>, value: Value<'a>) -> Result<Option<(i64, i64)>> {
    let Value::Attrs(set) = value else { return Ok(None) };
    let (Some(from), Some(to), 2) = (set.get(symbol!("from")), set.get(symbol!("to")), set.len())
    else {
        return Ok(None);
    };
    match (eval.force_attr(from)?, eval.force_attr(to)?) {
        (Value::Int(from), Value::Int(to)) if 0 <= from && from <= to && to <= 65535 => {
            Ok(Some((from, to)))
        }
        _ => Ok(None),
    }
}

/// What is wrong with a set that is no range of ports.
#[cold]
fn no_range<'a>(
    eval: &Evaluator<'a>,
    place: Place<'a>,
    set: &'a Attrs<'a>,
    mut error: Box<Diagnostic>,
) -> Result<Box<Diagnostic>> {
    let names = ["from", "to"];
    let what = if let Some(other) =
        set.sorted().into_iter().find(|a| !names.contains(&a.name.as_str()))
    {
        error.span = other.span.or(error.span);
        error.help = did_you_mean(other.name.as_str(), names);
        format!("a range of ports has no `{}`", other.name)
    } else if let Some(missing) = names.into_iter().find(|name| set.get_str(name).is_none()) {
        format!("a range of ports needs `{missing}`")
    } else {
        let mut ends = [0; 2];
        for (end, name) in ends.iter_mut().zip(names) {
            let Some(attr) = set.get_str(name) else { continue };
            match eval.force_attr(attr)? {
                Value::Int(port) if (0..=65535).contains(&port) => *end = port,
                other => {
                    error.span = eval.value_span(attr.span.or(error.span));
                    let found = crate::brief::found(eval, other);
                    let path = place.name(eval, attr.name).path;
                    error.message = format!("`{path}` takes a port (0 to 65535), found {found}");
                    return Ok(error);
                }
            }
        }
        format!("the range ends ({}) before it starts ({})", ends[1], ends[0])
    };
    error.message = format!("`{}`: {what}", place.path);
    Ok(error)
}

fn coerce_range<'a>(eval: &Evaluator<'a>, value: Value<'a>) -> Result<Value<'a>> {
    let (from, to) = match value {
        Value::Str(text) => match port::port_range(text) {
            Ok(range) => (i64::from(range.from), i64::from(range.to)),
            Err(_) => return Ok(value),
        },
        value => match ports(eval, value)? {
            Some(range) => range,
            None => return Ok(value),
        },
    };
    Ok(eval.attrs([("from", Value::Int(from)), ("to", Value::Int(to))]))
}
