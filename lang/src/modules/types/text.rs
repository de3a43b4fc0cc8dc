//! Strings.

use crate::builtins::Whole;
use crate::diagnostic::Result;
use crate::eval::Evaluator;
use crate::value::Value;

use super::super::definition::Definition;
use super::super::location::Place;
use super::{OptionType, Type};

/// What a string must be besides a string.
pub(crate) enum Shape {
    Any,
    NonEmpty,
    SingleLine,
    /// The pattern as written, and compiled to match the whole string.
    Matching(String, Whole),
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

    fn accepts<'a>(&self, eval: &Evaluator<'a>, _: Type<'a>, value: Value<'a>) -> Result<bool> {
        let Value::Str(text) = value else { return Ok(false) };
        Ok(match &self.0 {
            Shape::Any => true,
            Shape::NonEmpty => !text.trim().is_empty(),
            Shape::SingleLine => !one_line(text).contains(['\n', '\r']),
            Shape::Matching(_, whole) => whole.matches(eval, text)?,
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
                Ok(eval.str(one_line(text)))
            }
            _ => Ok(value),
        }
    }
}

/// A text without the end of its line.
fn one_line(text: &str) -> &str {
    text.strip_suffix('\n').unwrap_or(text)
}

/// `lines`, `commas`, `separatedString`: all definitions joined.
pub(crate) struct Separated {
    pub(crate) separator: String,
}

impl OptionType for Separated {
    fn name(&self) -> &str {
        "separatedString"
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
}
