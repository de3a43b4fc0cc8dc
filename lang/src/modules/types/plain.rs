//! Types that look at a value's kind alone: `bool`, `attrs`, `raw`, `unspecified`, `functionTo`.

use crate::diagnostic::Result;
use crate::eval::{AttrsBuilder, Evaluator};
use crate::value::Value;

use super::super::definition::Definition;
use super::super::location::Place;
use super::super::property::kind_of;
use super::{OptionType, Type, only_value};

pub(crate) struct Bool;

impl OptionType for Bool {
    fn name(&self) -> &str {
        "bool"
    }

    fn describe<'a>(&self, _: &Evaluator<'a>, _: Type<'a>) -> Result<String> {
        Ok("boolean".to_owned())
    }

    fn accepts<'a>(&self, _: &Evaluator<'a>, _: Type<'a>, value: Value<'a>) -> Result<bool> {
        Ok(matches!(value, Value::Bool(_)))
    }
}

/// A boolean that is true when any definition is.
pub(crate) struct BoolByOr;

impl OptionType for BoolByOr {
    fn name(&self) -> &str {
        "boolByOr"
    }

    fn describe<'a>(&self, _: &Evaluator<'a>, _: Type<'a>) -> Result<String> {
        Ok("boolean (merged by or)".to_owned())
    }

    fn accepts<'a>(&self, _: &Evaluator<'a>, _: Type<'a>, value: Value<'a>) -> Result<bool> {
        Ok(matches!(value, Value::Bool(_)))
    }

    fn merge<'a>(
        &self,
        _: &Evaluator<'a>,
        _: Type<'a>,
        _: Place<'a>,
        definitions: &[Definition<'a>],
    ) -> Result<Value<'a>> {
        let is_true = |definition: &Definition<'a>| matches!(definition.value, Value::Bool(true));
        Ok(Value::Bool(definitions.iter().any(is_true)))
    }
}

/// A set of anything; later definitions replace earlier names.
pub(crate) struct PlainAttrs;

impl OptionType for PlainAttrs {
    fn name(&self) -> &str {
        "attrs"
    }

    fn describe<'a>(&self, _: &Evaluator<'a>, _: Type<'a>) -> Result<String> {
        Ok("attribute set".to_owned())
    }

    fn accepts<'a>(&self, _: &Evaluator<'a>, _: Type<'a>, value: Value<'a>) -> Result<bool> {
        Ok(matches!(value, Value::Attrs(_)))
    }

    fn merge<'a>(
        &self,
        eval: &Evaluator<'a>,
        _: Type<'a>,
        _: Place<'a>,
        definitions: &[Definition<'a>],
    ) -> Result<Value<'a>> {
        let mut out = AttrsBuilder::new();
        for definition in definitions {
            if let Value::Attrs(set) = definition.value {
                for attr in set.iter() {
                    out.copy(attr);
                }
            }
        }
        Ok(out.finish(eval))
    }
}

/// Any value, never looked into, defined once.
pub(crate) struct Raw;

impl OptionType for Raw {
    fn name(&self) -> &str {
        "raw"
    }

    fn describe<'a>(&self, _: &Evaluator<'a>, _: Type<'a>) -> Result<String> {
        Ok("raw value".to_owned())
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
        only_value(eval, place, definitions)
    }
}

/// Any value: the type of an option that declares none. Lists and sets merge.
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
        super::anything::merge(eval, place, definitions)
    }
}

/// A function whose results merge as the inner type's values.
pub(crate) struct FunctionTo;

impl OptionType for FunctionTo {
    fn name(&self) -> &str {
        "functionTo"
    }

    fn describe<'a>(&self, eval: &Evaluator<'a>, ty: Type<'a>) -> Result<String> {
        Ok(format!("function that gives a {}", ty.inner(eval, 0)?.description(eval)?))
    }

    fn accepts<'a>(&self, _: &Evaluator<'a>, _: Type<'a>, value: Value<'a>) -> Result<bool> {
        let functor = |set: &crate::value::Attrs<'a>| set.get_str("__functor").is_some();
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
        let inner = ty.inner(eval, 0)?;
        Ok(eval.primop("merged", 1, move |eval, args, at| {
            let mut results = Vec::with_capacity(definitions.len());
            for definition in definitions.iter() {
                let value = eval.call(definition.value, args, at)?;
                results.push(definition.element(value, definition.key, definition.at));
            }
            inner.merge(eval, place, &results)
        }))
    }
}

/// A type of options, as `freeformType` takes.
pub(crate) struct TypeOfOptions;

impl OptionType for TypeOfOptions {
    fn name(&self) -> &str {
        "optionType"
    }

    fn describe<'a>(&self, _: &Evaluator<'a>, _: Type<'a>) -> Result<String> {
        Ok("option type".to_owned())
    }

    fn accepts<'a>(&self, eval: &Evaluator<'a>, _: Type<'a>, value: Value<'a>) -> Result<bool> {
        Ok(kind_of(eval, value)? == Some("option-type"))
    }
}

/// `uniq t`, `unique { message; } t`: what the inner type takes, defined once.
pub(crate) struct Unique {
    pub(crate) message: Option<String>,
}

impl OptionType for Unique {
    fn name(&self) -> &str {
        "unique"
    }

    fn describe<'a>(&self, eval: &Evaluator<'a>, ty: Type<'a>) -> Result<String> {
        ty.inner(eval, 0)?.description(eval)
    }

    fn accepts<'a>(&self, eval: &Evaluator<'a>, ty: Type<'a>, value: Value<'a>) -> Result<bool> {
        ty.inner(eval, 0)?.accepts(eval, value)
    }

    fn merge<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        place: Place<'a>,
        definitions: &[Definition<'a>],
    ) -> Result<Value<'a>> {
        match &super::strongest_layer(definitions)[..] {
            [first, other, ..] => {
                let mut error = super::mismatch::conflict(eval, place, first, other);
                if let Some(message) = &self.message {
                    error.help = Some(message.clone());
                }
                Err(error)
            }
            strongest => ty.inner(eval, 0)?.merge(eval, place, strongest),
        }
    }

    fn refuse<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        place: Place<'a>,
        definition: &Definition<'a>,
    ) -> Result<Box<crate::diagnostic::Diagnostic>> {
        ty.inner(eval, 0)?.refuse(eval, place, definition)
    }

    fn unify<'a>(
        &self,
        _: &Evaluator<'a>,
        ty: Type<'a>,
        other: Type<'a>,
    ) -> Result<Option<Type<'a>>> {
        Ok((ty.name() == other.name()).then_some(ty))
    }
}
