//! `lib.types`: the names of all types.

use crate::diagnostic::{Diagnostic, Result};
use crate::eval::{AttrsBuilder, Evaluator};
use crate::literal::Literal;
use crate::source::Span;
use crate::value::Value;

use super::anything::Anything;
use super::choice::{AddCheck, CoercedTo, Either, Enum, NullOr};
use super::collection::{AttrsOf, ListOf};
use super::flags::Flags;
use super::literal::Domain;
use super::number::{Float, Int};
use super::package::Package;
use super::plain::{
    Bool, BoolByOr, FunctionTo, PlainAttrs, Raw, TypeOfOptions, Unique, Unspecified,
};
use super::submodule::Submodule;
use super::text::{Path, Separated, Shape, Str};
use super::{OptionType, make, make_from};

pub(crate) fn boolean<'a>(eval: &Evaluator<'a>) -> Value<'a> {
    make(eval, Bool, &[])
}

pub(crate) fn raw<'a>(eval: &Evaluator<'a>) -> Value<'a> {
    make(eval, Raw, &[])
}

pub(crate) fn raw_by_name<'a>(eval: &Evaluator<'a>) -> Value<'a> {
    make(eval, AttrsOf { lazy: true }, &[raw(eval)])
}

pub(crate) fn unspecified<'a>(eval: &Evaluator<'a>) -> Value<'a> {
    make(eval, Unspecified, &[])
}

/// The type of submodules that are made of these modules (a list).
pub(crate) fn submodule<'a>(eval: &Evaluator<'a>, modules: Value<'a>) -> Value<'a> {
    make(eval, Submodule { only_config: true, description: None }, &[modules, Value::Null])
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
    add(eval, out, "bool", || Bool);
    add(eval, out, "boolByOr", || BoolByOr);
    add(eval, out, "float", || Float { or_int: false });
    add(eval, out, "number", || Float { or_int: true });
    add(eval, out, "str", || Str(Shape::Any));
    add(eval, out, "string", || Separated { separator: String::new() });
    add(eval, out, "nonEmptyStr", || Str(Shape::NonEmpty));
    add(eval, out, "singleLineStr", || Str(Shape::SingleLine));
    add(eval, out, "lines", || Separated { separator: "\n".to_owned() });
    add(eval, out, "commas", || Separated { separator: ",".to_owned() });
    add(eval, out, "envVar", || Separated { separator: ":".to_owned() });
    add(eval, out, "path", || Path);
    add(eval, out, "attrs", || PlainAttrs);
    add(eval, out, "anything", || Anything);
    add(eval, out, "unspecified", || Unspecified);
    add(eval, out, "raw", || Raw);
    add(eval, out, "package", || Package);
    add(eval, out, "optionType", || TypeOfOptions);
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
            let pattern = eval.expect_str(args[0], at)?.to_owned();
            match regex::Regex::new(&format!("^(?:{pattern})$")) {
                Ok(regex) => Ok(make(eval, Str(Shape::Matching(pattern, regex)), &[])),
                Err(error) => {
                    let message = format!("{pattern:?} is not a regular expression: {error}");
                    Err(Diagnostic::error("type::regex", at, message).into())
                }
            }
        }),
    );
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
                let message = format!("no integer is between {least} and {most}");
                return Err(Diagnostic::error("type::empty", at, message)
                    .with_help("the lower bound comes first")
                    .into());
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
    add(eval, out, "attrsOf", || AttrsOf { lazy: false });
    add(eval, out, "lazyAttrsOf", || AttrsOf { lazy: true });
    add(eval, out, "functionTo", || FunctionTo);
    add(eval, out, "uniq", || Unique { message: None });
    add(eval, out, "enum", || Enum);
    out.set(
        "unique",
        eval.primop("unique", 2, |eval, args, at| {
            let set = eval.expect_attrs(args[0], at)?;
            let message = match set.get_str("message") {
                Some(attr) => Some(eval.expect_str(eval.force_attr(attr)?, attr.span)?.to_owned()),
                None => None,
            };
            Ok(make(eval, Unique { message }, &args[1..2]))
        }),
    );
    out.set("addCheck", eval.primop("addCheck", 2, |eval, args, _| Ok(make(eval, AddCheck, args))));
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
    out.set(
        "mkOptionType",
        eval.primop("mkOptionType", 1, |eval, args, at| {
            let set = eval.expect_attrs(args[0], at)?;
            let mut out = AttrsBuilder::with_capacity(set.len() + 1);
            set.iter().for_each(|attr| {
                out.copy(attr);
            });
            out.set("_type", eval.str_in("option-type"));
            Ok(out.finish(eval))
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
            let def = Submodule { only_config: true, description: None };
            Ok(make(eval, def, &[modules, Value::Null]))
        }),
    );
    out.set("submoduleWith", eval.primop("submoduleWith", 1, submodule_with));
}

fn submodule_with<'a>(eval: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let set = eval.expect_attrs(args[0], at)?;
    let field = |name: &str| set.get_str(name).map(|attr| attr.value.get());
    let only_config = match field("shorthandOnlyDefinesConfig") {
        Some(value) => eval.expect_bool(value, at)?,
        None => false,
    };
    let description = match field("description").map(|value| eval.force(value)).transpose()? {
        Some(Value::Str(text)) => Some((*text).to_owned()),
        _ => None,
    };
    let Some(modules) = field("modules") else {
        return Err(eval.missing(args[0], "modules".into(), at));
    };
    let special = field("specialArgs").unwrap_or(Value::Null);
    let def = Submodule { only_config, description };
    Ok(make_from(eval, AttrsBuilder::new(), def, &[modules, special]))
}
