//! `lib`: nixpkgs' names, written in the language (lang/lib/), native where it is hot or where
//! spans matter.

use crate::diagnostic::{Diagnostic, Result, did_you_mean};
use crate::eval::{AttrsBuilder, Evaluator};
use crate::fs::{Root, VirtualPath};
use crate::source::Span;
use crate::symbol::{Symbol, symbol};
use crate::value::{ThunkState, Value};

use super::definition::priority;
use super::evaluation;
use super::hot;
use super::merging;
use super::network::{cidr_functions, ip_functions};
use super::package::fetch_package;
use super::parts;
use super::property::{handed_on, property};
use super::types::{lib_types, mk_secret};
use crate::brief::found;

/// Makes `import <cairn/lib>` give the library.
pub fn install(eval: &Evaluator<'_>) {
    if let Some(path) = path() {
        eval.provide(path, eval.thunk(build));
    }
}

/// Where the library is imported from.
pub(crate) fn path() -> Option<VirtualPath> {
    VirtualPath::new(Root::Cairn, "lib")
}

/// The library's value, as modules get it.
pub(crate) fn value<'a>(eval: &Evaluator<'a>) -> Value<'a> {
    *eval.modules.lib.get_or_init(|| {
        eval.thunk(|eval| match path() {
            Some(path) => eval.import(&path, Span::NONE),
            None => build(eval),
        })
    })
}

/// The library: the parts that are written in the language, their names at the top, what is native.
fn build<'a>(eval: &Evaluator<'a>) -> Result<Value<'a>> {
    let native = eval.alloc(native(eval));
    let library: &'a std::cell::OnceCell<Value<'a>> = eval.alloc(std::cell::OnceCell::new());
    let itself = eval.thunk(move |_| Ok(library.get().copied().unwrap_or(Value::Null)));
    let mut out = AttrsBuilder::new();
    // What is native comes last: where a part passes it on, it is there without reading the part.
    parts::add(eval, itself, *native, &mut out);
    let native = eval.expect_attrs(*native, Span::NONE)?;
    for attr in native.iter().filter(|attr| attr.name.as_str() != INNER) {
        out.copy(attr);
    }
    Ok(*library.get_or_init(|| out.finish(eval)))
}

/// What is not written in the language.
fn native<'a>(eval: &Evaluator<'a>) -> Value<'a> {
    let mut out = AttrsBuilder::new();
    hot::add(eval, &mut out);
    out.set("types", eval.thunk(|eval| Ok(lib_types(eval))));
    out.set("ip", eval.thunk(|eval| Ok(ip_functions(eval))));
    out.set("cidr", eval.thunk(|eval| Ok(cidr_functions(eval))));
    out.set("fetchPackage", eval.primop("fetchPackage", 1, fetch_package));
    out.set("mkSecret", eval.primop("mkSecret", 1, mk_secret));
    out.set("evalModules", eval.primop("evalModules", 1, evaluation::eval_modules_call));
    out.set("mergeDefinitions", eval.primop("mergeDefinitions", 3, merging::merge_definitions));
    out.set("mkOption", eval.primop("mkOption", 1, mk_option));
    out.set(INNER, eval.thunk(|eval| Ok(inner(eval))));
    out.set(
        "mkIf",
        eval.primop("mkIf", 2, |eval, args, at| {
            let content = place_of(args[1]);
            let test = place_of(args[0]).or(at);
            Ok(property(
                eval,
                "if",
                &[(symbol!("condition"), args[0], test), (symbol!("content"), args[1], content)],
            ))
        }),
    );
    out.set(
        "mkMerge",
        eval.primop("mkMerge", 1, |eval, args, _| {
            Ok(property(eval, "merge", &[(symbol!("contents"), args[0], place_of(args[0]))]))
        }),
    );
    out.set(
        "mkOverride",
        eval.primop("mkOverride", 2, |eval, args, _| Ok(override_with(eval, args[0], args[1]))),
    );
    let strengths = [
        ("mkOptionDefault", priority::OPTION_DEFAULT),
        ("mkDefault", priority::DEFAULT),
        ("mkForce", priority::FORCE),
    ];
    for (name, number) in strengths {
        let strength = Value::Int(number);
        out.set(
            name,
            eval.primop(name, 1, move |eval, args, _| Ok(override_with(eval, strength, args[0]))),
        );
    }
    out.set(
        "mkOrder",
        eval.primop("mkOrder", 2, |eval, args, _| Ok(order_with(eval, args[0], args[1]))),
    );
    for (name, number) in [("mkBefore", 500), ("mkAfter", 1500)] {
        out.set(
            name,
            eval.primop(name, 1, move |eval, args, _| {
                Ok(order_with(eval, Value::Int(number), args[0]))
            }),
        );
    }
    out.finish(eval)
}

fn override_with<'a>(eval: &Evaluator<'a>, priority: Value<'a>, content: Value<'a>) -> Value<'a> {
    let at = place_of(content);
    property(
        eval,
        "override",
        &[(symbol!("priority"), priority, Span::NONE), (symbol!("content"), content, at)],
    )
}

fn order_with<'a>(eval: &Evaluator<'a>, order: Value<'a>, content: Value<'a>) -> Value<'a> {
    let at = place_of(content);
    property(
        eval,
        "order",
        &[(symbol!("priority"), order, Span::NONE), (symbol!("content"), content, at)],
    )
}

/// Where an argument is written, as long as it has not been computed.
fn place_of(value: Value<'_>) -> Span {
    match value {
        Value::Thunk(thunk) => match thunk.state.get() {
            ThunkState::Delayed(expr, _) => expr.span,
            _ => Span::NONE,
        },
        _ => Span::NONE,
    }
}

/// What is native for the parts of the library alone.
const INNER: &str = "inner";

fn inner<'a>(eval: &Evaluator<'a>) -> Value<'a> {
    let hand_on = |eval: &Evaluator<'a>, args: &[Value<'a>], at| handed_on(eval, args[0], at);
    eval.attrs([
        ("handedOn", eval.primop("handedOn", 1, hand_on)),
        ("optionPath", eval.primop("optionPath", 3, option_path)),
    ])
}

/// `optionPath function path module`: the module, which a function makes of a list of names.
fn option_path<'a>(eval: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let path = match eval.force_at(args[1], at)? {
        Value::List(_) => return eval.force_at(args[2], at),
        path => path,
    };
    let function = eval.expect_str(args[0], at)?;
    let found = found(eval, path);
    let message = format!("`{function}` takes an option's path as a list of names, not {found}");
    let error = Diagnostic::error("type::argument", at, message);
    let Value::Str(text) = path else { return Err(error.into()) };
    let names: Vec<_> = text.split('.').map(|name| format!("{name:?}")).collect();
    Err(error.with_help(format!("write it as a list: [ {} ]", names.join(" "))).into())
}

/// What `mkOption` takes: nixpkgs' arguments.
const OPTION_FIELDS: [&str; 10] = [
    "apply",
    "default",
    "defaultText",
    "description",
    "example",
    "internal",
    "readOnly",
    "relatedPackages",
    "type",
    "visible",
];

#[cold]
fn no_field(name: Symbol, at: Span) -> Box<Diagnostic> {
    let message = format!("`mkOption` takes no `{name}`");
    let mut error = Diagnostic::error("type::argument", at, message);
    error.help = did_you_mean(name.as_str(), OPTION_FIELDS)
        .or_else(|| Some(format!("it takes {}", OPTION_FIELDS.join(", "))));
    error.into()
}

fn mk_option<'a>(eval: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let set = eval.expect_attrs(args[0], at)?;
    let mut out = AttrsBuilder::with_capacity(set.len() + 1);
    for attr in set.iter() {
        if !OPTION_FIELDS.contains(&attr.name.as_str()) {
            return Err(no_field(attr.name, attr.span.or(at)));
        }
        out.copy(attr);
    }
    // The place of `_type` is where the option is made: see `option::declared_at`.
    out.insert(symbol!("_type"), eval.str_in("option"), at);
    Ok(out.finish(eval))
}
