//! Values as text: Nix's own syntax, and JSON.

use std::fmt::Write as _;

use rustc_hash::FxHashSet;

use crate::builtins::{json_float, shortest_float};
use crate::diagnostic::{Diagnostic, Result};
use crate::eval::Evaluator;
use crate::select::quoted_step;
use crate::source::Span;
use crate::symbol::{Symbol, is_identifier};
use crate::value::Value;

/// The lists and sets that what is printed is in.
type Around = FxHashSet<*const ()>;

impl<'a> Evaluator<'a> {
    /// A value as `nix-instantiate --eval --strict` prints it. Thunks are `<CODE>`: force the
    /// value deeply first.
    ///
    /// # Errors
    /// A limit of the evaluation: a small value may be large as text.
    pub fn print(&self, value: Value<'a>) -> Result<String> {
        let mut out = String::new();
        self.print_into(value, &mut out, &mut FxHashSet::default())?;
        Ok(out)
    }

    /// Prints a value that is inside of those `around` it.
    fn print_into(&self, value: Value<'a>, out: &mut String, around: &mut Around) -> Result<()> {
        let value = match value {
            Value::Thunk(thunk) => match thunk.forced() {
                Some(value) => value,
                None => {
                    out.push_str("<CODE>");
                    return Ok(());
                }
            },
            value => value,
        };
        self.room(out, value, Span::NONE)?;
        match value {
            Value::Null => out.push_str("null"),
            Value::Bool(value) => out.push_str(if value { "true" } else { "false" }),
            Value::Int(value) => {
                let _ = write!(out, "{value}");
            }
            Value::Float(value) => out.push_str(&shortest_float(value)),
            Value::Str(text) => quote(text, out),
            Value::Path(path) => out.push_str(self.path_text(path)),
            Value::Lambda(_) => out.push_str("<LAMBDA>"),
            Value::PrimOp(primop) if primop.args.is_empty() => out.push_str("<PRIMOP>"),
            Value::PrimOp(_) => out.push_str("<PRIMOP-APP>"),
            Value::Thunk(_) => out.push_str("<CODE>"),
            Value::List(list) => {
                let address = std::ptr::from_ref(list).cast();
                self.within(address, out, around, |out, around| {
                    out.push_str("[ ");
                    for item in list.iter() {
                        self.print_into(item, out, around)?;
                        out.push(' ');
                    }
                    out.push(']');
                    Ok(())
                })?;
            }
            Value::Attrs(set) => {
                let address = std::ptr::from_ref(set).cast();
                self.within(address, out, around, |out, around| {
                    out.push_str("{ ");
                    for attr in set.sorted() {
                        print_name(attr.name.as_str(), out);
                        out.push_str(" = ");
                        self.print_into(attr.value.get(), out, around)?;
                        out.push_str("; ");
                    }
                    out.push('}');
                    Ok(())
                })?;
            }
        }
        Ok(())
    }

    /// Prints what contains other values, unless it contains itself.
    fn within(
        &self,
        address: *const (),
        out: &mut String,
        around: &mut Around,
        print: impl FnOnce(&mut String, &mut Around) -> Result<()>,
    ) -> Result<()> {
        if !around.insert(address) {
            out.push_str("«repeated»");
            return Ok(());
        }
        self.deeper(Span::NONE, || print(out, around))?;
        around.remove(&address);
        Ok(())
    }

    /// Whether more text is within the limits: a small value may print as a huge one, where its
    /// parts are the same.
    fn room(&self, out: &str, next: Value<'a>, at: Span) -> Result<()> {
        let next = if let Value::Str(text) = next { text.len() } else { 0 };
        self.check_text(out.len() + next, at)
    }

    /// A value as JSON, as `builtins.toJSON` gives it: names sorted, no blanks.
    ///
    /// # Errors
    /// `type::json` for a function, with the path to it, or whatever forcing meets.
    pub fn json(&self, value: Value<'a>, at: Span) -> Result<String> {
        let mut writer = JsonWriter { eval: self, out: String::new(), path: Vec::new() };
        writer.value(value, at)?;
        Ok(writer.out)
    }
}

/// A step on the way to a value inside of others.
enum Step {
    Name(Symbol),
    Index(usize),
}

struct JsonWriter<'e, 'a> {
    eval: &'e Evaluator<'a>,
    out: String,
    path: Vec<Step>,
}

impl<'a> JsonWriter<'_, 'a> {
    fn value(&mut self, value: Value<'a>, at: Span) -> Result<()> {
        let eval = self.eval;
        let value = eval.force_at(value, at)?;
        eval.room(&self.out, value, at)?;
        match value {
            Value::Null => self.out.push_str("null"),
            Value::Bool(value) => self.out.push_str(if value { "true" } else { "false" }),
            Value::Int(value) => {
                let _ = write!(self.out, "{value}");
            }
            Value::Float(value) => self.out.push_str(&json_float(value)),
            Value::Str(text) => json_string(text, &mut self.out),
            Value::Path(path) => json_string(eval.interpolate_path(path, at)?, &mut self.out),
            Value::List(list) => {
                self.out.push('[');
                for (index, item) in list.iter().enumerate() {
                    if index > 0 {
                        self.out.push(',');
                    }
                    self.inside(Step::Index(index), item, at)?;
                }
                self.out.push(']');
            }
            Value::Attrs(set) if set.get_str("__toString").is_some() => {
                json_string(eval.coerce_to_str(Value::Attrs(set), at)?, &mut self.out);
            }
            Value::Attrs(set) => {
                if let Some(attr) = set.get_str("outPath") {
                    return self.inside(Step::Name(attr.name), attr.value.get(), at);
                }
                self.out.push('{');
                for (index, attr) in set.sorted().into_iter().enumerate() {
                    if index > 0 {
                        self.out.push(',');
                    }
                    json_string(attr.name.as_str(), &mut self.out);
                    self.out.push(':');
                    self.inside(Step::Name(attr.name), attr.value.get(), attr.span.or(at))?;
                }
                self.out.push('}');
            }
            other => return Err(self.refusal(other, at)),
        }
        Ok(())
    }

    fn inside(&mut self, step: Step, value: Value<'a>, at: Span) -> Result<()> {
        self.path.push(step);
        let eval = self.eval;
        eval.deeper(at, || self.value(value, at))?;
        self.path.pop();
        Ok(())
    }

    #[cold]
    fn refusal(&self, value: Value<'a>, at: Span) -> Box<Diagnostic> {
        let steps = self.path.iter().map(|step| match step {
            Step::Name(name) => quoted_step(name.as_str()),
            Step::Index(index) => index.to_string(),
        });
        let path = steps.collect::<Vec<_>>().join(".");
        let what = value.described();
        let message = match path.as_str() {
            "" => format!("{what} has no JSON"),
            path => format!("`{path}` is {what}, which has no JSON"),
        };
        Diagnostic::error("type::json", at, message).into()
    }
}

/// A string literal.
fn quote(text: &str, out: &mut String) {
    out.push('"');
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '$' if chars.peek() == Some(&'{') => out.push_str("\\$"),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// A name as an attribute set has it, in quotes where it needs them.
pub(crate) fn print_name(name: &str, out: &mut String) {
    if is_identifier(name) { out.push_str(name) } else { quote(name, out) }
}

fn json_string(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}
