//! `anything`: sets merge by name, everything else must agree.

use rustc_hash::FxHashMap;

use crate::diagnostic::Result;
use crate::eval::{AttrsBuilder, Evaluator};
use crate::source::Span;
use crate::symbol::{Symbol, symbol};
use crate::value::Value;

use super::super::definition::Definition;
use super::super::location::Place;
use super::super::option::settle;
use super::super::property::{Conditions, unwrap};
use super::unspecified::merge_functions;
use super::{OptionType, Type, make, one_value, strongest_layer};

pub(crate) struct Anything;

impl OptionType for Anything {
    fn name(&self) -> &str {
        "anything"
    }

    fn describe<'a>(&self, _: &Evaluator<'a>, _: Type<'a>) -> Result<String> {
        Ok("anything".to_owned())
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
        merge(eval, place, definitions)
    }
}

/// Merges values of any kind: sets by name, functions by what they give; others must agree.
pub(crate) fn merge<'a>(
    eval: &Evaluator<'a>,
    place: Place<'a>,
    definitions: &[Definition<'a>],
) -> Result<Value<'a>> {
    let all = |is: fn(Value<'a>) -> bool| definitions.iter().all(|one| is(one.value));
    // Several sets with a `_type` are one; a single one stays the object that it is.
    if all(is_plain_set) || definitions.len() > 1 && all(is_mere_set) {
        return merge_sets(eval, place, definitions);
    }
    let strongest = strongest_layer(definitions);
    if definitions.len() > 1 && all(Value::is_function) {
        return Ok(merge_functions(eval, place, definitions, merge));
    }
    match strongest[..] {
        [Definition { value: Value::List(_), .. }] => {
            let each = make(
                eval,
                super::collection::ListOf { non_empty: false },
                &[make(eval, Anything, &[])],
            );
            Type::of(eval, each, Span::NONE)?.merge(eval, place, &strongest)
        }
        _ => one_value(eval, place, &strongest),
    }
}

/// A set that is no package or other object.
fn is_plain_set(value: Value<'_>) -> bool {
    let Value::Attrs(set) = value else { return false };
    is_mere_set(value) && set.get(symbol!("_type")).is_none()
}

/// A set that no string and nothing native stands for.
fn is_mere_set(value: Value<'_>) -> bool {
    let Value::Attrs(set) = value else { return false };
    set.payload().is_none()
        && ["outPath", "__toString"].iter().all(|name| set.get_str(name).is_none())
}

fn merge_sets<'a>(
    eval: &Evaluator<'a>,
    place: Place<'a>,
    definitions: &[Definition<'a>],
) -> Result<Value<'a>> {
    let mut names: Vec<Symbol> = Vec::new();
    let mut by_name: FxHashMap<Symbol, Vec<Definition<'a>>> = FxHashMap::default();
    for definition in definitions {
        let Value::Attrs(set) = definition.value else { continue };
        for attr in set.iter() {
            let parts = by_name.entry(attr.name).or_insert_with(|| {
                names.push(attr.name);
                Vec::new()
            });
            let part = definition.element(attr.value.get(), attr.span, Span::NONE);
            unwrap(eval, part, Conditions::Test, parts)?;
        }
    }
    let mut out = AttrsBuilder::with_capacity(names.len());
    for name in names {
        let parts = by_name.remove(&name).unwrap_or_default();
        let Some(span) = parts.first().map(|part| part.key) else { continue };
        let mut errors = Vec::new();
        let parts = settle(eval, parts, &mut errors);
        if let Some(error) = errors.into_iter().next() {
            return Err(error.into());
        }
        let parts = eval.arena.bump.alloc_slice_copy(&parts);
        let place = place.name(eval, name);
        out.insert(name, eval.thunk(move |eval| merge(eval, place, parts)), span);
    }
    Ok(out.finish(eval))
}
