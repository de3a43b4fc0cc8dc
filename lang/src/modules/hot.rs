//! Functions of `lib` that nearly every module calls: native, so that no part is read for them.

use crate::builtins::{filter_attrs, map_to_list, map_to_pairs};
use crate::diagnostic::Result;
use crate::eval::{AttrsBuilder, Evaluator};
use crate::source::Span;
use crate::symbol::Symbol;
use crate::value::Value;

/// Adds them.
pub(super) fn add<'a>(eval: &Evaluator<'a>, out: &mut AttrsBuilder<'a>) {
    out.set(
        "optional",
        eval.primop("optional", 2, |eval, args, at| {
            Ok(eval.list(eval.expect_bool(args[0], at)?.then_some(args[1])))
        }),
    );
    out.set("filterAttrs", eval.primop("filterAttrs", 2, filter_attrs));
    out.set("mapAttrs'", eval.primop("mapAttrs'", 2, map_to_pairs));
    out.set("mapAttrsToList", eval.primop("mapAttrsToList", 2, map_to_list));
    out.set("setAttrByPath", eval.primop("setAttrByPath", 2, set_attr_by_path));
    let choices = [
        ("optionals", eval.list([])),
        ("optionalString", eval.str_in("")),
        ("optionalAttrs", eval.attrs::<&str>([])),
    ];
    for (name, otherwise) in choices {
        out.set(name, choice(eval, name, otherwise));
    }
}

/// A value inside of sets under these names. They stand nowhere, so that errors about them are where
/// the whole is.
fn set_attr_by_path<'a>(eval: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let path = eval.expect_list(args[0], at)?;
    let names = path.iter().map(|name| Ok(Symbol::new(eval.expect_str(name, at)?)));
    let names = names.collect::<Result<Vec<_>>>()?;
    match names.split_first() {
        None => eval.force_at(args[1], at),
        Some((first, below)) => {
            let inside = below.iter().rev();
            let inside = inside.fold(args[1], |value, name| eval.attrs([(*name, value)]));
            Ok(eval.attrs([(*first, inside)]))
        }
    }
}

/// A function that gives its second argument where the first is true.
fn choice<'a>(eval: &Evaluator<'a>, name: &str, otherwise: Value<'a>) -> Value<'a> {
    eval.primop(name, 2, move |eval, args, at| {
        Ok(if eval.expect_bool(args[0], at)? { args[1] } else { otherwise })
    })
}
