//! What a declaration shows to people: descriptions, defaults and examples as they would be written.

use std::fmt::Write as _;

use crate::eval::Evaluator;
use crate::print::print_name;
use crate::source::Span;
use crate::symbol::symbol;
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
    match in_full(eval, attr.value.get(), LONGEST) {
        Some(text) => Some(Shown::Code(text)),
        None => Some(expression(eval, eval.value_span(attr.span))),
    }
}

/// A value as an expression, where it has one of at most about this length.
pub(super) fn in_full<'a>(
    eval: &Evaluator<'a>,
    value: Value<'a>,
    longest: usize,
) -> Option<String> {
    let mut writer = Writer { eval, out: String::new(), longest };
    writer.write(value, 0)?;
    Some(writer.out).filter(|text| text.len() <= longest)
}

/// What `literalExpression`, `literalMD` and their like say.
fn said<'a>(eval: &Evaluator<'a>, set: &'a Attrs<'a>) -> Option<Shown> {
    let kind = kind_of(eval, Value::Attrs(set)).ok()??;
    let Value::Str(text) = eval.force_attr(set.get(symbol!("text"))?).ok()? else { return None };
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

struct Writer<'e, 'a> {
    eval: &'e Evaluator<'a>,
    out: String,
    longest: usize,
}

impl<'a> Writer<'_, 'a> {
    /// Writes a value; `None` where it has no expression, or a long one.
    fn write(&mut self, value: Value<'a>, depth: usize) -> Option<()> {
        let eval = self.eval;
        if depth > DEEPEST || self.out.len() > self.longest {
            return None;
        }
        match eval.force(value).ok()? {
            Value::Path(path) => {
                let _ = write!(self.out, "{}", crate::eval::virtual_path(path));
            }
            Value::Str(text) if is_text(text) => write_lines(text, &mut self.out),
            Value::List(list) if list.is_empty() => self.out.push_str("[ ]"),
            Value::List(list) => {
                self.out.push_str("[ ");
                for item in list.iter() {
                    // A sign would be an operator here.
                    let signed = matches!(eval.force(item), Ok(Value::Int(..0)))
                        || matches!(eval.force(item), Ok(Value::Float(number)) if number < 0.0);
                    self.out.push_str(if signed { "(" } else { "" });
                    self.write(item, depth + 1)?;
                    self.out.push_str(if signed { ") " } else { " " });
                }
                self.out.push(']');
            }
            Value::Attrs(set) => match package(eval, set) {
                Some(name) => {
                    self.out.push_str("pkgs.");
                    print_name(name, &mut self.out);
                }
                None if is_object(eval, set) => return None,
                None => self.write_set(set, depth)?,
            },
            Value::Lambda(_) | Value::PrimOp(_) | Value::Thunk(_) => return None,
            plain => self.out.push_str(&eval.print(plain).ok()?),
        }
        Some(())
    }

    fn write_set(&mut self, set: &'a Attrs<'a>, depth: usize) -> Option<()> {
        if set.is_empty() {
            self.out.push_str("{ }");
            return Some(());
        }
        self.out.push_str("{ ");
        for attr in set.sorted() {
            print_name(attr.name.as_str(), &mut self.out);
            let mut value = self.eval.force_attr(attr).ok()?;
            // `motd.text = …`, as one would write it.
            while let Value::Attrs(inner) = value
                && let [only] = inner.sorted()[..]
                && package(self.eval, inner).is_none()
                && !is_object(self.eval, inner)
                && self.out.len() <= self.longest
            {
                self.out.push('.');
                print_name(only.name.as_str(), &mut self.out);
                value = self.eval.force_attr(only).ok()?;
            }
            self.out.push_str(" = ");
            self.write(value, depth + 1)?;
            self.out.push_str("; ");
        }
        self.out.push('}');
        Some(())
    }
}

/// Whether a set is a type, an option or such, and no data.
fn is_object<'a>(eval: &Evaluator<'a>, set: &'a Attrs<'a>) -> bool {
    set.payload().is_some() || !matches!(kind_of(eval, Value::Attrs(set)), Ok(None))
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
