//! What modules that are functions are called with.

use crate::diagnostic::{Diagnostic, Result, did_you_mean};
use crate::eval::{AttrsBuilder, Evaluator, Formals};
use crate::source::Span;
use crate::symbol::{Symbol, symbol};
use crate::value::Value;

use super::evaluation;
use super::tree::ModuleTree;

/// The set that a module function is called with: what it asks for, or everything.
pub(super) fn arguments<'a>(
    eval: &Evaluator<'a>,
    tree: &'a ModuleTree<'a>,
    formals: &Formals,
) -> Value<'a> {
    let mut args = AttrsBuilder::new();
    let (names, everything) = match formals {
        Formals::Any => (&[][..], true),
        Formals::Set { names, ellipsis } => (&names[..], *ellipsis),
    };
    let asked = |name: Symbol| everything || names.iter().any(|formal| formal.name == name);
    for formal in names {
        let (name, span, optional) = (formal.name, formal.span, formal.has_default);
        let special = tree.special.iter().any(|(known, _)| *known == name);
        if special || ["config", "options", "lib", "specialArgs"].contains(&name.as_str()) {
            continue;
        }
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
        // Without a default the argument comes from `_module.args`; with one, nobody may define
        // it, and only the configuration, which needs this module, could tell.
        if !optional {
            args.set(name, eval.thunk(move |eval| argument(eval, tree, name, span)));
        }
    }
    let own = [
        (symbol!("config"), tree.full_config(eval)),
        (symbol!("options"), tree.options(eval)),
        (symbol!("lib"), super::library::value(eval)),
    ];
    for (name, value) in own {
        if asked(name) {
            args.set(name, value);
        }
    }
    if asked(symbol!("specialArgs")) {
        let special = |eval: &Evaluator<'a>| Ok(eval.attrs(tree.special.iter().copied()));
        args.set(symbol!("specialArgs"), eval.thunk(special));
    }
    for (name, value) in tree.special.iter().filter(|(name, _)| asked(*name)) {
        args.set(*name, *value);
    }
    args.finish(eval)
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
