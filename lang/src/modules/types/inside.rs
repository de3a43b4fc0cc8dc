//! The options inside of a type: those of its submodules, however deep they are wrapped.

use crate::diagnostic::Result;
use crate::eval::{AttrsBuilder, Evaluator};
use crate::symbol::Symbol;
use crate::value::Value;

use super::super::level::Level;
use super::super::location::{Location, Place};
use super::super::session::Session;
use super::super::tree::{ModuleTree, top};
use super::submodule::special;
use super::{Type, value};

/// Types nested deeper than this contain themselves.
const DEEPEST: u16 = 6;

/// The types inside a type that have options of their own, each with the names that stand for what
/// is between: `<name>` for any attribute, `*` for any element.
pub(crate) fn modules_of<'a>(
    eval: &Evaluator<'a>,
    ty: Type<'a>,
) -> Result<Vec<(Vec<String>, Type<'a>)>> {
    let mut out = Vec::new();
    gather(eval, ty, &mut Vec::new(), &mut out)?;
    Ok(out)
}

fn gather<'a>(
    eval: &Evaluator<'a>,
    ty: Type<'a>,
    names: &mut Vec<String>,
    out: &mut Vec<(Vec<String>, Type<'a>)>,
) -> Result<()> {
    if ty.def.modules(eval, ty, crate::source::Span::NONE)?.is_some() {
        out.push((names.clone(), ty));
        return Ok(());
    }
    if ty.depth >= DEEPEST {
        return Ok(());
    }
    for (name, number) in ty.def.elements(ty) {
        let before = names.len();
        names.extend(name);
        gather(eval, ty.inner(eval, number)?, names, out)?;
        names.truncate(before);
    }
    Ok(())
}

/// The options of a type without any definition, for the reference.
pub(crate) fn sample<'a>(
    eval: &Evaluator<'a>,
    ty: Type<'a>,
    place: Place<'a>,
) -> Result<&'a ModuleTree<'a>> {
    let mut modules = ty.def.modules(eval, ty, place.declared)?.unwrap_or_default();
    modules.iter_mut().for_each(|module| module.origin = *place.origin);
    let special = special(eval, ty, place.path.last())?;
    Ok(ModuleTree::new(eval, place, &special, modules))
}

/// The options of a submodule type at no place in particular.
pub(crate) fn options_of<'a>(eval: &Evaluator<'a>, ty: Type<'a>) -> Result<&'a Level<'a>> {
    let session = eval.alloc(Session::new(false));
    sample(eval, ty, top(session))?.root(eval)
}

/// The options below a type as a set, as if it stood at `path`.
pub(super) fn sub_options<'a>(
    eval: &Evaluator<'a>,
    ty: Type<'a>,
    path: Location<'a>,
) -> Result<Value<'a>> {
    let mut out = AttrsBuilder::new();
    for (names, inner) in modules_of(eval, ty)? {
        let path = names.iter().fold(path, |path, name| path.name(eval, Symbol::new(name)));
        let tree = sample(eval, inner, value::detached(eval, path))?;
        let options = eval.expect_attrs(tree.options(eval), crate::source::Span::NONE)?;
        options.iter().for_each(|attr| {
            out.copy(attr);
        });
        if let Some(free) = tree.freeform(eval)? {
            let free = eval.thunk(move |eval| sub_options(eval, free, path));
            out.set("_freeformOptions", free);
        }
    }
    Ok(out.finish(eval))
}

/// The modules of the first submodule inside, or null.
pub(super) fn sub_modules<'a>(eval: &Evaluator<'a>, ty: Type<'a>) -> Result<Value<'a>> {
    match modules_of(eval, ty)?.first() {
        Some((_, inner)) if inner.is_submodule() => {
            Ok(inner.values.first().copied().unwrap_or(Value::Null))
        }
        _ => Ok(Value::Null),
    }
}

/// The same type with other modules in its submodule; `None` where there is none.
pub(super) fn subst_sub_modules<'a>(
    eval: &Evaluator<'a>,
    ty: Type<'a>,
    modules: Value<'a>,
) -> Result<Option<Value<'a>>> {
    let mut values = ty.values.to_vec();
    if ty.is_submodule() {
        if let Some(slot) = values.first_mut() {
            *slot = modules;
        }
        return Ok(ty.def.around(eval, &values));
    }
    if ty.depth >= DEEPEST {
        return Ok(None);
    }
    for (_, number) in ty.def.elements(ty) {
        let inner = subst_sub_modules(eval, ty.inner(eval, number)?, modules)?;
        if let (Some(inner), Some(slot)) = (inner, values.get_mut(number)) {
            *slot = inner;
            return Ok(ty.def.around(eval, &values));
        }
    }
    Ok(None)
}
