//! Types of generated programs.

use crate::choices::Choices;

/// The type of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// An integer.
    Int,
    /// A float.
    Float,
    /// A boolean.
    Bool,
    /// Only `null`.
    Null,
    /// A string.
    Str,
    /// An absolute path; nothing is ever read of it.
    Path,
    /// A list of one type.
    List(Box<Type>),
    /// A set with exactly these names.
    Record(Vec<(String, Type)>),
    /// A set of any names with values of one type.
    Map(Box<Type>),
    /// `null` or a value.
    Maybe(Box<Type>),
    /// A function of one argument.
    Function(Box<Type>, Box<Type>),
    /// A function that takes a set apart.
    Pattern(Box<Pattern>),
}

/// The type of a function that takes a set apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// Names, their types, and whether they have a default.
    pub names: Vec<(String, Type, bool)>,
    /// Whether other names are allowed.
    pub open: bool,
    /// What the function gives.
    pub result: Type,
}

/// Names that bindings have; few, so that some hide others.
pub(super) const NAMES: &[&str] =
    &["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "x'", "y-z", "_w", "value", "name"];
/// Names that only a set can have beside the others.
const STRANGE: &[&str] = &["if", "1", "two words", "", "a.b", "${", "\"", "or"];

impl Type {
    /// Whether values of it can be compared and printed.
    pub fn is_data(&self) -> bool {
        match self {
            Type::List(of) | Type::Map(of) | Type::Maybe(of) => of.is_data(),
            Type::Record(fields) => fields.iter().all(|(_, of)| of.is_data()),
            Type::Function(..) | Type::Pattern(_) => false,
            _ => true,
        }
    }

    /// Whether JSON gives back what was put in: floats become integers there, and paths strings.
    pub(super) fn is_json(&self) -> bool {
        match self {
            Type::List(of) | Type::Map(of) | Type::Maybe(of) => of.is_json(),
            Type::Record(fields) => fields.iter().all(|(_, of)| of.is_json()),
            Type::Float | Type::Path | Type::Function(..) | Type::Pattern(_) => false,
            _ => true,
        }
    }

    /// A word for comments in programs.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Type::Int => "int",
            Type::Float => "float",
            Type::Bool => "bool",
            Type::Null => "null",
            Type::Str => "string",
            Type::Path => "path",
            Type::List(_) => "list",
            Type::Record(_) | Type::Map(_) => "set",
            Type::Maybe(_) => "perhaps",
            Type::Function(..) | Type::Pattern(_) => "function",
        }
    }

    /// Whether `toString` takes values of it.
    pub(super) fn is_text(&self) -> bool {
        match self {
            Type::Int | Type::Float | Type::Bool | Type::Null | Type::Str | Type::Path => true,
            Type::List(of) | Type::Maybe(of) => of.is_text(),
            _ => false,
        }
    }

    /// Whether `<` takes values of it.
    pub(super) fn is_ordered(&self) -> bool {
        match self {
            Type::Int | Type::Float | Type::Str => true,
            Type::List(of) => of.is_ordered(),
            _ => false,
        }
    }
}

/// A type; the simplest is `Int`.
pub(super) fn any_type(choices: &mut Choices, depth: usize) -> Type {
    match choices.below(if depth == 0 { 8 } else { 16 }) {
        0 | 1 => Type::Int,
        2 | 3 => Type::Str,
        4 | 5 => Type::Bool,
        6 => Type::Float,
        7 => choices.pick(&[Type::Null, Type::Path]),
        8 | 9 => Type::List(Box::new(any_type(choices, depth - 1))),
        10 | 11 => Type::Record(fields(choices, depth)),
        12 => Type::Map(Box::new(any_type(choices, depth - 1))),
        13 => Type::Maybe(Box::new(some_type(choices, depth - 1))),
        14 => Type::Function(
            Box::new(any_type(choices, depth - 1)),
            Box::new(any_type(choices, depth - 1)),
        ),
        _ => pattern(choices, depth),
    }
}

/// A type that has no `null`.
pub(super) fn some_type(choices: &mut Choices, depth: usize) -> Type {
    match any_type(choices, depth) {
        Type::Null => Type::Int,
        Type::Maybe(of) => *of,
        of => of,
    }
}

/// A type whose values can be printed and compared.
pub(super) fn data_type(choices: &mut Choices, depth: usize) -> Type {
    let of = any_type(choices, depth);
    if of.is_data() { of } else { Type::Int }
}

/// Names and types of a set, sometimes with names that must be quoted.
pub(super) fn fields(choices: &mut Choices, depth: usize) -> Vec<(String, Type)> {
    let mut fields: Vec<(String, Type)> = Vec::new();
    for _ in 0..choices.below(4) {
        let name = match choices.chance(8) {
            true => choices.pick(STRANGE),
            false => choices.pick(NAMES),
        };
        if fields.iter().all(|(known, _)| known != name) {
            fields.push((name.to_owned(), any_type(choices, depth.saturating_sub(1))));
        }
    }
    fields.sort_by(|a, b| a.0.cmp(&b.0));
    fields
}

fn pattern(choices: &mut Choices, depth: usize) -> Type {
    let names = fields(choices, depth);
    let names = names.into_iter().filter(|(name, _)| NAMES.contains(&name.as_str()));
    let names = names.map(|(name, of)| (name, of, choices.chance(40))).collect();
    let open = choices.chance(40);
    let result = any_type(choices, depth - 1);
    Type::Pattern(Box::new(Pattern { names, open, result }))
}
