//! What modules that are functions are called with.

use std::cell::OnceCell;

use crate::diagnostic::{Diagnostic, Result, did_you_mean};
use crate::eval::{AttrsBuilder, Evaluator, Formals};
use crate::source::Span;
use crate::symbol::{Symbol, symbol};
use crate::tree::Param;
use crate::value::{Attrs, Closure, Value};

use super::evaluation;
use super::tree::ModuleTree;

/// The set that a module is called with, if it is a function: what it asks for, or everything.
///
/// # Errors
/// Whatever finding out what it asks for meets.
pub(super) fn arguments<'a>(
    eval: &Evaluator<'a>,
    tree: &'a ModuleTree<'a>,
    function: Value<'a>,
    at: Span,
) -> Result<Option<Value<'a>>> {
    // Nearly every module takes everything, and names nothing that is not in it.
    if let Some(mut names) = eval.open_names(function)
        && names.all(|name| is_common(tree, name))
    {
        return Ok(Some(tree.common_arguments(eval)));
    }
    Ok(eval.formals(function, at)?.map(|formals| asked_for(eval, tree, function, &formals)))
}

/// Whether every module of a tree can have an argument.
fn is_common(tree: &ModuleTree<'_>, name: Symbol) -> bool {
    [symbol!("config"), symbol!("lib"), symbol!("options"), symbol!("specialArgs")].contains(&name)
        || tree.special.iter().any(|(known, _)| *known == name)
}

/// What every module of a tree can have: all that one with `...` is given.
pub(super) fn common<'a>(eval: &Evaluator<'a>, tree: &'a ModuleTree<'a>) -> Value<'a> {
    let mut args = AttrsBuilder::with_capacity(4 + tree.special.len());
    args.set(symbol!("config"), tree.full_config(eval));
    args.set(symbol!("options"), tree.options(eval));
    args.set(symbol!("lib"), super::library::value(eval));
    let special = |eval: &Evaluator<'a>| Ok(eval.attrs(tree.special.iter().copied()));
    args.set(symbol!("specialArgs"), eval.thunk(special));
    for (name, value) in tree.special {
        args.set(*name, *value);
    }
    args.finish(eval)
}

fn asked_for<'a>(
    eval: &Evaluator<'a>,
    tree: &'a ModuleTree<'a>,
    function: Value<'a>,
    formals: &Formals,
) -> Value<'a> {
    let all: &'a OnceCell<&'a Attrs<'a>> = eval.alloc(OnceCell::new());
    let (names, everything) = match formals {
        Formals::Any => (&[][..], true),
        Formals::Set { names, ellipsis } => (&names[..], *ellipsis),
    };
    let asked = |name: Symbol| everything || names.iter().any(|formal| formal.name == name);
    let mut args = AttrsBuilder::new();
    if let Value::Attrs(common) = tree.common_arguments(eval) {
        common.iter().filter(|attr| asked(attr.name)).for_each(|attr| {
            args.copy(attr);
        });
    }
    for formal in names.iter().filter(|formal| !is_common(tree, formal.name)) {
        let (name, span, optional) = (formal.name, formal.span, formal.has_default);
        // Every tree has these, in `_module.args` as it were.
        match name.as_str() {
            "extendModules" => {
                args.set(name, evaluation::extend_modules(eval, tree));
                continue;
            }
            "moduleType" => {
                args.set(name, eval.thunk(move |eval| Ok(evaluation::type_of(eval, tree))));
                continue;
            }
            _ => {}
        }
        // From `_module.args`, with or without a default. Where nobody defines it, NixOS knows no
        // default; here it counts.
        match function {
            _ if !optional => {
                args.set(name, eval.thunk(move |eval| argument(eval, tree, name, span)));
            }
            Value::Lambda(closure) => {
                let value = eval.thunk(move |eval| match tree.argument(eval, name)? {
                    Some(value) => Ok(value),
                    None => default_of(eval, closure, all.get().copied(), name),
                });
                args.set(name, value);
            }
            _ => {}
        }
    }
    let args = args.finish(eval);
    if let Value::Attrs(args) = args {
        let _ = all.set(args);
    }
    args
}

/// The default of one of a function's arguments, beside these others.
fn default_of<'a>(
    eval: &Evaluator<'a>,
    closure: &'a Closure<'a>,
    args: Option<&'a Attrs<'a>>,
    name: Symbol,
) -> Result<Value<'a>> {
    let (Param::Pattern(pattern), Some(args)) = (&closure.lambda.param, args) else {
        return Ok(Value::Null);
    };
    let mut others = AttrsBuilder::with_capacity(args.len());
    args.iter().filter(|attr| attr.name != name).for_each(|attr| {
        others.copy(attr);
    });
    let scope = eval.destructure(closure, pattern, others.finish(eval), Span::NONE)?;
    let slot = pattern.formals.iter().position(|formal| formal.name == name);
    match slot.and_then(|slot| scope.slots.get(slot)) {
        Some(slot) => eval.force(slot.get()),
        None => Ok(Value::Null),
    }
}

/// The value of a module's argument that modules define by `_module.args`.
///
/// # Errors
/// `module::unknown-argument` where none does.
pub(crate) fn argument<'a>(
    eval: &Evaluator<'a>,
    tree: &'a ModuleTree<'a>,
    name: Symbol,
    span: Span,
) -> Result<Value<'a>> {
    if let Some(value) = tree.argument(eval, name)? {
        return Ok(value);
    }
    let names = tree.argument_names(eval);
    let message = format!("no module argument is called `{name}`");
    let mut error = Diagnostic::error("module::unknown-argument", span, message);
    error.help = did_you_mean(name.as_str(), names.iter().copied()).or_else(|| {
        let names = names.join(", ");
        Some(format!("there are {names}; `_module.args.{name}` would define another"))
    });
    Err(error.into())
}
