//! Types that take less than another one, or take it only once: `addCheck`, `passwdEntry`,
//! `uniq`, `unique`.

use crate::diagnostic::{Diagnostic, Result};
use crate::eval::Evaluator;
use crate::source::Span;
use crate::value::Value;

use super::super::definition::Definition;
use super::super::location::Place;
use super::mismatch::{refused, with_article};
use super::{OptionType, Type, make, mismatch, strongest_layer};
use crate::brief::found;

/// The name of types with a check of their own.
pub(super) const CHECKED: &str = "addCheck";

/// `addCheck t f`: values 0 and 1.
pub(crate) struct AddCheck;

impl OptionType for AddCheck {
    fn name(&self) -> &str {
        CHECKED
    }

    fn describe<'a>(&self, eval: &Evaluator<'a>, ty: Type<'a>) -> Result<String> {
        ty.inner(eval, 0)?.description(eval)
    }

    fn accepts<'a>(&self, eval: &Evaluator<'a>, ty: Type<'a>, value: Value<'a>) -> Result<bool> {
        if !ty.inner(eval, 0)?.accepts(eval, value)? {
            return Ok(false);
        }
        let check = ty.values.get(1).copied().unwrap_or(Value::Null);
        let result = eval.call(check, &[value], Span::NONE)?;
        eval.expect_bool(result, Span::NONE)
    }

    fn merge<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        place: Place<'a>,
        definitions: &[Definition<'a>],
    ) -> Result<Value<'a>> {
        ty.inner(eval, 0)?.merge(eval, place, definitions)
    }

    fn refuse<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        place: Place<'a>,
        definition: &Definition<'a>,
    ) -> Result<Box<Diagnostic>> {
        let inner = ty.inner(eval, 0)?;
        if !inner.accepts(eval, definition.value)? {
            return inner.refuse(eval, place, definition);
        }
        let check = ty.values.get(1).copied().unwrap_or(Value::Null);
        fails_check(eval, inner, check, place, definition)
    }

    fn nested(&self, _: Type<'_>) -> Vec<(&'static str, usize)> {
        vec![("elemType", 0)]
    }

    fn around<'a>(&self, eval: &Evaluator<'a>, values: &[Value<'a>]) -> Option<Value<'a>> {
        Some(make(eval, AddCheck, values))
    }

    /// Both types, with the checks of both.
    fn unify<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        other: Type<'a>,
    ) -> Result<Option<Type<'a>>> {
        // The other's check is put around first, so that this one is the outer.
        let check = ty.values.get(1).copied().unwrap_or(Value::Null);
        match ty.inner(eval, 0)?.unify(eval, other)? {
            Some(both) => {
                Type::of(eval, make(eval, AddCheck, &[both.value(), check]), Span::NONE).map(Some)
            }
            None => Ok(None),
        }
    }

    fn elements(&self, _: Type<'_>) -> Vec<(Option<String>, usize)> {
        vec![(None, 0)]
    }

    fn empty<'a>(&self, eval: &Evaluator<'a>, ty: Type<'a>) -> Result<Option<Value<'a>>> {
        ty.inner(eval, 0)?.empty(eval)
    }
}

/// A type and one with a check: both, with the check.
pub(super) fn unify_with_check<'a>(
    eval: &Evaluator<'a>,
    ty: Type<'a>,
    checked: Type<'a>,
) -> Result<Option<Type<'a>>> {
    let Some(both) = ty.unify(eval, checked.inner(eval, 0)?)? else { return Ok(None) };
    let check = checked.values.get(1).copied().unwrap_or(Value::Null);
    Type::of(eval, make(eval, AddCheck, &[both.value(), check]), Span::NONE).map(Some)
}

/// The words for a value of the right type for which a check does not hold.
#[cold]
pub(super) fn fails_check<'a>(
    eval: &Evaluator<'a>,
    ty: Type<'a>,
    check: Value<'a>,
    place: Place<'a>,
    definition: &Definition<'a>,
) -> Result<Box<Diagnostic>> {
    let value = found(eval, eval.force(definition.value)?);
    let words = with_article(&ty.alone().description(eval)?);
    let message = format!("`{}` takes {words} of a certain kind, not {value}", place.path);
    let check = eval.function_span(eval.force(check)?);
    let error = refused(eval, place, definition, message);
    Ok(error.with_related(check, "this check does not hold").into())
}

/// `passwdEntry t`: a field of `/etc/passwd`, which neither colons nor line ends may be in.
pub(crate) struct PasswdEntry;

impl OptionType for PasswdEntry {
    fn name(&self) -> &str {
        "passwdEntry"
    }

    fn describe<'a>(&self, eval: &Evaluator<'a>, ty: Type<'a>) -> Result<String> {
        let inner = ty.inner(eval, 0)?.description(eval)?;
        Ok(format!("{inner} without colons and line ends"))
    }

    fn accepts<'a>(&self, eval: &Evaluator<'a>, ty: Type<'a>, value: Value<'a>) -> Result<bool> {
        let breaks = matches!(value, Value::Str(text) if text.contains([':', '\n']));
        Ok(!breaks && ty.inner(eval, 0)?.accepts(eval, value)?)
    }

    fn merge<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        place: Place<'a>,
        definitions: &[Definition<'a>],
    ) -> Result<Value<'a>> {
        ty.inner(eval, 0)?.merge(eval, place, definitions)
    }

    fn refuse<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        place: Place<'a>,
        definition: &Definition<'a>,
    ) -> Result<Box<Diagnostic>> {
        let Value::Str(text) = eval.force(definition.value)? else {
            return mismatch(eval, ty, place, definition);
        };
        let Some(at) = text.find([':', '\n']) else {
            return ty.inner(eval, 0)?.refuse(eval, place, definition);
        };
        let what = if text[at..].starts_with(':') { "a colon" } else { "a line end" };
        let message = format!("`{}` is a field of /etc/passwd, and has {what} in it", place.path);
        let mut error = refused(eval, place, definition, message);
        error.span = super::literal::inside(eval, definition, text, at..at + 1);
        error.help =
            Some("fields are separated by colons there, and users by line ends".to_owned());
        Ok(error)
    }

    fn nested(&self, _: Type<'_>) -> Vec<(&'static str, usize)> {
        vec![("elemType", 0)]
    }

    fn around<'a>(&self, eval: &Evaluator<'a>, values: &[Value<'a>]) -> Option<Value<'a>> {
        Some(make(eval, PasswdEntry, values))
    }
}

/// `uniq t`, `unique { message; } t`: what the inner type takes, defined once.
#[derive(Clone)]
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
        match &strongest_layer(definitions)[..] {
            [first, other, ..] => {
                let mut error = super::mismatch::conflict(eval, place, first, other);
                error.message = format!("`{}` is defined more than once", place.path);
                if let Some(message) = &self.message {
                    error.help = Some(message.trim_end().to_owned());
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
    ) -> Result<Box<Diagnostic>> {
        ty.inner(eval, 0)?.refuse(eval, place, definition)
    }

    fn nested(&self, _: Type<'_>) -> Vec<(&'static str, usize)> {
        vec![("elemType", 0)]
    }

    fn around<'a>(&self, eval: &Evaluator<'a>, values: &[Value<'a>]) -> Option<Value<'a>> {
        Some(make(eval, self.clone(), values))
    }

    fn elements(&self, _: Type<'_>) -> Vec<(Option<String>, usize)> {
        vec![(None, 0)]
    }

    fn empty<'a>(&self, eval: &Evaluator<'a>, ty: Type<'a>) -> Result<Option<Value<'a>>> {
        ty.inner(eval, 0)?.empty(eval)
    }
}
