//! `lib`: nixpkgs' names, written in the language (lang/lib/), native where it is hot or where
//! spans matter.

use crate::diagnostic::Result;
use crate::eval::{AttrsBuilder, Evaluator};
use crate::fs::{Root, VirtualPath};
use crate::source::Span;
use crate::symbol::Symbol;
use crate::value::{ThunkState, Value};

use super::collect::RawModule;
use super::definition::{Layer, Origin, priority};
use super::hot;
use super::location::{Location, Place};
use super::network::{cidr_functions, ip_functions};
use super::package::fetch_package;
use super::parts;
use super::property::property;
use super::session::Session;
use super::tree::ModuleTree;
use super::types::lib_types;
use super::unknown::unknown_options;

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
    eval.thunk(|eval| match path() {
        Some(path) => eval.import(&path, Span::NONE),
        None => build(eval),
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
    for attr in eval.expect_attrs(*native, Span::NONE)?.iter() {
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
    out.set("evalModules", eval.primop("evalModules", 1, eval_modules_call));
    out.set("mkOption", eval.primop("mkOption", 1, mk_option));
    out.set(
        "mkIf",
        eval.primop("mkIf", 2, |eval, args, at| {
            let content = place_of(args[1]);
            let test = place_of(args[0]).or(at);
            Ok(property(eval, "if", &[("condition", args[0], test), ("content", args[1], content)]))
        }),
    );
    out.set(
        "mkMerge",
        eval.primop("mkMerge", 1, |eval, args, _| {
            Ok(property(eval, "merge", &[("contents", args[0], place_of(args[0]))]))
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
    property(eval, "override", &[("priority", priority, Span::NONE), ("content", content, at)])
}

fn order_with<'a>(eval: &Evaluator<'a>, order: Value<'a>, content: Value<'a>) -> Value<'a> {
    let at = place_of(content);
    property(eval, "order", &[("priority", order, Span::NONE), ("content", content, at)])
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

fn mk_option<'a>(eval: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let set = eval.expect_attrs(args[0], at)?;
    let mut out = AttrsBuilder::with_capacity(set.len() + 1);
    for attr in set.iter() {
        out.copy(attr);
    }
    // The place of `_type` is where the option is made: see `option::declared_at`.
    out.insert("_type", eval.str_in("option"), at);
    Ok(out.finish(eval))
}

/// `lib.evalModules { modules; specialArgs ? { }; prefix ? [ ]; }`: a configuration as a value.
/// An unknown option or a module that fails is an error when the result is used.
fn eval_modules_call<'a>(eval: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let set = eval.expect_attrs(args[0], at)?;
    let field = |name: &str| set.get_str(name);
    let Some(modules) = field("modules") else {
        return Err(eval.missing(args[0], Symbol::new("modules"), at));
    };
    let list = eval.expect_list(eval.force_attr(modules)?, modules.span.or(at))?;
    let origin = Origin { file: "<unknown-file>", layer: Layer::Host };
    let here = eval.value_span(modules.span.or(at));
    let spans = eval.element_spans(here).unwrap_or_default();
    let raw = list.iter().enumerate().map(|(number, value)| {
        let at = spans.get(number).copied().unwrap_or(here);
        RawModule { at, ..RawModule::new(value, origin) }
    });
    let raw: Vec<_> = raw.collect();
    let mut special = Vec::new();
    if let Some(attr) = field("specialArgs") {
        let args = eval.expect_attrs(eval.force_attr(attr)?, attr.span.or(at))?;
        special.extend(args.iter().map(|attr| (attr.name, attr.value.get())));
    }
    let mut path = Location::default();
    if let Some(attr) = field("prefix") {
        for name in eval.expect_list(eval.force_attr(attr)?, attr.span.or(at))?.iter() {
            path = path.name(eval, Symbol::new(eval.expect_str(name, at)?));
        }
    }
    let session = eval.alloc(Session::new(false));
    let tree = ModuleTree::new(eval, Place { path, declared: at, session }, &special, raw);
    let config = eval.thunk(move |eval| {
        let config = eval.force(tree.config(eval))?;
        match unknown_options(eval, tree)?.into_iter().next() {
            Some(unknown) => Err(unknown.into()),
            None => Ok(config),
        }
    });
    let fields = [
        ("config", config),
        ("options", tree.options(eval)),
        (
            "_module",
            eval.thunk(move |eval| {
                let full = eval.expect_attrs(tree.full_config(eval), Span::NONE)?;
                match full.get_str("_module") {
                    Some(attr) => eval.force_attr(attr),
                    None => Ok(Value::Null),
                }
            }),
        ),
        (
            "type",
            eval.thunk(move |eval| {
                let list = Value::List(list);
                Ok(super::types::submodule(eval, list))
            }),
        ),
        ("_type", eval.str_in("configuration")),
    ];
    Ok(eval.attrs(fields))
}
