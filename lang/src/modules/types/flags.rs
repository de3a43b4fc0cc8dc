//! `types.flags { flags; scope; }`: a program's command line, checked against a table of its flags.
//!
//! Definitions are lists of words or one line as in a shell; the value is a set, flag to value.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;

use rustc_hash::FxHashMap;

use crate::diagnostic::{Diagnostic, Result, did_you_mean};
use crate::eval::{AttrsBuilder, Evaluator};
use crate::literal::flags::{Word, words};
use crate::literal::{self, Literal, LiteralError};
use crate::source::Span;
use crate::symbol::{Symbol, symbol};
use crate::value::{Attrs, List, Value};

use super::super::definition::Definition;
use super::super::location::Place;
use super::literal::{inside, literal_error};
use super::mismatch::{DECLARED, refused};
use super::{OptionType, Type};

/// What a flag's value is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Bool,
    Int,
    String,
    List,
    Duration,
}

/// How a value is written, beyond its kind.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Cidr,
    Ip,
    Path,
    Port,
    Ports,
}

struct Flag {
    name: String,
    short: Option<String>,
    kind: Kind,
    /// `both`, or the role that takes it.
    scope: String,
    values: Vec<String>,
    format: Option<Format>,
    /// Several values may stand in one word, with commas between.
    comma: bool,
    /// Gone from the program: what to use instead, or why.
    removed: Option<String>,
}

/// The type: a table of flags and the role that is configured.
pub(crate) struct Flags {
    flags: Rc<[Flag]>,
    scope: String,
}

/// Tables that were read, by the address of their list: hosts of different roles have the same.
#[derive(Default)]
pub(crate) struct Tables(RefCell<FxHashMap<*const (), Rc<[Flag]>>>);

impl Tables {
    fn table<'a>(&self, eval: &Evaluator<'a>, list: &'a List<'a>, at: Span) -> Result<Rc<[Flag]>> {
        let address = std::ptr::from_ref(list).cast();
        if let Some(known) = self.0.borrow().get(&address) {
            return Ok(known.clone());
        }
        let each = list.iter().map(|item| flag(eval, eval.expect_attrs(item, at)?, at));
        let table: Rc<[Flag]> = each.collect::<Result<_>>()?;
        self.0.borrow_mut().insert(address, table.clone());
        Ok(table)
    }
}

/// A word and the string that it stands in.
struct Placed<'a> {
    word: Word,
    line: &'a str,
    definition: Definition<'a>,
}

impl OptionType for Flags {
    fn name(&self) -> &str {
        "flags"
    }

    fn describe<'a>(&self, _: &Evaluator<'a>, _: Type<'a>) -> Result<String> {
        Ok("list or line of command-line flags".to_owned())
    }

    fn accepts<'a>(&self, _: &Evaluator<'a>, _: Type<'a>, value: Value<'a>) -> Result<bool> {
        Ok(matches!(value, Value::Str(_) | Value::List(_)))
    }

    fn merge<'a>(
        &self,
        eval: &Evaluator<'a>,
        _: Type<'a>,
        place: Place<'a>,
        definitions: &[Definition<'a>],
    ) -> Result<Value<'a>> {
        let mut given: Vec<(&Flag, Vec<Value<'a>>, Span)> = Vec::new();
        let mut errors = Vec::new();
        for definition in definitions {
            let mut words = split(eval, place, definition, &mut errors)?.into_iter().peekable();
            while let Some(word) = words.next() {
                let read = self.read(eval, place, &word, &mut words);
                match read {
                    Ok((flag, values, span)) => put(&mut given, flag, values, span),
                    Err(error) => errors.push(*error),
                }
            }
        }
        let mut errors = errors.into_iter();
        if let Some(first) = errors.next() {
            errors.try_for_each(|other| place.session.tolerate(other.into()))?;
            return Err(first.into());
        }
        let mut out = AttrsBuilder::with_capacity(given.len());
        for (flag, values, span) in given {
            let value = match flag.kind {
                Kind::List => eval.list(values),
                _ => values.last().copied().unwrap_or(Value::Null),
            };
            out.insert(flag.name.as_str(), value, span);
        }
        Ok(out.finish(eval))
    }
}

/// A list flag gathers its values; of any other the last counts, as on a command line.
fn put<'f, 'a>(
    given: &mut Vec<(&'f Flag, Vec<Value<'a>>, Span)>,
    flag: &'f Flag,
    values: Vec<Value<'a>>,
    span: Span,
) {
    match given.iter_mut().find(|(known, ..)| known.name == flag.name) {
        Some((_, all, _)) => all.extend(values),
        None => given.push((flag, values, span)),
    }
}

/// The words of a definition.
fn split<'a>(
    eval: &Evaluator<'a>,
    place: Place<'a>,
    definition: &Definition<'a>,
    errors: &mut Vec<Diagnostic>,
) -> Result<Vec<Placed<'a>>> {
    let lines: Vec<Definition<'a>> = match definition.value {
        Value::List(list) => {
            let at = definition.span(eval);
            let spans = eval.element_spans(at).unwrap_or_default();
            let each = list.iter().enumerate().map(|(number, item)| {
                let here = spans.get(number).copied().unwrap_or(at);
                let value = eval.force_at(item, here)?;
                Ok(definition.element(value, here, here))
            });
            each.collect::<Result<_>>()?
        }
        _ => vec![*definition],
    };
    let mut out = Vec::new();
    for definition in lines {
        let Value::Str(line) = definition.value else {
            let found = crate::brief::found(eval, definition.value);
            let message = format!("`{}`: a flag is a string, not {found}", place.path);
            errors.push(*refused(eval, place, &definition, message));
            continue;
        };
        match words(line) {
            Ok(words) => {
                out.extend(words.into_iter().map(|word| Placed { word, line, definition }));
            }
            Err(error) => errors.push(*literal_error(eval, place, &definition, line, &error)),
        }
    }
    Ok(out)
}

impl Flags {
    /// The type that `types.flags` makes of its argument.
    ///
    /// # Errors
    /// Where the table is not as it should be.
    pub(crate) fn of<'a>(eval: &Evaluator<'a>, value: Value<'a>, at: Span) -> Result<Flags> {
        let set = eval.expect_attrs(value, at)?;
        // A role that is wrong is said where it stands; the flags are looked at nevertheless.
        let scope =
            text(eval, set, symbol!("scope")).ok().flatten().unwrap_or_else(|| "both".to_owned());
        let Some(flags) = set.get(symbol!("flags")) else {
            return Err(eval.missing(Value::Attrs(set), "flags".into(), at));
        };
        let list = eval.expect_list(eval.force_attr(flags)?, flags.span.or(at))?;
        let flags = eval.modules.tables.table(eval, list, flags.span.or(at))?;
        Ok(Flags { flags, scope })
    }

    /// The flag that a word begins, with its values.
    fn read<'a>(
        &self,
        eval: &Evaluator<'a>,
        place: Place<'a>,
        word: &Placed<'a>,
        rest: &mut std::iter::Peekable<std::vec::IntoIter<Placed<'a>>>,
    ) -> Result<(&Flag, Vec<Value<'a>>, Span)> {
        let text = word.word.text.as_str();
        let name = text.split('=').next().unwrap_or(text);
        let span = word.span(eval, 0..name.len());
        let flag = self.find(place, name, span).inspect_err(|_| {
            // The word after an unknown flag is most likely its value.
            rest.next_if(|next| !text.contains('=') && !next.word.text.starts_with('-'));
        })?;
        let inline = text.get(name.len() + 1..);
        let values = match inline {
            Some(value) => flag.values(eval, place, word, name.len() + 1, value)?,
            None if flag.kind == Kind::Bool => vec![Value::Bool(true)],
            None => match rest.next_if(|next| !next.word.text.starts_with("--")) {
                Some(next) => flag.values(eval, place, &next, 0, &next.word.text)?,
                None => return Err(flag.without_value(place, span)),
            },
        };
        Ok((flag, values, span))
    }

    fn find(&self, place: Place<'_>, name: &str, span: Span) -> Result<&Flag> {
        let long = name.strip_prefix("--");
        let short = name.strip_prefix('-').filter(|_| long.is_none());
        let error = |code: &str, message: String| {
            Diagnostic::error(code, span, message).with_related(place.declared, DECLARED)
        };
        let named = |name: &str| self.flags.iter().find(|flag| flag.name == name);
        let flag = match (long, short) {
            (Some(long), _) => named(long),
            (_, Some(short)) => self.flags.iter().find(|flag| flag.short.as_deref() == Some(short)),
            _ => {
                let error = error("flags::not-a-flag", format!("`{name}` is not a flag"));
                return Err(match named(name) {
                    Some(_) => error.with_help(format!("write --{name}")),
                    None => error.with_help(
                        "flags begin with `--`; no flag before this takes it as its value",
                    ),
                }
                .into());
            }
        };
        let Some(flag) = flag else {
            let mut error = error("flags::unknown", format!("there is no flag `{name}`"));
            let bare = long.or(short).unwrap_or(name);
            let current = self.flags.iter().filter(|flag| flag.removed.is_none());
            error.help = match named(bare) {
                Some(_) => Some(format!("write --{bare}, with two hyphens")),
                None => did_you_mean(bare, current.map(|flag| flag.name.as_str()))
                    .map(|hint| hint.replace("you mean `", "you mean `--")),
            };
            return Err(error.into());
        };
        if let Some(instead) = &flag.removed {
            let error = error("flags::removed", format!("the flag `{name}` has been removed"));
            return Err(error.with_help(instead.clone()).into());
        }
        if flag.scope != "both" && self.scope != "both" && flag.scope != self.scope {
            let message = format!(
                "the flag `{name}` is for the role `{}`, and this is `{}`",
                flag.scope, self.scope
            );
            let error = error("flags::scope", message);
            return Err(error.with_help("remove it here, or change the role").into());
        }
        Ok(flag)
    }
}

impl<'a> Placed<'a> {
    /// Where a part of the word's text is written.
    fn span(&self, eval: &Evaluator<'a>, part: Range<usize>) -> Span {
        inside(eval, &self.definition, self.line, self.word.place(part))
    }
}

impl Flag {
    #[cold]
    fn without_value(&self, place: Place<'_>, span: Span) -> Box<Diagnostic> {
        let message = format!("the flag `--{}` needs a value", self.name);
        Diagnostic::error("flags::value", span, message)
            .with_related(place.declared, DECLARED)
            .with_help(format!("write --{}=…", self.name))
            .into()
    }

    /// The values in `text`, which begins at byte `start` of the word.
    fn values<'a>(
        &self,
        eval: &Evaluator<'a>,
        place: Place<'a>,
        word: &Placed<'a>,
        start: usize,
        text: &str,
    ) -> Result<Vec<Value<'a>>> {
        let parts: Vec<&str> = if self.comma { text.split(',').collect() } else { vec![text] };
        let mut at = start;
        let mut out = Vec::with_capacity(parts.len());
        for part in parts {
            match self.value(eval, part) {
                Ok(value) => out.push(value),
                Err(error) => {
                    let whole = at..at + part.len();
                    let error = error.shifted(at);
                    let wrong = if error.at.is_empty() { whole } else { error.at.clone() };
                    let span = word.span(eval, wrong);
                    let message = format!("`--{}`: {}", self.name, error.message);
                    let mut out = Diagnostic::error("flags::value", span, message)
                        .with_related(place.declared, DECLARED);
                    out.help = error.help;
                    return Err(out.into());
                }
            }
            at += part.len() + 1;
        }
        Ok(out)
    }

    fn value<'a>(&self, eval: &Evaluator<'a>, text: &str) -> Result<Value<'a>, LiteralError> {
        let whole = 0..text.len();
        if !self.values.is_empty() && !self.values.iter().any(|value| value == text) {
            let message = format!("{text:?} is not one of {}", self.values.join(", "));
            let mut error = LiteralError::new(whole, message);
            error.help = did_you_mean(text, self.values.iter().map(String::as_str));
            return Err(error);
        }
        match self.format {
            Some(Format::Cidr) => Literal::Cidr.check(text)?,
            Some(Format::Ip) => Literal::Ip.check(text)?,
            Some(Format::Ports) => Literal::PortRange.check(text)?,
            Some(Format::Port) => drop(literal::port::port(text)?),
            Some(Format::Path) | None => {}
        }
        match self.kind {
            Kind::Bool => match text {
                "true" | "1" | "t" => Ok(Value::Bool(true)),
                "false" | "0" | "f" => Ok(Value::Bool(false)),
                _ => {
                    let error = LiteralError::new(whole, format!("{text:?} is not true or false"));
                    Err(error.help(format!("write --{0} or --{0}=false", self.name)))
                }
            },
            Kind::Int => text
                .parse()
                .map(Value::Int)
                .map_err(|_| LiteralError::new(whole, format!("{text:?} is not an integer"))),
            Kind::Duration => Literal::Duration.check(text).map(|()| eval.str(text)),
            Kind::String | Kind::List => Ok(eval.str(text)),
        }
    }
}

fn flag<'a>(eval: &Evaluator<'a>, set: &'a Attrs<'a>, at: Span) -> Result<Flag> {
    let bad = |message: String| Err(Diagnostic::error("flags::table", at, message).into());
    let Some(name) = text(eval, set, symbol!("name"))? else {
        return bad("a flag of the table has no `name`".to_owned());
    };
    let removed = match set.get(symbol!("removed")).map(|attr| eval.force_attr(attr)).transpose()? {
        None | Some(Value::Null | Value::Bool(false)) => None,
        Some(Value::Str(why)) => Some((*why).to_owned()),
        Some(_) => Some(match text(eval, set, symbol!("use"))? {
            Some(other) => format!("use `{other}` instead"),
            None => "leave it out".to_owned(),
        }),
    };
    let kind = match text(eval, set, symbol!("type"))?.as_deref() {
        Some("bool") => Kind::Bool,
        Some("int") => Kind::Int,
        Some("list") => Kind::List,
        Some("duration") => Kind::Duration,
        Some("string") | None => Kind::String,
        Some(other) => return bad(format!("the flag `{name}` has the unknown type {other:?}")),
    };
    let format = match text(eval, set, symbol!("format"))?.as_deref() {
        Some("cidr") => Some(Format::Cidr),
        Some("ip") => Some(Format::Ip),
        Some("path") => Some(Format::Path),
        Some("port") => Some(Format::Port),
        Some("ports") => Some(Format::Ports),
        Some(other) => return bad(format!("the flag `{name}` has the unknown format {other:?}")),
        None => None,
    };
    let mut values = Vec::new();
    if let Some(attr) = set.get(symbol!("values")) {
        for value in eval.expect_list(eval.force_attr(attr)?, at)?.iter() {
            values.push(eval.expect_str(value, at)?.to_owned());
        }
    }
    let comma = match set.get(symbol!("comma")) {
        Some(attr) => eval.expect_bool(eval.force_attr(attr)?, at)?,
        None => false,
    };
    let scope = text(eval, set, symbol!("scope"))?.unwrap_or_else(|| "both".to_owned());
    let short = text(eval, set, symbol!("short"))?;
    Ok(Flag { name, short, kind, scope, values, format, comma, removed })
}

fn text<'a>(eval: &Evaluator<'a>, set: &'a Attrs<'a>, name: Symbol) -> Result<Option<String>> {
    match set.get(name).map(|attr| eval.force_attr(attr)).transpose()? {
        Some(Value::Str(text)) => Ok(Some((*text).to_owned())),
        _ => Ok(None),
    }
}
