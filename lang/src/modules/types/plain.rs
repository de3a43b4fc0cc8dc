//! Types that look at a value's kind alone: `bool`, `boolByOr`, `attrs`, `raw`, `optionType`.

use crate::diagnostic::Result;
use crate::eval::{AttrsBuilder, Evaluator};
use crate::value::Value;

use super::super::definition::Definition;
use super::super::location::Place;
use super::super::property::kind_of;
use super::{OptionType, Type, one_value, only_value};

/// A type that is nothing but a kind of value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plain {
    Bool,
    /// A boolean that is true when any definition is.
    BoolByOr,
    /// A set of anything; later definitions replace earlier names.
    Attrs,
    /// Any value, never looked into, defined once.
    Raw,
    /// A type of options, as `freeformType` takes.
    OptionType,
}

impl OptionType for Plain {
    fn name(&self) -> &str {
        match self {
            Plain::Bool => "bool",
            Plain::BoolByOr => "boolByOr",
            Plain::Attrs => "attrs",
            Plain::Raw => "raw",
            Plain::OptionType => "optionType",
        }
    }

    fn describe<'a>(&self, _: &Evaluator<'a>, _: Type<'a>) -> Result<String> {
        let words = match self {
            Plain::Bool => "boolean",
            Plain::BoolByOr => "boolean (merged by or)",
            Plain::Attrs => "attribute set",
            Plain::Raw => "raw value",
            Plain::OptionType => "option type",
        };
        Ok(words.to_owned())
    }

    fn accepts<'a>(&self, eval: &Evaluator<'a>, _: Type<'a>, value: Value<'a>) -> Result<bool> {
        Ok(match self {
            Plain::Bool | Plain::BoolByOr => matches!(value, Value::Bool(_)),
            Plain::Attrs => matches!(value, Value::Attrs(_)),
            Plain::Raw => true,
            Plain::OptionType => kind_of(eval, value)? == Some("option-type"),
        })
    }

    fn merge<'a>(
        &self,
        eval: &Evaluator<'a>,
        _: Type<'a>,
        place: Place<'a>,
        definitions: &[Definition<'a>],
    ) -> Result<Value<'a>> {
        match self {
            Plain::Bool => one_value(eval, place, definitions),
            Plain::BoolByOr => {
                let is_true = |one: &Definition<'a>| matches!(one.value, Value::Bool(true));
                Ok(Value::Bool(definitions.iter().any(is_true)))
            }
            Plain::Attrs => {
                let mut out = AttrsBuilder::new();
                for definition in definitions {
                    if let Value::Attrs(set) = definition.value {
                        set.iter().for_each(|attr| {
                            out.copy(attr);
                        });
                    }
                }
                Ok(out.finish(eval))
            }
            Plain::Raw => only_value(eval, place, definitions),
            Plain::OptionType => merge_types(eval, place, definitions),
        }
    }

    fn empty<'a>(&self, eval: &Evaluator<'a>, _: Type<'a>) -> Result<Option<Value<'a>>> {
        Ok((*self == Plain::Attrs).then(|| eval.attrs::<crate::symbol::Symbol>([])))
    }
}

/// The type of all definitions, which are types, as of one option that each of them declares.
fn merge_types<'a>(
    eval: &Evaluator<'a>,
    place: Place<'a>,
    definitions: &[Definition<'a>],
) -> Result<Value<'a>> {
    let Some((first, others)) = definitions.split_first() else { return Ok(Value::Null) };
    let mut merged = Type::of(eval, first.value, first.span(eval))?;
    for other in others {
        let ty = Type::of(eval, other.value, other.span(eval))?;
        match merged.unify(eval, ty)? {
            Some(both) => merged = both,
            None => return Err(super::mismatch::conflict(eval, place, first, other)),
        }
    }
    Ok(if others.is_empty() { first.value } else { merged.value() })
}
