//! `package`: what `pkgs` holds.

use crate::diagnostic::{Diagnostic, Result};
use crate::eval::Evaluator;
use crate::symbol::symbol;
use crate::value::Value;

use super::super::definition::Definition;
use super::super::location::Place;
use super::{OptionType, Type, mismatch};

pub(crate) struct Package;

impl OptionType for Package {
    fn name(&self) -> &str {
        "package"
    }

    fn describe<'a>(&self, _: &Evaluator<'a>, _: Type<'a>) -> Result<String> {
        Ok("package".to_owned())
    }

    fn accepts<'a>(&self, eval: &Evaluator<'a>, _: Type<'a>, value: Value<'a>) -> Result<bool> {
        let Value::Attrs(set) = value else { return Ok(false) };
        let Some(attr) = set.get(symbol!("type")) else { return Ok(false) };
        let kind = eval.force_attr(attr)?;
        Ok(matches!(kind, Value::Str(kind) if ["package", "derivation"].contains(kind)))
    }

    fn refuse<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        place: Place<'a>,
        definition: &Definition<'a>,
    ) -> Result<Box<Diagnostic>> {
        let mut error = mismatch(eval, ty, place, definition)?;
        error.help = Some(match eval.force(definition.value)? {
            Value::Str(name) => format!("write pkgs.{name}, without quotes"),
            _ => "packages are in `pkgs`, such as `pkgs.htop`".to_owned(),
        });
        Ok(error)
    }
}
