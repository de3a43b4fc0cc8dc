//! Types that are one of several: `enum`, `nullOr`, `either`, `coercedTo`.

use crate::diagnostic::{Diagnostic, Result, did_you_mean};
use crate::eval::Evaluator;
use crate::literal::Literal;
use crate::source::Span;
use crate::value::Value;

use super::super::definition::Definition;
use super::super::location::Place;
use super::{OptionType, Type, make, mismatch, strongest_layer};
use crate::brief::written;

/// `enum [ "a" "b" ]`.
pub(crate) struct Enum;

impl Enum {
    fn alternatives<'a>(eval: &Evaluator<'a>, ty: Type<'a>) -> Result<Vec<Value<'a>>> {
        let list = ty.values.first().copied().unwrap_or(Value::Null);
        eval.expect_list(list, Span::NONE)?.iter().map(|value| eval.force(value)).collect()
    }
}

impl OptionType for Enum {
    fn name(&self) -> &str {
        "enum"
    }

    fn describe<'a>(&self, eval: &Evaluator<'a>, ty: Type<'a>) -> Result<String> {
        let values = Enum::alternatives(eval, ty)?;
        let shown: Vec<_> = values.into_iter().map(written).collect();
        Ok(match &shown[..] {
            [] => "value of an empty enumeration".to_owned(),
            [only] => format!("the value {only}"),
            many => format!("one of {}", many.join(", ")),
        })
    }

    fn accepts<'a>(&self, eval: &Evaluator<'a>, ty: Type<'a>, value: Value<'a>) -> Result<bool> {
        for alternative in Enum::alternatives(eval, ty)? {
            if eval.equal(alternative, value, Span::NONE)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn refuse<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        place: Place<'a>,
        definition: &Definition<'a>,
    ) -> Result<Box<Diagnostic>> {
        let mut error = mismatch(eval, ty, place, definition)?;
        if let Value::Str(text) = eval.force(definition.value)? {
            let alternatives = Enum::alternatives(eval, ty)?;
            let names = alternatives.iter().filter_map(|value| match value {
                Value::Str(name) => Some(&***name),
                _ => None,
            });
            error.help = did_you_mean(text, names).or(error.help);
        }
        Ok(error)
    }

    /// Two declarations of an enumeration give the alternatives of both.
    fn unify<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        other: Type<'a>,
    ) -> Result<Option<Type<'a>>> {
        if other.name() != "enum" {
            return Ok(None);
        }
        let mut all = Enum::alternatives(eval, ty)?;
        for value in Enum::alternatives(eval, other)? {
            if !ty.accepts(eval, value)? {
                all.push(value);
            }
        }
        Type::of(eval, make(eval, Enum, &[eval.list(all)]), Span::NONE).map(Some)
    }
}

/// `nullOr t`.
pub(crate) struct NullOr;

impl OptionType for NullOr {
    fn name(&self) -> &str {
        "nullOr"
    }

    fn describe<'a>(&self, eval: &Evaluator<'a>, ty: Type<'a>) -> Result<String> {
        Ok(format!("null or {}", ty.inner(eval, 0)?.description(eval)?))
    }

    fn accepts<'a>(&self, eval: &Evaluator<'a>, ty: Type<'a>, value: Value<'a>) -> Result<bool> {
        Ok(matches!(value, Value::Null) || ty.inner(eval, 0)?.accepts(eval, value)?)
    }

    fn merge<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        place: Place<'a>,
        definitions: &[Definition<'a>],
    ) -> Result<Value<'a>> {
        let null = |definition: &&Definition<'a>| matches!(definition.value, Value::Null);
        let nulls = definitions.iter().filter(null).count();
        if nulls == 0 {
            return ty.inner(eval, 0)?.merge(eval, place, definitions);
        }
        if nulls == definitions.len() {
            return Ok(Value::Null);
        }
        // Null and something: the strongest layer decides, if it is of one mind.
        let strongest = strongest_layer(definitions);
        if strongest.len() < definitions.len() {
            return self.merge(eval, ty, place, &strongest);
        }
        let first = strongest.iter().find(null);
        let other = strongest.iter().find(|definition| !null(definition));
        match first.zip(other) {
            Some((first, other)) => Err(super::mismatch::conflict(eval, place, first, other)),
            None => Ok(Value::Null),
        }
    }

    fn refuse<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        place: Place<'a>,
        definition: &Definition<'a>,
    ) -> Result<Box<Diagnostic>> {
        let inner = ty.inner(eval, 0)?;
        let value = eval.force(definition.value)?;
        // A string that is no address: the inner type's words are better.
        match value {
            Value::Str(_) => inner.refuse(eval, place, definition),
            _ => mismatch(eval, ty, place, definition),
        }
    }

    fn nested(&self, _: Type<'_>) -> Vec<(&'static str, usize)> {
        vec![("elemType", 0)]
    }

    fn around<'a>(&self, eval: &Evaluator<'a>, values: &[Value<'a>]) -> Option<Value<'a>> {
        Some(make(eval, NullOr, values))
    }

    fn elements(&self, _: Type<'_>) -> Vec<(Option<String>, usize)> {
        vec![(None, 0)]
    }

    fn empty<'a>(&self, _: &Evaluator<'a>, _: Type<'a>) -> Result<Option<Value<'a>>> {
        Ok(Some(Value::Null))
    }
}

/// `either a b`, and `oneOf` with any number of them.
pub(crate) struct Either;

impl Either {
    fn chosen<'a>(
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        definitions: &[Definition<'a>],
    ) -> Result<Option<Type<'a>>> {
        for number in 0..ty.values.len() {
            let inner = ty.inner(eval, number)?;
            let mut all = true;
            for definition in definitions {
                all = all && inner.accepts(eval, definition.value)?;
            }
            if all {
                return Ok(Some(inner));
            }
        }
        Ok(None)
    }
}

impl OptionType for Either {
    fn name(&self) -> &str {
        "either"
    }

    fn describe<'a>(&self, eval: &Evaluator<'a>, ty: Type<'a>) -> Result<String> {
        let each = (0..ty.values.len()).map(|number| ty.inner(eval, number)?.description(eval));
        Ok(each.collect::<Result<Vec<_>>>()?.join(" or "))
    }

    fn accepts<'a>(&self, eval: &Evaluator<'a>, ty: Type<'a>, value: Value<'a>) -> Result<bool> {
        for number in 0..ty.values.len() {
            if ty.inner(eval, number)?.accepts(eval, value)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn merge<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        place: Place<'a>,
        definitions: &[Definition<'a>],
    ) -> Result<Value<'a>> {
        if let Some(chosen) = Either::chosen(eval, ty, definitions)? {
            return chosen.merge(eval, place, definitions);
        }
        let strongest = strongest_layer(definitions);
        if strongest.len() < definitions.len() {
            return self.merge(eval, ty, place, &strongest);
        }
        super::only_value(eval, place, &strongest)
    }

    fn refuse<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        place: Place<'a>,
        definition: &Definition<'a>,
    ) -> Result<Box<Diagnostic>> {
        // A string that is nearly an address: the words of that grammar are better.
        if let Value::Str(_) = eval.force(definition.value)? {
            for number in 0..ty.values.len() {
                let inner = ty.inner(eval, number)?;
                if Literal::ALL.iter().any(|literal| literal.name() == inner.name()) {
                    return inner.refuse(eval, place, definition);
                }
            }
        }
        mismatch(eval, ty, place, definition)
    }

    fn nested(&self, ty: Type<'_>) -> Vec<(&'static str, usize)> {
        let last = ty.values.len().saturating_sub(1);
        let name = |number| match number {
            0 if last == 1 => "left",
            number if number == last => "right",
            _ => "",
        };
        (0..ty.values.len()).map(|number| (name(number), number)).collect()
    }

    fn around<'a>(&self, eval: &Evaluator<'a>, values: &[Value<'a>]) -> Option<Value<'a>> {
        Some(make(eval, Either, values))
    }

    fn elements(&self, ty: Type<'_>) -> Vec<(Option<String>, usize)> {
        (0..ty.values.len()).map(|number| (None, number)).collect()
    }
}

/// `coercedTo from function to`: values 0, 1 and 2.
pub(crate) struct CoercedTo;

impl OptionType for CoercedTo {
    fn name(&self) -> &str {
        "coercedTo"
    }

    fn describe<'a>(&self, eval: &Evaluator<'a>, ty: Type<'a>) -> Result<String> {
        let (from, to) = (ty.inner(eval, 0)?, ty.inner(eval, 2)?);
        Ok(format!("{} or {} convertible to it", to.description(eval)?, from.description(eval)?))
    }

    fn accepts<'a>(&self, eval: &Evaluator<'a>, ty: Type<'a>, value: Value<'a>) -> Result<bool> {
        if !ty.inner(eval, 0)?.accepts(eval, value)? {
            return ty.inner(eval, 2)?.accepts(eval, value);
        }
        // What the function makes of it must be right too.
        let function = ty.values.get(1).copied().unwrap_or(Value::Null);
        match eval.call(function, &[value], Span::NONE) {
            Ok(coerced) => ty.inner(eval, 2)?.accepts(eval, coerced),
            // Its error says more when the value is merged.
            Err(_) => Ok(true),
        }
    }

    fn merge<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        place: Place<'a>,
        definitions: &[Definition<'a>],
    ) -> Result<Value<'a>> {
        let (from, to) = (ty.inner(eval, 0)?, ty.inner(eval, 2)?);
        let function = ty.values.get(1).copied().unwrap_or(Value::Null);
        let mut coerced = Vec::with_capacity(definitions.len());
        for definition in definitions {
            if from.accepts(eval, definition.value)? {
                let value = eval.call(function, &[definition.value], definition.span(eval))?;
                coerced.push(Definition { value, ..*definition });
            } else {
                coerced.push(*definition);
            }
        }
        to.merge(eval, place, &coerced)
    }

    fn refuse<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        place: Place<'a>,
        definition: &Definition<'a>,
    ) -> Result<Box<Diagnostic>> {
        if !ty.inner(eval, 0)?.accepts(eval, definition.value)? {
            return mismatch(eval, ty, place, definition);
        }
        let function = ty.values.get(1).copied().unwrap_or(Value::Null);
        let value = eval.call(function, &[definition.value], definition.span(eval))?;
        ty.inner(eval, 2)?.refuse(eval, place, &Definition { value, ..*definition })
    }

    fn nested(&self, _: Type<'_>) -> Vec<(&'static str, usize)> {
        vec![("coercedType", 0), ("finalType", 2)]
    }

    fn around<'a>(&self, eval: &Evaluator<'a>, values: &[Value<'a>]) -> Option<Value<'a>> {
        Some(make(eval, CoercedTo, values))
    }

    /// Two functions cannot be compared.
    fn unify<'a>(&self, _: &Evaluator<'a>, _: Type<'a>, _: Type<'a>) -> Result<Option<Type<'a>>> {
        Ok(None)
    }

    fn elements(&self, _: Type<'_>) -> Vec<(Option<String>, usize)> {
        vec![(None, 2)]
    }

    fn empty<'a>(&self, eval: &Evaluator<'a>, ty: Type<'a>) -> Result<Option<Value<'a>>> {
        ty.inner(eval, 2)?.empty(eval)
    }
}
