//! Strings and paths.

use regex::Regex;

use crate::diagnostic::{Diagnostic, Result};
use crate::eval::{Evaluator, virtual_path};
use crate::fs::Root;
use crate::value::Value;

use super::super::brief::found;
use super::super::definition::Definition;
use super::super::location::Place;
use super::mismatch::{DECLARED, refused};
use super::{OptionType, Type, mismatch};

/// What a string must be besides a string.
pub(crate) enum Shape {
    Any,
    NonEmpty,
    SingleLine,
    /// The pattern as written, and compiled to match the whole string.
    Matching(String, Regex),
}

/// `str` and the types of restricted strings.
pub(crate) struct Str(pub(crate) Shape);

impl OptionType for Str {
    fn name(&self) -> &str {
        match self.0 {
            Shape::Any => "str",
            Shape::NonEmpty => "nonEmptyStr",
            Shape::SingleLine => "singleLineStr",
            Shape::Matching(..) => "strMatching",
        }
    }

    fn describe<'a>(&self, _: &Evaluator<'a>, _: Type<'a>) -> Result<String> {
        Ok(match &self.0 {
            Shape::Any => "string".to_owned(),
            Shape::NonEmpty => "non-empty string".to_owned(),
            Shape::SingleLine => "string of one line".to_owned(),
            Shape::Matching(pattern, _) => format!("string matching the pattern {pattern}"),
        })
    }

    fn accepts<'a>(&self, _: &Evaluator<'a>, _: Type<'a>, value: Value<'a>) -> Result<bool> {
        let Value::Str(text) = value else { return Ok(false) };
        Ok(match &self.0 {
            Shape::Any => true,
            Shape::NonEmpty => !text.trim().is_empty(),
            Shape::SingleLine => !text.trim_end_matches('\n').contains('\n'),
            Shape::Matching(_, regex) => regex.is_match(text),
        })
    }

    fn merge<'a>(
        &self,
        eval: &Evaluator<'a>,
        _: Type<'a>,
        place: Place<'a>,
        definitions: &[Definition<'a>],
    ) -> Result<Value<'a>> {
        let value = super::one_value(eval, place, definitions)?;
        match (&self.0, value) {
            (Shape::SingleLine, Value::Str(text)) if text.ends_with('\n') => {
                Ok(eval.str(text.trim_end_matches('\n')))
            }
            _ => Ok(value),
        }
    }

    fn unify<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        other: Type<'a>,
    ) -> Result<Option<Type<'a>>> {
        Ok((ty.description(eval)? == other.description(eval)?).then_some(ty))
    }
}

/// `lines`, `commas`, `separatedString`: all definitions joined.
pub(crate) struct Separated {
    pub(crate) separator: String,
}

impl OptionType for Separated {
    fn name(&self) -> &str {
        match self.separator.as_str() {
            "\n" => "lines",
            "," => "commas",
            " " => "envVar",
            _ => "separatedString",
        }
    }

    fn describe<'a>(&self, _: &Evaluator<'a>, _: Type<'a>) -> Result<String> {
        Ok(match self.separator.as_str() {
            "\n" => "string of lines".to_owned(),
            "" => "string".to_owned(),
            separator => format!("string of parts separated by {separator:?}"),
        })
    }

    fn accepts<'a>(&self, _: &Evaluator<'a>, _: Type<'a>, value: Value<'a>) -> Result<bool> {
        Ok(matches!(value, Value::Str(_)))
    }

    fn merge<'a>(
        &self,
        eval: &Evaluator<'a>,
        _: Type<'a>,
        _: Place<'a>,
        definitions: &[Definition<'a>],
    ) -> Result<Value<'a>> {
        if let [only] = definitions {
            return Ok(only.value);
        }
        let parts: Vec<&str> = definitions
            .iter()
            .filter_map(|definition| match definition.value {
                Value::Str(text) => Some(&**text),
                _ => None,
            })
            .collect();
        Ok(eval.str(&parts.join(&self.separator)))
    }

    fn unify<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        other: Type<'a>,
    ) -> Result<Option<Type<'a>>> {
        Ok((ty.description(eval)? == other.description(eval)?).then_some(ty))
    }
}

/// `path`: a path, or a string that is an absolute one.
pub(crate) struct Path;

impl OptionType for Path {
    fn name(&self) -> &str {
        "path"
    }

    fn describe<'a>(&self, _: &Evaluator<'a>, _: Type<'a>) -> Result<String> {
        Ok("absolute path".to_owned())
    }

    fn accepts<'a>(&self, eval: &Evaluator<'a>, _: Type<'a>, value: Value<'a>) -> Result<bool> {
        Ok(match value {
            Value::Path(_) => true,
            Value::Str(text) => text.starts_with('/'),
            Value::Attrs(set) => match set.get_str("outPath") {
                Some(attr) => {
                    let path = eval.force_attr(attr)?;
                    matches!(path, Value::Path(_))
                        || matches!(path, Value::Str(text) if text.starts_with('/'))
                }
                None => false,
            },
            _ => false,
        })
    }

    fn merge<'a>(
        &self,
        eval: &Evaluator<'a>,
        _: Type<'a>,
        place: Place<'a>,
        definitions: &[Definition<'a>],
    ) -> Result<Value<'a>> {
        let value = super::one_value(eval, place, definitions)?;
        let Value::Path(path) = value else { return Ok(value) };
        let path = virtual_path(path);
        // A file that is not there would be noticed later, where nobody wrote its name.
        if path.root != Root::Machine && matches!(eval.world.roots.resolved_kind(&path), Ok(None)) {
            let same = |definition: &&Definition<'a>| matches!(definition.value, Value::Path(_));
            let span = definitions.iter().rev().find(same).map(|found| found.span(eval));
            let message = format!("there is no file {path}");
            return Err(Diagnostic::error(
                "file::not-found",
                span.unwrap_or(place.declared),
                message,
            )
            .with_related(place.declared, DECLARED)
            .with_help("check the name; paths start at the file they are written in")
            .into());
        }
        Ok(value)
    }

    fn refuse<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        place: Place<'a>,
        definition: &Definition<'a>,
    ) -> Result<Box<Diagnostic>> {
        let value = eval.force(definition.value)?;
        let Value::Str(text) = value else { return mismatch(eval, ty, place, definition) };
        let message =
            format!("`{}` takes an absolute path, found {}", place.path, found(eval, value));
        let mut error = refused(eval, place, definition, message);
        let relative = text.trim_start_matches("./");
        error.help = Some(format!(
            "a file of the fleet is written without quotes, ./{relative}; a place on the host \
             begins with a slash"
        ));
        Ok(error)
    }
}
