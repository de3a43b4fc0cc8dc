//! Values as text: Nix's own syntax, and JSON.

use std::fmt::Write as _;

use crate::builtins::{json_float, shortest_float};
use crate::diagnostic::{Diagnostic, Result};
use crate::eval::Evaluator;
use crate::source::Span;
use crate::symbol::is_identifier;
use crate::value::Value;

impl<'a> Evaluator<'a> {
    /// A value as `nix-instantiate --eval --strict` prints it. Thunks are `<CODE>`: force the
    /// value deeply first.
    pub fn print(&self, value: Value<'a>) -> String {
        let mut out = String::new();
        self.print_into(value, &mut out, &mut Vec::new());
        out
    }

    fn print_into(&self, value: Value<'a>, out: &mut String, around: &mut Vec<*const ()>) {
        let value = match value {
            Value::Thunk(thunk) => match thunk.forced() {
                Some(value) => value,
                None => return out.push_str("<CODE>"),
            },
            value => value,
        };
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
                        self.print_into(item, out, around);
                        out.push(' ');
                    }
                    out.push(']');
                });
            }
            Value::Attrs(set) => {
                let address = std::ptr::from_ref(set).cast();
                self.within(address, out, around, |out, around| {
                    out.push_str("{ ");
                    for attr in set.sorted() {
                        print_name(attr.name.as_str(), out);
                        out.push_str(" = ");
                        self.print_into(attr.value.get(), out, around);
                        out.push_str("; ");
                    }
                    out.push('}');
                });
            }
        }
    }

    /// Prints what contains other values, unless it contains itself or nests too deeply.
    fn within(
        &self,
        address: *const (),
        out: &mut String,
        around: &mut Vec<*const ()>,
        print: impl FnOnce(&mut String, &mut Vec<*const ()>),
    ) {
        if around.contains(&address) {
            return out.push_str("«repeated»");
        }
        around.push(address);
        let printed = self.deeper(Span::NONE, || {
            self.check_text(out.len(), Span::NONE)?;
            print(out, around);
            Ok(())
        });
        if printed.is_err() {
            out.push('…');
        }
        around.pop();
    }

    /// Whether so long a text is within the limits: a small value may print as a huge one, where
    /// its parts are the same.
    fn check_text(&self, len: usize, at: Span) -> Result<()> {
        if len < 1 << 20 { Ok(()) } else { self.check_limits(len, at) }
    }

    /// A value as JSON, as `builtins.toJSON` gives it: names sorted, no blanks.
    ///
    /// # Errors
    /// `type::json` for a function, or whatever forcing meets.
    pub fn json(&self, value: Value<'a>, at: Span) -> Result<String> {
        let mut out = String::new();
        self.json_into(value, at, &mut out)?;
        Ok(out)
    }

    fn json_into(&self, value: Value<'a>, at: Span, out: &mut String) -> Result<()> {
        match self.force_at(value, at)? {
            Value::Null => out.push_str("null"),
            Value::Bool(value) => out.push_str(if value { "true" } else { "false" }),
            Value::Int(value) => {
                let _ = write!(out, "{value}");
            }
            Value::Float(value) => out.push_str(&json_float(value)),
            Value::Str(text) => json_string(text, out),
            Value::Path(path) => json_string(self.interpolate_path(path, at)?, out),
            Value::List(list) => {
                self.check_text(out.len(), at)?;
                out.push('[');
                for (index, item) in list.iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    self.deeper(at, || self.json_into(item, at, out))?;
                }
                out.push(']');
            }
            Value::Attrs(set) if set.get_str("__toString").is_some() => {
                json_string(self.coerce_to_str(Value::Attrs(set), at)?, out);
            }
            Value::Attrs(set) => {
                if let Some(attr) = set.get_str("outPath") {
                    return self.deeper(at, || self.json_into(attr.value.get(), at, out));
                }
                self.check_text(out.len(), at)?;
                out.push('{');
                for (index, attr) in set.sorted().into_iter().enumerate() {
                    if index > 0 {
                        out.push(',');
                    }
                    json_string(attr.name.as_str(), out);
                    out.push(':');
                    let at = attr.span.or(at);
                    self.deeper(at, || self.json_into(attr.value.get(), at, out))?;
                }
                out.push('}');
            }
            other => {
                let message = format!("{} has no JSON", other.described());
                return Err(Diagnostic::error("type::json", at, message).into());
            }
        }
        Ok(())
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

fn print_name(name: &str, out: &mut String) {
    if is_identifier(name) { out.push_str(name) } else { quote(name, out) }
}

fn json_string(text: &str, out: &mut String) {
    out.push_str(&serde_json::Value::from(text).to_string());
}
