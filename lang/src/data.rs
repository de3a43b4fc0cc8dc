//! Plain data outside of any arena: what one host tells another, and what the compiler reads.

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Result};
use crate::eval::Evaluator;
use crate::source::Span;
use crate::symbol::Symbol;
use crate::value::Value;

/// A fully evaluated value without functions, owned.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// `null`
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A float.
    Float(f64),
    /// A string; a path as it would be interpolated.
    Str(String),
    /// A list.
    List(Vec<Data>),
    /// An attribute set.
    Attrs(BTreeMap<String, Data>),
}

impl Data {
    /// The attribute of this name.
    pub fn get(&self, name: &str) -> Option<&Data> {
        match self {
            Data::Attrs(attrs) => attrs.get(name),
            _ => None,
        }
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Data::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The value of an integer.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Data::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// The value of a boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Data::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The elements of a list.
    pub fn as_list(&self) -> Option<&[Data]> {
        match self {
            Data::List(items) => Some(items),
            _ => None,
        }
    }

    /// The attributes of a set.
    pub fn as_attrs(&self) -> Option<&BTreeMap<String, Data>> {
        match self {
            Data::Attrs(attrs) => Some(attrs),
            _ => None,
        }
    }
}

impl<'a> Evaluator<'a> {
    /// Forces a value through and through and copies it out. Paths become the text that they
    /// interpolate to. A set with `outPath` stays a set.
    ///
    /// # Errors
    /// Whatever forcing meets, and `eval::not-data` for a function.
    pub fn to_data(&self, value: Value<'a>, at: Span) -> Result<Data> {
        self.deeper(at, || self.to_data_inner(value, at))
    }

    fn to_data_inner(&self, value: Value<'a>, at: Span) -> Result<Data> {
        Ok(match self.force_at(value, at)? {
            Value::Null => Data::Null,
            Value::Bool(value) => Data::Bool(value),
            Value::Int(value) => Data::Int(value),
            Value::Float(value) => Data::Float(value),
            Value::Str(text) => Data::Str((*text).to_owned()),
            Value::Path(path) => Data::Str(self.interpolate_path(path, at)?.to_owned()),
            Value::List(list) => {
                let items = list.iter().map(|item| self.to_data(item, at));
                Data::List(items.collect::<Result<_>>()?)
            }
            Value::Attrs(attrs) => {
                let entries = attrs.sorted().into_iter().map(|attr| {
                    let data = self.to_data(attr.value.get(), attr.span.or(at))?;
                    Ok((attr.name.as_str().to_owned(), data))
                });
                Data::Attrs(entries.collect::<Result<_>>()?)
            }
            function @ (Value::Lambda(_) | Value::PrimOp(_) | Value::Thunk(_)) => {
                let message = format!("{} is not plain data", function.described());
                let help = "only null, booleans, numbers, strings, paths, lists and attribute sets \
                            can leave the evaluation";
                return Err(Diagnostic::error("eval::not-data", at, message)
                    .with_help(help)
                    .into());
            }
        })
    }

    /// Copies plain data into this evaluator's arena.
    pub fn from_data(&self, data: &Data) -> Value<'a> {
        match data {
            Data::Null => Value::Null,
            Data::Bool(value) => Value::Bool(*value),
            Data::Int(value) => Value::Int(*value),
            Data::Float(value) => Value::Float(*value),
            Data::Str(text) => self.str(text),
            Data::List(items) => self.list(items.iter().map(|item| self.from_data(item))),
            Data::Attrs(attrs) => {
                let entries = attrs.iter();
                self.attrs(entries.map(|(name, data)| (Symbol::new(name), self.from_data(data))))
            }
        }
    }
}
