//! Types written in the language: `mkOptionType { name; check; merge; … }`.

use crate::diagnostic::Result;
use crate::eval::Evaluator;
use crate::source::Span;
use crate::value::Value;

use super::super::definition::Definition;
use super::super::location::{Place, Step};
use super::{OptionType, Type, one_value};

pub(crate) struct Custom;

impl Custom {
    fn field<'a>(eval: &Evaluator<'a>, ty: Type<'a>, name: &str) -> Result<Option<Value<'a>>> {
        ty.set.get_str(name).map(|attr| eval.force_attr(attr)).transpose()
    }
}

impl OptionType for Custom {
    fn name(&self) -> &str {
        "custom"
    }

    fn describe<'a>(&self, eval: &Evaluator<'a>, ty: Type<'a>) -> Result<String> {
        for name in ["description", "name"] {
            if let Some(Value::Str(text)) = Custom::field(eval, ty, name)? {
                return Ok((*text).to_owned());
            }
        }
        Ok("value of a certain type".to_owned())
    }

    fn accepts<'a>(&self, eval: &Evaluator<'a>, ty: Type<'a>, value: Value<'a>) -> Result<bool> {
        match Custom::field(eval, ty, "check")? {
            Some(check) => {
                let result = eval.call(check, &[value], Span::NONE)?;
                eval.expect_bool(result, Span::NONE)
            }
            None => Ok(true),
        }
    }

    fn merge<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        place: Place<'a>,
        definitions: &[Definition<'a>],
    ) -> Result<Value<'a>> {
        let Some(merge) = Custom::field(eval, ty, "merge")? else {
            return one_value(eval, place, definitions);
        };
        let steps = place.path.steps().into_iter().map(|step| match step {
            Step::Name(name) => eval.str_in(name.as_str()),
            Step::Index(index) => eval.str(&format!("[{index}]")),
        });
        let path = eval.list(steps);
        let each = definitions.iter().map(|definition| {
            eval.attrs([("file", eval.str_in(definition.origin.file)), ("value", definition.value)])
        });
        let list = eval.list(each);
        eval.call(merge, &[path, list], place.declared)
    }

    fn unify<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        other: Type<'a>,
    ) -> Result<Option<Type<'a>>> {
        let same = ty.description(eval)? == other.description(eval)?;
        Ok((other.name() == "custom" && same).then_some(ty))
    }
}
