//! Values in few words, for messages.

use crate::eval::Evaluator;
use crate::print::print_name;
use crate::tree::Param;
use crate::value::{Attr, Value};

const NOT_CALLED: &str = "an argument is missing: this is a function that was not called";

/// Longer strings are cut.
const TEXT_LIMIT: usize = 40;

/// What a value is, as in "found …": `the string "80"`, `a list of 2 elements`. Forces nothing.
pub(crate) fn found<'a>(_: &Evaluator<'a>, value: Value<'a>) -> String {
    described(value)
}

/// As [`found`], where no evaluator is at hand.
pub(crate) fn described(value: Value<'_>) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => format!("the boolean {value}"),
        Value::Int(value) => format!("the integer {value}"),
        Value::Float(value) => format!("the float {value:?}"),
        Value::Str(text) => format!("the string {}", quoted(text)),
        Value::Path(path) => format!("the path {}", crate::eval::virtual_path(path)),
        Value::List(list) => match list.len() {
            0 => "an empty list".to_owned(),
            1 => "a list of one element".to_owned(),
            len => format!("a list of {len} elements"),
        },
        Value::Attrs(set) if set.is_empty() => "an empty attribute set".to_owned(),
        Value::Attrs(set) => {
            let mut names: Vec<_> = set.names().collect();
            names.sort_unstable();
            let more = if names.len() > 3 { ", …" } else { "" };
            names.truncate(3);
            format!("an attribute set (with {}{more})", names.join(", "))
        }
        other => other.described().to_owned(),
    }
}

/// What to do about a function where its result is wanted.
pub(crate) fn not_called(value: Value<'_>) -> Option<String> {
    Some(match value {
        Value::PrimOp(of) if of.name() == "mkIf" => {
            "`mkIf` takes a condition and what holds then: `lib.mkIf config.a.enable { … }`"
                .to_owned()
        }
        Value::PrimOp(of) if !of.args.is_empty() => {
            format!("`{}` takes {} arguments, and has {}", of.name(), of.arity, of.args.len())
        }
        Value::Lambda(closure) => match &closure.lambda.param {
            Param::Names(names) => match names.get(closure.given) {
                Some((name, _)) => {
                    format!("an argument is missing: this is a function that still wants `{name}`")
                }
                None => NOT_CALLED.to_owned(),
            },
            Param::Pattern(_) => NOT_CALLED.to_owned(),
        },
        Value::PrimOp(_) => NOT_CALLED.to_owned(),
        _ => return None,
    })
}

/// A value as it would be written, shortened: what `explain` shows. Forces nothing.
pub(crate) fn written(value: Value<'_>) -> String {
    match value {
        Value::Thunk(_) => "…".to_owned(),
        Value::Str(text) => quoted(text),
        Value::Float(value) => format!("{value:?}"),
        Value::Path(path) => crate::eval::virtual_path(path).to_string(),
        Value::List(list) if list.len() <= 4 => {
            let items: Vec<_> = list.iter().map(nested).collect();
            format!("[ {} ]", items.join(" ")).replace("[  ]", "[ ]")
        }
        Value::List(list) => format!("[ … ] ({} elements)", list.len()),
        Value::Attrs(set) if set.len() <= 4 => {
            let each = set.sorted().into_iter();
            let items: Vec<_> = each
                .map(|attr| format!("{} = {};", name(attr), nested(attr.value.get())))
                .collect();
            format!("{{ {} }}", items.join(" ")).replace("{  }", "{ }")
        }
        Value::Attrs(set) => format!("{{ … }} ({} attributes)", set.len()),
        Value::Lambda(_) | Value::PrimOp(_) => "<function>".to_owned(),
        other => format!("{other:?}"),
    }
}

fn name(attr: &Attr<'_>) -> String {
    let mut name = String::new();
    print_name(attr.name.as_str(), &mut name);
    name
}

fn nested(value: Value<'_>) -> String {
    match value {
        Value::List(list) if !list.is_empty() => "[ … ]".to_owned(),
        Value::Attrs(set) if !set.is_empty() => "{ … }".to_owned(),
        other => written(other),
    }
}

fn quoted(text: &str) -> String {
    if text.chars().count() <= TEXT_LIMIT {
        return format!("{text:?}");
    }
    let start: String = text.chars().take(TEXT_LIMIT).collect();
    format!("{:?}", format!("{start}…"))
}
