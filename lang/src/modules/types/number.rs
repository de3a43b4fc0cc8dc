//! Numbers: `int`, `ints.*`, `port`, `float`, `number`.

use crate::diagnostic::Result;
use crate::eval::Evaluator;
use crate::value::Value;

use super::{OptionType, Type};

/// Integers, perhaps within bounds.
pub(crate) struct Int {
    pub(crate) name: &'static str,
    pub(crate) words: String,
    pub(crate) least: i64,
    pub(crate) most: i64,
}

impl OptionType for Int {
    fn name(&self) -> &str {
        self.name
    }

    fn describe<'a>(&self, _: &Evaluator<'a>, _: Type<'a>) -> Result<String> {
        Ok(self.words.clone())
    }

    fn accepts<'a>(&self, _: &Evaluator<'a>, _: Type<'a>, value: Value<'a>) -> Result<bool> {
        Ok(matches!(value, Value::Int(value) if (self.least..=self.most).contains(&value)))
    }

    fn unify<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        other: Type<'a>,
    ) -> Result<Option<Type<'a>>> {
        let same = other.description(eval)? == self.words;
        Ok(same.then_some(ty))
    }
}

/// `float` and `number`.
pub(crate) struct Float {
    /// Whether integers are taken as well.
    pub(crate) or_int: bool,
}

impl OptionType for Float {
    fn name(&self) -> &str {
        if self.or_int { "number" } else { "float" }
    }

    fn describe<'a>(&self, _: &Evaluator<'a>, _: Type<'a>) -> Result<String> {
        Ok(if self.or_int { "number" } else { "floating point number" }.to_owned())
    }

    fn accepts<'a>(&self, _: &Evaluator<'a>, _: Type<'a>, value: Value<'a>) -> Result<bool> {
        Ok(match value {
            Value::Float(_) => true,
            Value::Int(_) => self.or_int,
            _ => false,
        })
    }
}
