//! JSON and TOML.

use super::{Builtin, builtin};
use crate::diagnostic::{Diagnostic, Result};
use crate::eval::{AttrsBuilder, Evaluator};
use crate::source::Span;
use crate::value::Value;

pub(super) const TABLE: &[Builtin] = &[
    builtin("toJSON", 1, to_json),
    builtin("fromJSON", 1, from_json),
    builtin("fromTOML", 1, from_toml),
];

fn to_json<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    Ok(e.str(&e.json(args[0], at)?))
}

fn from_json<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let text = e.expect_str(args[0], at)?;
    super::json::parse(e, text, at)
}

fn from_toml<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let text = e.expect_str(args[0], at)?;
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| {
        Diagnostic::error("type::toml", at, format!("this is no TOML: {}", error.message()))
    })?;
    toml_value(e, &toml::Value::Table(table), at)
}

fn toml_value<'a>(e: &Evaluator<'a>, value: &toml::Value, at: Span) -> Result<Value<'a>> {
    Ok(match value {
        toml::Value::String(text) if text.contains('\0') => {
            let message = "the TOML has the character 0, which no string can hold";
            return Err(Diagnostic::error("type::toml", at, message).into());
        }
        toml::Value::String(text) => e.str(text),
        toml::Value::Integer(value) => Value::Int(*value),
        toml::Value::Float(value) => Value::Float(*value),
        toml::Value::Boolean(value) => Value::Bool(*value),
        toml::Value::Datetime(value) => {
            let message = format!("the TOML has a date, {value}, which is no value here");
            return Err(Diagnostic::error("type::toml", at, message)
                .with_help("write the date as a string")
                .into());
        }
        toml::Value::Array(items) => {
            let items = items.iter().map(|item| toml_value(e, item, at));
            e.list(items.collect::<Result<Vec<_>>>()?)
        }
        toml::Value::Table(entries) => {
            let mut set = AttrsBuilder::with_capacity(entries.len());
            for (name, value) in entries {
                set.set(name.as_str(), toml_value(e, value, at)?);
            }
            set.finish(e)
        }
    })
}
