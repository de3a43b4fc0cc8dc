//! Merging as a function of the language.

use crate::diagnostic::Result;
use crate::eval::Evaluator;
use crate::source::Span;
use crate::symbol::Symbol;
use crate::value::Value;

use super::definition::Definition;
use super::option::{NO_PRIORITY, OptionNode, settle};
use super::property::{Conditions, unwrap};
use super::types::{Type, definitions, detached, location};

/// `mergeDefinitions loc type defs`: an option's value without the option, and what it is made of.
pub(super) fn merge_definitions<'a>(
    eval: &Evaluator<'a>,
    args: &[Value<'a>],
    at: Span,
) -> Result<Value<'a>> {
    let place = detached(eval, location(eval, args[0], at)?);
    let (ty, list) = (args[1], args[2]);
    let last = move |eval: &Evaluator<'a>| {
        let mut all = Vec::new();
        for definition in definitions(eval, list, at)? {
            unwrap(eval, definition, Conditions::Test, &mut all)?;
        }
        let mut errors = Vec::new();
        let last = settle(eval, all, &mut errors);
        match errors.into_iter().next() {
            Some(error) => Err(Box::new(error)),
            None => Ok(last),
        }
    };
    let merged = eval.thunk(move |eval| {
        let last = last(eval)?;
        if last.is_empty() {
            return Err(OptionNode::undefined_at(place.path, at));
        }
        Type::of(eval, ty, at)?.merge(eval, place, &last)
    });
    let values = eval.thunk(move |eval| {
        let each = last(eval)?
            .into_iter()
            .map(|one| eval.attrs([("file", eval.str_in(one.origin.file)), ("value", one.value)]));
        Ok(eval.list(each.collect::<Vec<_>>()))
    });
    let highest = eval.thunk(move |eval| {
        Ok(Value::Int(last(eval)?.first().map_or(NO_PRIORITY, Definition::strength)))
    });
    let optional = eval.thunk(move |eval| {
        Ok(if last(eval)?.is_empty() {
            eval.attrs::<Symbol>([])
        } else {
            eval.attrs([("value", merged)])
        })
    });
    Ok(eval.attrs([
        ("defsFinal", values),
        ("defsFinal'", eval.attrs([("values", values), ("highestPrio", highest)])),
        ("isDefined", eval.thunk(move |eval| Ok(Value::Bool(!last(eval)?.is_empty())))),
        ("mergedValue", merged),
        ("optionalValue", optional),
    ]))
}
