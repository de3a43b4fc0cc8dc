//! `lib.evalModules`: an evaluation of modules as a value of the language.

use crate::diagnostic::{Diagnostic, Result, did_you_mean};
use crate::eval::{AttrsBuilder, Evaluator};
use crate::source::Span;
use crate::symbol::{Symbol, symbol};
use crate::value::{Attr, Attrs, List, Value};

use super::collect::RawModule;
use super::definition::{Layer, Origin};
use super::location::{Location, NOWHERE, Place};
use super::session::Session;
use super::tree::ModuleTree;
use super::types::submodule_of;
use super::unknown::unknown_options;

/// The arguments of `evalModules`, and, but for the class, of `extendModules`.
const ARGUMENTS: [&str; 6] = ["args", "check", "class", "modules", "prefix", "specialArgs"];

/// `lib.evalModules { modules; specialArgs ? { }; prefix ? [ ]; class ? null; }`: a configuration
/// as a value. An unknown option or a module that fails is an error when the result is used.
pub(super) fn eval_modules_call<'a>(
    eval: &Evaluator<'a>,
    args: &[Value<'a>],
    at: Span,
) -> Result<Value<'a>> {
    let set = eval.expect_attrs(args[0], at)?;
    let given = Given::read(eval, set, at)?;
    let Some(modules) = given.modules else {
        return Err(eval.missing(Value::Attrs(set), Symbol::new("modules"), at));
    };
    let mut raw = raw_modules(eval, modules, given.modules_at);
    raw.extend(legacy(eval, set));
    let place = strict(eval, given.prefix.unwrap_or_default(), at);
    Ok(value(eval, ModuleTree::of_class(eval, place, &given.special, raw, given.class)))
}

/// What a call gives.
struct Given<'a> {
    modules: Option<&'a List<'a>>,
    modules_at: Span,
    special: Vec<(Symbol, Value<'a>)>,
    prefix: Option<Location<'a>>,
    class: Option<&'a str>,
}

impl<'a> Given<'a> {
    fn read(eval: &Evaluator<'a>, set: &'a Attrs<'a>, at: Span) -> Result<Given<'a>> {
        let is_other = |attr: &&&'a Attr<'a>| !ARGUMENTS.contains(&attr.name.as_str());
        if let Some(other) = set.sorted().iter().find(is_other) {
            let message = format!("`evalModules` takes no `{}`", other.name);
            let mut error = Diagnostic::error("module::argument", other.span.or(at), message);
            error.help = did_you_mean(other.name.as_str(), ARGUMENTS)
                .or_else(|| Some("it takes modules, specialArgs, prefix and class".to_owned()));
            return Err(error.into());
        }
        let mut given =
            Given { modules: None, modules_at: at, special: Vec::new(), prefix: None, class: None };
        if let Some(attr) = set.get(symbol!("modules")) {
            given.modules_at = eval.value_span(attr.span.or(at));
            given.modules = Some(eval.expect_list(eval.force_attr(attr)?, given.modules_at)?);
        }
        if let Some(attr) = set.get(symbol!("specialArgs")) {
            let args = eval.expect_attrs(eval.force_attr(attr)?, attr.span.or(at))?;
            given.special = args.iter().map(|attr| (attr.name, attr.value.get())).collect();
        }
        if let Some(attr) = set.get(symbol!("prefix")) {
            let mut path = Location::default();
            for name in eval.expect_list(eval.force_attr(attr)?, attr.span.or(at))?.iter() {
                path = path.name(eval, Symbol::new(eval.expect_str(name, attr.span.or(at))?));
            }
            given.prefix = Some(path);
        }
        if let Some(attr) = set.get(symbol!("class")) {
            given.class = match eval.force_attr(attr)? {
                Value::Null => None,
                class => Some(eval.expect_str(class, attr.span.or(at))?),
            };
        }
        Ok(given)
    }
}

fn raw_modules<'a>(eval: &Evaluator<'a>, list: &'a List<'a>, here: Span) -> Vec<RawModule<'a>> {
    let origin = Origin { file: "<unknown-file>", layer: Layer::Host };
    let spans = eval.element_spans(here).unwrap_or_default();
    let raw = list.iter().enumerate().map(|(number, value)| {
        let at = spans.get(number).copied().unwrap_or(here);
        RawModule { at, ..RawModule::new(value, origin) }
    });
    raw.collect()
}

/// What the old arguments `args` and `check` stand for.
fn legacy<'a>(eval: &Evaluator<'a>, set: &'a Attrs<'a>) -> Option<RawModule<'a>> {
    let given: Vec<_> = ["args", "check"].iter().filter_map(|name| set.get_str(name)).collect();
    if given.is_empty() {
        return None;
    }
    let mut own = AttrsBuilder::with_capacity(given.len());
    given.into_iter().for_each(|attr| {
        own.copy(attr);
    });
    let config = eval.attrs([("_module", own.finish(eval))]);
    let origin = Origin { file: "<unknown-file>", layer: Layer::Host };
    Some(RawModule::new(eval.attrs([("config", config)]), origin))
}

/// A place whose first error ends the evaluation.
fn strict<'a>(eval: &Evaluator<'a>, path: Location<'a>, declared: Span) -> Place<'a> {
    Place { path, declared, origin: NOWHERE, session: eval.alloc(Session::new(false)) }
}

/// The result of `evalModules`.
fn value<'a>(eval: &Evaluator<'a>, tree: &'a ModuleTree<'a>) -> Value<'a> {
    let checked = move |eval: &Evaluator<'a>, value: Value<'a>| {
        let value = eval.force(value)?;
        match unknown_options(eval, tree)?.into_iter().next() {
            Some(unknown) => Err(unknown.into()),
            None => Ok(value),
        }
    };
    let own = eval.thunk(move |eval| {
        let full = eval.expect_attrs(tree.full_config(eval), Span::NONE)?;
        let own = match full.get(symbol!("_module")) {
            Some(attr) => eval.expect_attrs(eval.force_attr(attr)?, Span::NONE)?,
            None => return Ok(Value::Null),
        };
        let mut out = AttrsBuilder::with_capacity(own.len() + 1);
        own.iter().for_each(|attr| {
            out.copy(attr);
        });
        let always = eval.attrs([
            ("extendModules", extend_modules(eval, tree)),
            ("moduleType", eval.thunk(move |eval| Ok(type_of(eval, tree)))),
        ]);
        let args = own.get(symbol!("args")).map(|attr| attr.value.get());
        let args = eval.thunk(move |eval| {
            let args = args.unwrap_or_else(|| eval.attrs::<Symbol>([]));
            let args = eval.expect_attrs(args, Span::NONE)?;
            Ok(eval.update(eval.expect_attrs(always, Span::NONE)?, args))
        });
        out.set("args", args);
        out.set("specialArgs", eval.attrs(tree.special.iter().copied()));
        Ok(out.finish(eval))
    });
    let config = eval.thunk(move |eval| checked(eval, tree.config(eval)));
    let options = eval.thunk(move |eval| checked(eval, tree.options(eval)));
    eval.attrs([
        ("_type", eval.str_in("configuration")),
        ("config", config),
        ("options", options),
        ("_module", own),
        ("type", eval.thunk(move |eval| Ok(type_of(eval, tree)))),
        ("extendModules", extend_modules(eval, tree)),
        ("class", tree.class.map_or(Value::Null, |class| eval.str_in(class))),
    ])
}

/// `extendModules { modules ? [ ]; specialArgs ? { }; prefix ? …; }`: the same modules and more,
/// evaluated anew.
pub(super) fn extend_modules<'a>(eval: &Evaluator<'a>, tree: &'a ModuleTree<'a>) -> Value<'a> {
    eval.primop("extendModules", 1, move |eval, args, at| {
        let given = Given::read(eval, eval.expect_attrs(args[0], at)?, at)?;
        let mut raw = tree.given().to_vec();
        if let Some(modules) = given.modules {
            raw.extend(raw_modules(eval, modules, given.modules_at));
        }
        let is_given = |name: Symbol| given.special.iter().any(|(given, _)| *given == name);
        let kept = tree.special.iter().filter(|(name, _)| !is_given(*name));
        let special: Vec<_> = kept.chain(&given.special).copied().collect();
        let place = strict(eval, given.prefix.unwrap_or(tree.place.path), at);
        Ok(value(eval, ModuleTree::of_class(eval, place, &special, raw, tree.class)))
    })
}

/// The type of submodules that are made of a tree's modules.
pub(super) fn type_of<'a>(eval: &Evaluator<'a>, tree: &'a ModuleTree<'a>) -> Value<'a> {
    let modules = tree
        .given()
        .iter()
        .map(|raw| if raw.config_only { eval.attrs([("config", raw.value)]) } else { raw.value });
    let modules = eval.list(modules.collect::<Vec<_>>());
    submodule_of(eval, Some(false), modules, eval.attrs(tree.special.iter().copied()))
}
