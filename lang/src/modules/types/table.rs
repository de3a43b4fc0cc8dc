//! `lib.types`: the names of all types.

use crate::builtins::Whole;
use crate::diagnostic::{Diagnostic, Result};
use crate::eval::{AttrsBuilder, Evaluator};
use crate::literal::Literal;
use crate::source::Span;
use crate::symbol::symbol;
use crate::value::Value;

use super::anything::Anything;
use super::choice::{CoercedTo, Either, Enum, NullOr};
use super::collection::{AttrsOf, ListOf};
use super::custom::make_option_type;
use super::flags::Flags;
use super::function::FunctionTo;
use super::literal::Domain;
use super::module::DeferredModule;
use super::number::{Bounds, Int, Number};
use super::package::Package;
use super::path::{Path, path_with};
use super::plain::Plain;
use super::refined::{AddCheck, PasswdEntry, Unique};
use super::secret::Secret;
use super::submodule::{submodule_of, submodule_with};
use super::tag::AttrTag;
use super::text::{Separated, Shape, Str};
use super::unspecified::Unspecified;
use super::{OptionType, make};

pub(crate) fn boolean<'a>(eval: &Evaluator<'a>) -> Value<'a> {
    make(eval, Plain::Bool, &[])
}

pub(crate) fn raw<'a>(eval: &Evaluator<'a>) -> Value<'a> {
    make(eval, Plain::Raw, &[])
}

pub(crate) fn raw_by_name<'a>(eval: &Evaluator<'a>) -> Value<'a> {
    make(eval, AttrsOf { lazy: true, placeholder: None }, &[raw(eval)])
}

/// The type of `_module.freeformType`.
pub(crate) fn type_or_null<'a>(eval: &Evaluator<'a>) -> Value<'a> {
    make(eval, NullOr, &[make(eval, Plain::OptionType, &[])])
}

pub(crate) fn unspecified<'a>(eval: &Evaluator<'a>) -> Value<'a> {
    make(eval, Unspecified, &[])
}

/// Everything under `lib.types`.
pub(crate) fn lib_types<'a>(eval: &Evaluator<'a>) -> Value<'a> {
    let mut out = AttrsBuilder::new();
    plain(eval, &mut out);
    text(eval, &mut out);
    wrappers(eval, &mut out);
    choices(eval, &mut out);
    submodules(eval, &mut out);
    let int = |eval: &Evaluator<'a>| int(eval, "int", "integer", i64::MIN, i64::MAX);
    out.set("int", eval.thunk(move |eval| Ok(int(eval))));
    out.set("port", eval.thunk(|eval| Ok(self::int(eval, "port", "port (0 to 65535)", 0, 65535))));
    out.set("ints", eval.thunk(|eval| Ok(ints(eval))));
    out.set("numbers", eval.thunk(|eval| Ok(numbers(eval))));
    // nixpkgs has these here too.
    for name in ["isOptionType", "isType"] {
        let of_lib = move |eval: &Evaluator<'a>| {
            let lib = eval.expect_attrs(super::super::library::value(eval), Span::NONE)?;
            lib.get_str(name).map_or(Ok(Value::Null), |attr| eval.force_attr(attr))
        };
        out.set(name, eval.thunk(of_lib));
    }
    for literal in Literal::ALL {
        out.set(literal.name(), eval.thunk(move |eval| Ok(make(eval, Domain(literal), &[]))));
    }
    out.set(
        "flags",
        eval.primop("flags", 1, |eval, args, at| {
            let flags = Flags::of(eval, args[0], at)?;
            Ok(make(eval, flags, &[]))
        }),
    );
    out.finish(eval)
}

fn plain<'a>(eval: &Evaluator<'a>, out: &mut AttrsBuilder<'a>) {
    fn add<'a, T: OptionType>(
        eval: &Evaluator<'a>,
        out: &mut AttrsBuilder<'a>,
        name: &str,
        def: impl Fn() -> T + 'static,
    ) {
        out.set(name, eval.thunk(move |eval| Ok(make(eval, def(), &[]))));
    }
    for (name, kind) in [
        ("bool", Plain::Bool),
        ("boolByOr", Plain::BoolByOr),
        ("attrs", Plain::Attrs),
        ("raw", Plain::Raw),
        ("optionType", Plain::OptionType),
    ] {
        add(eval, out, name, move || kind);
    }
    add(eval, out, "float", || number(false, "float", "floating point number", Bounds::None));
    add(eval, out, "number", || number(true, "number", "number", Bounds::None));
    add(eval, out, "str", || Str(Shape::Any));
    add(eval, out, "string", || Separated { separator: String::new() });
    add(eval, out, "nonEmptyStr", || Str(Shape::NonEmpty));
    add(eval, out, "singleLineStr", || Str(Shape::SingleLine));
    for (name, separator) in [("lines", "\n"), ("commas", ","), ("envVar", ":")] {
        add(eval, out, name, move || Separated { separator: separator.to_owned() });
    }
    add(eval, out, "path", || Path::ABSOLUTE);
    for (name, in_store) in [("pathInStore", true), ("externalPath", false)] {
        let kind = Path { name, in_store: Some(in_store), ..Path::ABSOLUTE };
        add(eval, out, name, move || kind.clone());
    }
    add(eval, out, "anything", || Anything);
    add(eval, out, "unspecified", || Unspecified);
    add(eval, out, "package", || Package);
    add(eval, out, "secret", || Secret);
    let deferred = |eval: &Evaluator<'a>| Ok(make(eval, DeferredModule, &[eval.list([])]));
    out.set("deferredModule", eval.thunk(deferred));
}

fn number(or_int: bool, name: &'static str, words: &str, takes: Bounds) -> Number {
    Number { name, words: words.to_owned(), or_int, takes }
}

fn text<'a>(eval: &Evaluator<'a>, out: &mut AttrsBuilder<'a>) {
    out.set(
        "separatedString",
        eval.primop("separatedString", 1, |eval, args, at| {
            let separator = eval.expect_str(args[0], at)?.to_owned();
            Ok(make(eval, Separated { separator }, &[]))
        }),
    );
    out.set(
        "strMatching",
        eval.primop("strMatching", 1, |eval, args, at| {
            let pattern = eval.expect_str(args[0], at)?;
            let whole = Whole::new(eval, pattern, at)?;
            Ok(make(eval, Str(Shape::Matching(pattern.to_owned(), whole)), &[]))
        }),
    );
    out.set("pathWith", eval.primop("pathWith", 1, path_with));
}

fn int<'a>(
    eval: &Evaluator<'a>,
    name: &'static str,
    words: &str,
    least: i64,
    most: i64,
) -> Value<'a> {
    make(eval, Int { name, words: words.to_owned(), least, most }, &[])
}

fn ints<'a>(eval: &Evaluator<'a>) -> Value<'a> {
    let mut out = AttrsBuilder::new();
    out.set(
        "between",
        eval.primop("between", 2, |eval, args, at| {
            let (least, most) = (eval.expect_int(args[0], at)?, eval.expect_int(args[1], at)?);
            if least > most {
                return Err(nothing_between("integer", &least, &most, at));
            }
            let words = format!("integer between {least} and {most}");
            Ok(int(eval, "int", &words, least, most))
        }),
    );
    out.set("positive", int(eval, "int", "positive integer", 1, i64::MAX));
    out.set("unsigned", int(eval, "int", "unsigned integer", 0, i64::MAX));
    for bits in [8u32, 16, 32] {
        let most = (1i64 << bits) - 1;
        let words = format!("{bits} bit unsigned integer (0 to {most})");
        out.set(format!("u{bits}").as_str(), int(eval, "int", &words, 0, most));
        let (least, most) = (-(1i64 << (bits - 1)), (1i64 << (bits - 1)) - 1);
        let words = format!("{bits} bit signed integer ({least} to {most})");
        out.set(format!("s{bits}").as_str(), int(eval, "int", &words, least, most));
    }
    out.finish(eval)
}

fn numbers<'a>(eval: &Evaluator<'a>) -> Value<'a> {
    let of = |name: &'static str, words: &str, takes: Bounds| {
        make(eval, number(true, name, words, takes), &[])
    };
    let between = eval.primop("between", 2, |eval, args, at| {
        let bound = |value: Value<'a>| match eval.force_at(value, at)? {
            Value::Float(bound) => Ok(bound),
            other => eval.expect_int(other, at).map(|bound| bound as f64),
        };
        let (least, most) = (bound(args[0])?, bound(args[1])?);
        if least > most {
            return Err(nothing_between("number", &least, &most, at));
        }
        let words = format!("number between {least} and {most}");
        Ok(make(eval, number(true, "numberBetween", &words, Bounds::Between(least, most)), &[]))
    });
    let above = Bounds::Between(0.0, f64::INFINITY);
    eval.attrs([
        ("between", between),
        ("nonnegative", of("numberNonnegative", "number of at least 0", above)),
        ("positive", of("numberPositive", "positive number", Bounds::AboveZero)),
    ])
}

#[cold]
fn nothing_between(
    what: &str,
    least: &dyn std::fmt::Display,
    most: &dyn std::fmt::Display,
    at: Span,
) -> Box<Diagnostic> {
    let message = format!("no {what} is between {least} and {most}");
    let error = Diagnostic::error("type::empty", at, message);
    error.with_help("the lower bound comes first").into()
}

fn wrappers<'a>(eval: &Evaluator<'a>, out: &mut AttrsBuilder<'a>) {
    fn add<'a, T: OptionType>(
        eval: &Evaluator<'a>,
        out: &mut AttrsBuilder<'a>,
        name: &str,
        def: impl Fn() -> T + 'static,
    ) {
        let wrap = move |eval: &Evaluator<'a>, args: &[Value<'a>], _: Span| {
            Ok(make(eval, def(), &args[..1]))
        };
        out.set(name, eval.primop(name, 1, wrap));
    }
    add(eval, out, "nullOr", || NullOr);
    add(eval, out, "listOf", || ListOf { non_empty: false });
    add(eval, out, "nonEmptyListOf", || ListOf { non_empty: true });
    add(eval, out, "attrsOf", AttrsOf::default);
    add(eval, out, "lazyAttrsOf", || AttrsOf { lazy: true, placeholder: None });
    add(eval, out, "passwdEntry", || PasswdEntry);
    add(eval, out, "functionTo", || FunctionTo);
    add(eval, out, "uniq", || Unique { message: None });
    add(eval, out, "enum", || Enum);
    out.set(
        "unique",
        eval.primop("unique", 2, |eval, args, at| {
            let set = eval.expect_attrs(args[0], at)?;
            let message = match set.get(symbol!("message")) {
                Some(attr) => Some(eval.expect_str(eval.force_attr(attr)?, attr.span)?.to_owned()),
                None => None,
            };
            Ok(make(eval, Unique { message }, &args[1..2]))
        }),
    );
    out.set("addCheck", eval.primop("addCheck", 2, |eval, args, _| Ok(make(eval, AddCheck, args))));
    out.set("attrsWith", eval.primop("attrsWith", 1, attrs_with));
}

/// `attrsWith { elemType; lazy ? false; placeholder ? "name"; }`.
fn attrs_with<'a>(eval: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let set = eval.expect_attrs(args[0], at)?;
    let Some(element) = set.get(symbol!("elemType")) else {
        return Err(eval.missing(Value::Attrs(set), "elemType".into(), at));
    };
    let lazy = match set.get(symbol!("lazy")) {
        Some(attr) => eval.expect_bool(eval.force_attr(attr)?, attr.span.or(at))?,
        None => false,
    };
    let placeholder = match set.get(symbol!("placeholder")) {
        Some(attr) => Some(eval.expect_str(eval.force_attr(attr)?, attr.span.or(at))?.to_owned()),
        None => None,
    };
    Ok(make(eval, AttrsOf { lazy, placeholder }, &[element.value.get()]))
}

fn choices<'a>(eval: &Evaluator<'a>, out: &mut AttrsBuilder<'a>) {
    out.set("either", eval.primop("either", 2, |eval, args, _| Ok(make(eval, Either, args))));
    out.set(
        "oneOf",
        eval.primop("oneOf", 1, |eval, args, at| {
            let inner: Vec<_> = eval.expect_list(args[0], at)?.iter().collect();
            Ok(make(eval, Either, &inner))
        }),
    );
    out.set(
        "coercedTo",
        eval.primop("coercedTo", 3, |eval, args, _| Ok(make(eval, CoercedTo, args))),
    );
    out.set("mkOptionType", eval.primop("mkOptionType", 1, make_option_type));
    out.set(
        "attrTag",
        eval.primop("attrTag", 1, |eval, args, _| {
            let tags = eval.list([args[0]]);
            Ok(make(eval, AttrTag, &[tags]))
        }),
    );
}

fn submodules<'a>(eval: &Evaluator<'a>, out: &mut AttrsBuilder<'a>) {
    out.set(
        "submodule",
        eval.primop("submodule", 1, |eval, args, _| {
            let module = args[0];
            // A list of modules or one: looked at only when the submodule is used.
            let modules = eval.thunk(move |eval| match eval.force(module)? {
                list @ Value::List(_) => Ok(list),
                one => Ok(eval.list([one])),
            });
            Ok(submodule_of(eval, Some(true), modules, Value::Null))
        }),
    );
    out.set("submoduleWith", eval.primop("submoduleWith", 1, submodule_with));
    out.set(
        "deferredModuleWith",
        eval.primop("deferredModuleWith", 1, |eval, args, at| {
            let set = eval.expect_attrs(args[0], at)?;
            let fixed = set.get(symbol!("staticModules")).map(|attr| attr.value.get());
            Ok(make(eval, DeferredModule, &[fixed.unwrap_or_else(|| eval.list([]))]))
        }),
    );
}
