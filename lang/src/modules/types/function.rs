//! `functionTo`: functions whose results merge as values of a type.

use crate::diagnostic::Result;
use crate::eval::Evaluator;
use crate::symbol::{Symbol, symbol};
use crate::value::{Attrs, Value};

use super::super::definition::Definition;
use super::super::location::Place;
use super::super::property::{Conditions, unwrap};
use super::{OptionType, Type, make, merge_element, mismatch};

/// What stands in a path for what a function gives.
const BODY: &str = "<function body>";

/// Value 0 is the type of the results.
pub(crate) struct FunctionTo;

impl OptionType for FunctionTo {
    fn name(&self) -> &str {
        "functionTo"
    }

    fn describe<'a>(&self, eval: &Evaluator<'a>, ty: Type<'a>) -> Result<String> {
        let inner = ty.inner(eval, 0)?.description(eval)?;
        Ok(format!("function that gives {}", super::mismatch::with_article(&inner)))
    }

    fn accepts<'a>(&self, _: &Evaluator<'a>, _: Type<'a>, value: Value<'a>) -> Result<bool> {
        let functor = |set: &Attrs<'a>| set.get(symbol!("__functor")).is_some();
        Ok(value.is_function() || matches!(value, Value::Attrs(set) if functor(set)))
    }

    fn merge<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        place: Place<'a>,
        definitions: &[Definition<'a>],
    ) -> Result<Value<'a>> {
        let definitions = eval.arena.bump.alloc_slice_copy(definitions);
        let (inner, place) = (ty.inner(eval, 0)?, place.name(eval, Symbol::new(BODY)));
        Ok(eval.primop("merged", 1, move |eval, args, at| {
            let mut results = Vec::with_capacity(definitions.len());
            for definition in definitions.iter() {
                let value = eval.call(definition.value, args, at)?;
                let result = definition.element(value, definition.key, definition.span(eval));
                unwrap(eval, result, Conditions::Test, &mut results)?;
            }
            let first = results.first().copied();
            match merge_element(eval, inner, place, results)? {
                Some(value) => eval.force(value),
                None => Err(super::collection::nothing_left(place, first.as_ref())),
            }
        }))
    }

    fn nested(&self, _: Type<'_>) -> Vec<(&'static str, usize)> {
        vec![("elemType", 0)]
    }

    fn around<'a>(&self, eval: &Evaluator<'a>, values: &[Value<'a>]) -> Option<Value<'a>> {
        Some(make(eval, FunctionTo, values))
    }

    fn elements(&self, _: Type<'_>) -> Vec<(Option<String>, usize)> {
        vec![(Some(BODY.to_owned()), 0)]
    }

    fn refuse<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        place: Place<'a>,
        definition: &Definition<'a>,
    ) -> Result<Box<crate::diagnostic::Diagnostic>> {
        let mut error = mismatch(eval, ty, place, definition)?;
        let value = eval.force(definition.value)?;
        if ty.inner(eval, 0)?.accepts(eval, value)? {
            error.help = Some("write a function that gives it: `_: …`".to_owned());
        }
        Ok(error)
    }
}
