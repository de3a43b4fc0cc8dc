//! What a declaration shows to people: descriptions, defaults and examples as they would be written.

use std::fmt::Write as _;

use crate::eval::Evaluator;
use crate::print::print_name;
use crate::source::Span;
use crate::value::{Attr, Attrs, Value};

use super::option::OptionNode;
use super::property::kind_of;

/// Longer values are told by the expression that makes them.
const LONGEST: usize = 4000;

/// Deeper values likewise.
const DEEPEST: usize = 12;

/// A value as documentation shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// An expression of the language, on one line unless it holds longer texts.
    Code(String),
    /// Words in Markdown, where a value says too little.
    Words(String),
}

impl Shown {
    /// The text, whichever it is.
    pub fn text(&self) -> &str {
        match self {
            Shown::Code(text) | Shown::Words(text) => text,
        }
    }
}

/// A field of the declaration that is a string, or a text such as `mdDoc` made.
pub(super) fn text<'a>(
    eval: &Evaluator<'a>,
    option: &OptionNode<'a>,
    name: &str,
) -> Option<String> {
    let (attr, _) = option.field(name)?;
    match eval.force_attr(attr).ok()? {
        Value::Str(text) => Some(text.trim().to_owned()),
        Value::Attrs(set) => said(eval, set).map(|shown| shown.text().to_owned()),
        _ => None,
    }
}

/// The default, or the declaration's `defaultText` for it.
pub(super) fn default_of<'a>(eval: &Evaluator<'a>, option: &OptionNode<'a>) -> Option<Shown> {
    let told = option.field("defaultText").and_then(|(attr, _)| match eval.force_attr(attr) {
        Ok(Value::Str(text)) => Some(Shown::Words(text.trim().to_owned())),
        _ => shown(eval, attr),
    });
    told.or_else(|| shown(eval, option.field("default")?.0))
}

/// The declaration's example.
pub(super) fn example_of<'a>(eval: &Evaluator<'a>, option: &OptionNode<'a>) -> Option<Shown> {
    shown(eval, option.field("example")?.0)
}

/// A field's value, or the expression that makes it where the value cannot be written.
fn shown<'a>(eval: &Evaluator<'a>, attr: &'a Attr<'a>) -> Option<Shown> {
    if let Ok(Value::Attrs(set)) = eval.force_attr(attr)
        && let Some(shown) = said(eval, set)
    {
        return Some(shown);
    }
    let mut out = String::new();
    match write(eval, attr.value.get(), &mut out, 0) {
        Some(()) => Some(Shown::Code(out)),
        None => Some(expression(eval, eval.value_span(attr.span))),
    }
}

/// What `literalExpression`, `literalMD` and their like say.
fn said<'a>(eval: &Evaluator<'a>, set: &'a Attrs<'a>) -> Option<Shown> {
    let kind = kind_of(eval, Value::Attrs(set)).ok()??;
    let Value::Str(text) = eval.force_attr(set.get_str("text")?).ok()? else { return None };
    let text = text.trim().to_owned();
    match kind {
        "literalExpression" | "literalExample" => Some(Shown::Code(text)),
        "literalMD" | "mdDoc" | "literalDocBook" => Some(Shown::Words(text)),
        _ => None,
    }
}

/// The text of an expression, its lines moved to the left.
fn expression(eval: &Evaluator<'_>, span: Span) -> Shown {
    let text = eval.world.sources.text(span).filter(|text| text.len() <= LONGEST);
    let Some(text) = text else { return Shown::Words("computed".to_owned()) };
    let indent = |line: &str| line.len() - line.trim_start().len();
    let margin = text.lines().skip(1).filter(|line| !line.trim().is_empty()).map(indent).min();
    let margin = margin.unwrap_or_default();
    let lines = text.lines().enumerate().map(|(number, line)| match number {
        0 => line,
        _ => line.get(margin..).unwrap_or_default(),
    });
    Shown::Code(lines.collect::<Vec<_>>().join("\n"))
}

/// Writes a value as an expression; `None` where it has none, or a long one.
fn write<'a>(eval: &Evaluator<'a>, value: Value<'a>, out: &mut String, depth: usize) -> Option<()> {
    if depth > DEEPEST || out.len() > LONGEST {
        return None;
    }
    match eval.force(value).ok()? {
        Value::Path(path) => {
            let _ = write!(out, "{}", crate::eval::virtual_path(path));
        }
        Value::Str(text) if is_text(text) => write_lines(text, out),
        Value::List(list) if list.is_empty() => out.push_str("[ ]"),
        Value::List(list) => {
            out.push_str("[ ");
            for item in list.iter() {
                // A sign would be an operator here.
                let signed = matches!(eval.force(item), Ok(Value::Int(..0)))
                    || matches!(eval.force(item), Ok(Value::Float(number)) if number < 0.0);
                out.push_str(if signed { "(" } else { "" });
                write(eval, item, out, depth + 1)?;
                out.push_str(if signed { ") " } else { " " });
            }
            out.push(']');
        }
        Value::Attrs(set) => match package(eval, set) {
            Some(name) => {
                out.push_str("pkgs.");
                print_name(name, out);
            }
            None if set.payload().is_some() || kind_of(eval, Value::Attrs(set)).ok()?.is_some() => {
                return None;
            }
            None => write_set(eval, set, out, depth)?,
        },
        Value::Lambda(_) | Value::PrimOp(_) | Value::Thunk(_) => return None,
        plain => out.push_str(&eval.print(plain).ok()?),
    }
    Some(())
}

fn write_set<'a>(
    eval: &Evaluator<'a>,
    set: &'a Attrs<'a>,
    out: &mut String,
    depth: usize,
) -> Option<()> {
    if set.is_empty() {
        out.push_str("{ }");
        return Some(());
    }
    out.push_str("{ ");
    for attr in set.sorted() {
        print_name(attr.name.as_str(), out);
        let mut value = eval.force_attr(attr).ok()?;
        // `motd.text = …`, as one would write it.
        while let Value::Attrs(inner) = value
            && let [only] = inner.sorted()[..]
            && package(eval, inner).is_none()
            && out.len() <= LONGEST
        {
            out.push('.');
            print_name(only.name.as_str(), out);
            value = eval.force_attr(only).ok()?;
        }
        out.push_str(" = ");
        write(eval, value, out, depth + 1)?;
        out.push_str("; ");
    }
    out.push('}');
    Some(())
}

/// The name of a Debian package that a set stands for: the fleet's own may have any.
fn package<'a>(eval: &Evaluator<'a>, set: &'a Attrs<'a>) -> Option<&'a str> {
    let field = |name: &str| match eval.force_attr(set.get_str(name)?).ok()? {
        Value::Str(text) => Some(&**text),
        _ => None,
    };
    let debian = field("type") == Some("package") && field("kind") == Some("debian");
    if debian { field("name") } else { None }
}

/// Whether a string is lines of text, which read best as such.
fn is_text(text: &str) -> bool {
    let inner = text.trim_end_matches('\n');
    // The margin that is taken off again must be none.
    inner.contains('\n')
        && inner.lines().any(|line| !line.is_empty() && !line.starts_with([' ', '\t']))
        && !text.contains(['\r', '\t'])
}

fn write_lines(text: &str, out: &mut String) {
    let escaped = text.replace("''", "'''").replace("${", "''${");
    let _ = write!(out, "''\n{escaped}''");
}
