//! `deferredModule`: a module that is kept for another evaluation.

use crate::diagnostic::Result;
use crate::eval::{AttrsBuilder, Evaluator};
use crate::source::Span;
use crate::value::Value;

use super::super::collect::RawModule;
use super::super::definition::Definition;
use super::super::location::Place;
use super::submodule::{join_lists, listed_modules};
use super::{OptionType, Type, make};

/// Modules of which none is evaluated here: all definitions are imported by the value. Value 0 is
/// the list of modules that it always imports.
pub(crate) struct DeferredModule;

impl OptionType for DeferredModule {
    fn name(&self) -> &str {
        "deferredModule"
    }

    fn describe<'a>(&self, _: &Evaluator<'a>, _: Type<'a>) -> Result<String> {
        Ok("module".to_owned())
    }

    fn accepts<'a>(&self, _: &Evaluator<'a>, _: Type<'a>, value: Value<'a>) -> Result<bool> {
        Ok(match value {
            Value::Attrs(_) | Value::Path(_) | Value::Lambda(_) => true,
            Value::Str(text) => text.starts_with('/'),
            _ => false,
        })
    }

    fn merge<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        place: Place<'a>,
        definitions: &[Definition<'a>],
    ) -> Result<Value<'a>> {
        let fixed = ty.values.first().copied().unwrap_or(Value::Null);
        let fixed: Vec<_> = eval.expect_list(fixed, place.declared)?.iter().collect();
        let given = definitions.iter().map(|definition| {
            let file = format!("{}, via option {}", definition.origin.file, place.path);
            let mut module = AttrsBuilder::with_capacity(2);
            module.set("_file", eval.str(&file));
            module.insert("imports", eval.list([definition.value]), definition.span(eval));
            module.finish(eval)
        });
        let imports: Vec<_> = fixed.into_iter().chain(given).collect();
        let mut out = AttrsBuilder::with_capacity(1);
        out.insert("imports", eval.list(imports), place.declared);
        Ok(out.finish(eval))
    }

    fn around<'a>(&self, eval: &Evaluator<'a>, values: &[Value<'a>]) -> Option<Value<'a>> {
        Some(make(eval, DeferredModule, values))
    }

    fn unify<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        other: Type<'a>,
    ) -> Result<Option<Type<'a>>> {
        if other.name() != self.name() {
            return Ok(None);
        }
        let both = join_lists(eval, ty, other)?;
        Type::of(eval, make(eval, DeferredModule, &[both]), Span::NONE).map(Some)
    }

    fn modules<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        at: Span,
    ) -> Result<Option<Vec<RawModule<'a>>>> {
        let modules = listed_modules(eval, ty, at)?;
        Ok(Some(modules).filter(|modules| !modules.is_empty()))
    }
}
