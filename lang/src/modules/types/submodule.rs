//! `submodule`: a set with options of its own.

use crate::diagnostic::Result;
use crate::eval::Evaluator;
use crate::source::Span;
use crate::symbol::Symbol;
use crate::value::Value;

use super::super::collect::RawModule;
use super::super::definition::{Definition, Layer, Origin};
use super::super::level::Level;
use super::super::location::Place;
use super::super::property::kind_of;
use super::super::session::Session;
use super::super::tree::{ModuleTree, top};
use super::{OptionType, Type, make};

/// Value 0 is the list of modules, value 1 the special arguments (a set).
pub(crate) struct Submodule {
    /// A set that defines it is its `config`, not a whole module.
    pub(crate) only_config: bool,
    /// The description, if the type gives one.
    pub(crate) description: Option<String>,
}

impl OptionType for Submodule {
    fn name(&self) -> &str {
        "submodule"
    }

    fn describe<'a>(&self, _: &Evaluator<'a>, _: Type<'a>) -> Result<String> {
        Ok(self.description.clone().unwrap_or_else(|| "submodule".to_owned()))
    }

    fn accepts<'a>(&self, eval: &Evaluator<'a>, _: Type<'a>, value: Value<'a>) -> Result<bool> {
        Ok(match value {
            Value::Attrs(_) => kind_of(eval, value)?.is_none(),
            // A function of the library is no module: an argument of `mkIf` is missing.
            Value::Path(_) | Value::Lambda(_) => true,
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
        let mut modules = own_modules(eval, ty, place)?;
        for definition in definitions {
            let config_only = self.only_config && matches!(definition.value, Value::Attrs(_));
            let module = RawModule::new(definition.value, definition.origin);
            modules.push(RawModule { at: definition.span(eval), config_only, ..module });
        }
        let tree =
            ModuleTree::new(eval, place, &special(eval, ty, place.path.last_name())?, modules);
        let config = tree.config(eval);
        if !place.session.tolerant {
            // Nobody will look for unknown options later.
            let config = eval.force(config)?;
            if let Some(error) =
                super::super::unknown::unknown_options(eval, tree)?.into_iter().next()
            {
                return Err(error.into());
            }
            return Ok(config);
        }
        Ok(config)
    }

    /// Two declarations of a submodule have the options of both.
    fn unify<'a>(
        &self,
        eval: &Evaluator<'a>,
        ty: Type<'a>,
        other: Type<'a>,
    ) -> Result<Option<Type<'a>>> {
        if !other.is_submodule() {
            return Ok(None);
        }
        let list = |ty: Type<'a>| {
            let list = ty.values.first().copied().unwrap_or(Value::Null);
            eval.expect_list(list, Span::NONE)
        };
        let modules: Vec<_> = list(ty)?.iter().chain(list(other)?.iter()).collect();
        let args = [ty, other].map(|ty| ty.values.get(1).copied().unwrap_or(Value::Null));
        let args = match (eval.force(args[0])?, eval.force(args[1])?) {
            (Value::Attrs(left), Value::Attrs(right)) => eval.update(left, right),
            (one, _) => one,
        };
        let both =
            Submodule { only_config: self.only_config, description: self.description.clone() };
        let both = make(eval, both, &[eval.list(modules), args]);
        Type::of(eval, both, Span::NONE).map(Some)
    }

    fn is_submodule(&self) -> bool {
        true
    }
}

/// The modules that the type was made of.
fn own_modules<'a>(
    eval: &Evaluator<'a>,
    ty: Type<'a>,
    place: Place<'a>,
) -> Result<Vec<RawModule<'a>>> {
    let list = ty.values.first().copied().unwrap_or(Value::Null);
    let list = eval.expect_list(list, place.declared)?;
    let origin = Origin { file: "", layer: Layer::Standard };
    let each =
        list.iter().map(|value| RawModule { at: place.declared, ..RawModule::new(value, origin) });
    Ok(each.collect())
}

fn special<'a>(
    eval: &Evaluator<'a>,
    ty: Type<'a>,
    name: Option<Symbol>,
) -> Result<Vec<(Symbol, Value<'a>)>> {
    let mut out = Vec::new();
    if let Some(name) = name {
        out.push((Symbol::new("name"), eval.str_in(name.as_str())));
    }
    let args = ty.values.get(1).copied().unwrap_or(Value::Null);
    if let Value::Attrs(args) = eval.force(args)? {
        out.retain(|(name, _)| args.get(*name).is_none());
        out.extend(args.iter().map(|attr| (attr.name, attr.value.get())));
    }
    Ok(out)
}

/// The options of a submodule type without any definition: for the reference.
pub(crate) fn sample<'a>(
    eval: &Evaluator<'a>,
    ty: Type<'a>,
    place: Place<'a>,
) -> Result<&'a ModuleTree<'a>> {
    let modules = own_modules(eval, ty, place)?;
    Ok(ModuleTree::new(eval, place, &special(eval, ty, place.path.last_name())?, modules))
}

/// The options of a submodule type at no place in particular.
pub(crate) fn options_of<'a>(eval: &Evaluator<'a>, ty: Type<'a>) -> Result<&'a Level<'a>> {
    let session = eval.alloc(Session::new(false));
    sample(eval, ty, top(session))?.root(eval)
}

/// The submodule type inside a type, with the names that stand for what is between.
pub(crate) fn modules_of<'a>(
    eval: &Evaluator<'a>,
    ty: Type<'a>,
) -> Result<Option<(Vec<&'static str>, Type<'a>)>> {
    if ty.is_submodule() {
        return Ok(Some((Vec::new(), ty)));
    }
    let through = ["nullOr", "addCheck", "unique"].contains(&ty.name());
    let element = ty.element_name();
    if ty.values.is_empty() || !(through || element.is_some()) {
        return Ok(None);
    }
    let Some((mut names, inner)) = modules_of(eval, ty.inner(eval, 0)?)? else { return Ok(None) };
    if let Some(element) = element {
        names.insert(0, element);
    }
    Ok(Some((names, inner)))
}
