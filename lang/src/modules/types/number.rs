//! Numbers: `int`, `ints.*`, `port`, `float`, `number`, `numbers.*`.

use crate::diagnostic::Result;
use crate::eval::Evaluator;
use crate::source::Span;
use crate::value::Value;

use super::{OptionType, Type, make};

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

    /// The numbers that both take, if there is any.
    fn unify<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        other: Type<'a>,
    ) -> Result<Option<Type<'a>>> {
        let def: &dyn std::any::Any = other.def;
        let Some(second) = def.downcast_ref::<Int>() else { return Ok(None) };
        let (least, most) = (self.least.max(second.least), self.most.min(second.most));
        let within = |one: &Int| one.least == least && one.most == most;
        if within(self) || within(second) {
            return Ok(Some(if within(self) { ty } else { other }));
        }
        if least > most {
            return Ok(None);
        }
        let words = format!("integer between {least} and {most}");
        let both = make(eval, Int { name: "int", words, least, most }, &[]);
        Type::of(eval, both, Span::NONE).map(Some)
    }
}

/// `float`, `number` and `numbers.*`.
pub(crate) struct Number {
    pub(crate) name: &'static str,
    pub(crate) words: String,
    /// Whether integers are taken as well.
    pub(crate) or_int: bool,
    /// What is taken, of those.
    pub(crate) takes: Bounds,
}

/// Bounds of a number.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Bounds {
    None,
    AboveZero,
    /// The least and the greatest, both taken.
    Between(f64, f64),
}

impl OptionType for Number {
    fn name(&self) -> &str {
        self.name
    }

    fn describe<'a>(&self, _: &Evaluator<'a>, _: Type<'a>) -> Result<String> {
        Ok(self.words.clone())
    }

    fn accepts<'a>(&self, _: &Evaluator<'a>, _: Type<'a>, value: Value<'a>) -> Result<bool> {
        let number = match value {
            Value::Float(number) => number,
            Value::Int(number) if self.or_int => number as f64,
            _ => return Ok(false),
        };
        Ok(match self.takes {
            Bounds::None => true,
            Bounds::AboveZero => number > 0.0,
            Bounds::Between(least, most) => (least..=most).contains(&number),
        })
    }
}
