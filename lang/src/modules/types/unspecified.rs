//! `unspecified`: the type of an option that declares none, and what types without a `merge` of
//! their own do.

use crate::diagnostic::Result;
use crate::eval::{AttrsBuilder, Evaluator};
use crate::value::Value;

use super::super::definition::Definition;
use super::super::location::Place;
use super::{OptionType, Type, one_value, strongest_layer};

/// Any value.
pub(crate) struct Unspecified;

impl OptionType for Unspecified {
    fn name(&self) -> &str {
        "unspecified"
    }

    fn describe<'a>(&self, _: &Evaluator<'a>, _: Type<'a>) -> Result<String> {
        Ok("unspecified value".to_owned())
    }

    fn accepts<'a>(&self, _: &Evaluator<'a>, _: Type<'a>, _: Value<'a>) -> Result<bool> {
        Ok(true)
    }

    fn merge<'a>(
        &self,
        eval: &Evaluator<'a>,
        _: Type<'a>,
        place: Place<'a>,
        definitions: &[Definition<'a>],
    ) -> Result<Value<'a>> {
        merge_default(eval, place, definitions)
    }
}

/// What nixpkgs calls `mergeDefaultOption`: lists one after the other, sets name by name, the
/// later ones first; functions by what they give. Of other values the strongest layer's count:
/// strings are joined, one true makes a boolean true, integers must agree.
pub(crate) fn merge_default<'a>(
    eval: &Evaluator<'a>,
    place: Place<'a>,
    definitions: &[Definition<'a>],
) -> Result<Value<'a>> {
    if let [only] = definitions {
        return Ok(only.value);
    }
    let all = |is: fn(Value<'a>) -> bool| definitions.iter().all(|one| is(one.value));
    if all(Value::is_function) {
        return Ok(merge_functions(eval, place, definitions, merge_default));
    }
    if all(|value| matches!(value, Value::List(_))) {
        let items = definitions.iter().flat_map(|definition| match definition.value {
            Value::List(list) => list.iter().collect(),
            _ => Vec::new(),
        });
        return Ok(eval.list(items));
    }
    if all(|value| matches!(value, Value::Attrs(_))) {
        let mut out = AttrsBuilder::new();
        for definition in definitions {
            if let Value::Attrs(set) = definition.value {
                set.iter().for_each(|attr| {
                    out.copy(attr);
                });
            }
        }
        return Ok(out.finish(eval));
    }
    let strongest = strongest_layer(definitions);
    match strongest[..] {
        [Definition { value: Value::Bool(_), .. }, ..]
            if strongest.iter().all(|one| matches!(one.value, Value::Bool(_))) =>
        {
            let any = strongest.iter().any(|one| matches!(one.value, Value::Bool(true)));
            Ok(Value::Bool(any))
        }
        [Definition { value: Value::Str(_), .. }, _, ..] => {
            let texts: Option<String> = strongest
                .iter()
                .map(|one| match one.value {
                    Value::Str(text) => Some(&**text),
                    _ => None,
                })
                .collect();
            match texts {
                Some(joined) => Ok(eval.str(&joined)),
                None => one_value(eval, place, &strongest),
            }
        }
        _ => one_value(eval, place, &strongest),
    }
}

/// A function whose value is that of all of these, merged.
pub(super) fn merge_functions<'a>(
    eval: &Evaluator<'a>,
    place: Place<'a>,
    definitions: &[Definition<'a>],
    merge: fn(&Evaluator<'a>, Place<'a>, &[Definition<'a>]) -> Result<Value<'a>>,
) -> Value<'a> {
    let functions = eval.arena.bump.alloc_slice_copy(definitions);
    eval.primop("merged", 1, move |eval, args, at| {
        let results = functions.iter().map(|function| {
            let value = eval.call(function.value, args, at)?;
            Ok(function.element(value, function.key, function.span(eval)))
        });
        merge(eval, place, &results.collect::<Result<Vec<_>>>()?)
    })
}
