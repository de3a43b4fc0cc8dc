//! The builtins: tables by subject, and why the rest of Nix's is not here.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use crate::diagnostic::{Diagnostic, Result};
use crate::eval::{AttrsBuilder, Evaluator, STORE};
use crate::source::Span;
use crate::symbol::Symbol;
use crate::value::{Attrs, PrimOp, Value};

mod absent;
mod control;
mod demand;
mod files;
mod formats;
mod hashing;
mod json;
mod lists;
mod numbers;
mod regexes;
mod sets;
mod strings;
mod types;
mod versions;
mod xml;

pub(crate) use absent::{hidden_global, unavailable};
pub(crate) use json::json_float;
pub(crate) use numbers::shortest_float;
pub(crate) use regexes::{RegexCache, Whole};
pub(crate) use sets::{filter_attrs, map_to_list, map_to_pairs};

type Body = for<'a> fn(&Evaluator<'a>, &[Value<'a>], Span) -> Result<Value<'a>>;

/// A builtin function.
struct Builtin {
    name: &'static str,
    arity: usize,
    body: Body,
}

const fn builtin(name: &'static str, arity: usize, body: Body) -> Builtin {
    Builtin { name, arity, body }
}

const TABLES: [&[Builtin]; 12] = [
    control::TABLE,
    files::TABLE,
    formats::TABLE,
    hashing::TABLE,
    lists::TABLE,
    numbers::TABLE,
    regexes::TABLE,
    sets::TABLE,
    strings::TABLE,
    types::TABLE,
    versions::TABLE,
    xml::TABLE,
];

/// Names that are no functions; their numbers follow the functions'.
const CONSTANTS: [&str; 5] = ["nixVersion", "langVersion", "nixPath", "storeDir", "builtins"];

/// What programs that ask for Nix's version are told: the language as of this release.
const NIX_VERSION: &str = "2.18.0";
const LANG_VERSION: i64 = 6;

/// Names that need no `builtins.` before them; all others can be had as `__name`.
const TOP_LEVEL: [&str; 13] = [
    "abort",
    "baseNameOf",
    "break",
    "builtins",
    "dirOf",
    "fromTOML",
    "import",
    "isNull",
    "map",
    "removeAttrs",
    "scopedImport",
    "throw",
    "toString",
];

static NUMBERS: LazyLock<FxHashMap<&'static str, u32>> = LazyLock::new(|| {
    let functions = TABLES.iter().flat_map(|table| table.iter()).map(|builtin| builtin.name);
    functions.chain(CONSTANTS).zip(0..).collect()
});

/// Marks the set `builtins` itself.
struct TheBuiltins;

/// The number of `builtins.name`.
pub(crate) fn index(name: &str) -> Option<u32> {
    NUMBERS.get(name).copied()
}

/// The number of a name that is in scope everywhere.
pub(crate) fn global(name: &str) -> Option<u32> {
    match name.strip_prefix("__") {
        Some(name) => index(name).filter(|_| !TOP_LEVEL.contains(&name)),
        None if TOP_LEVEL.contains(&name) => index(name),
        None => None,
    }
}

/// The names that are in scope everywhere, for suggestions.
pub fn global_names() -> impl Iterator<Item = &'static str> {
    TOP_LEVEL.into_iter()
}

/// The value of every builtin, by its number.
pub(crate) fn globals<'a>(evaluator: &Evaluator<'a>) -> Vec<Value<'a>> {
    let mut values = Vec::with_capacity(NUMBERS.len());
    let mut set = AttrsBuilder::with_capacity(NUMBERS.len() + 3);
    for builtin in TABLES.iter().flat_map(|table| table.iter()) {
        let body = evaluator.alloc(builtin.body);
        let Builtin { name, arity, .. } = *builtin;
        let asks_first = demand::asks_first(name);
        let primop = PrimOp { name, arity, body, args: &[], asks_first };
        let value = Value::PrimOp(evaluator.alloc(primop));
        set.set(builtin.name, value);
        values.push(value);
    }
    let constants = [
        evaluator.str_in(NIX_VERSION),
        Value::Int(LANG_VERSION),
        evaluator.list([]),
        evaluator.str_in(STORE),
        Value::Null,
    ];
    for (name, value) in CONSTANTS.into_iter().zip(constants) {
        set.set(name, value);
        values.push(value);
    }
    set.set("true", Value::Bool(true)).set("false", Value::Bool(false)).set("null", Value::Null);
    let set = set.finish_with(evaluator, TheBuiltins, &[]);
    if let (Value::Attrs(attrs), Some(last)) = (set, values.last_mut()) {
        *last = set;
        if let Some(itself) = attrs.get_str("builtins") {
            itself.value.set(set);
        }
    }
    values
}

/// Why `builtins` has no such attribute, where Nix's has.
pub(crate) fn unavailable_in(set: &Attrs<'_>, name: Symbol, at: Span) -> Option<Box<Diagnostic>> {
    set.payload().filter(|payload| payload.data.is::<TheBuiltins>())?;
    unavailable(name.as_str(), at)
}
