//! Expressions as text, and how tightly they bind.

/// An expression's text and its level: 0 binds tightest, [`OPEN`] goes on to the right.
#[derive(Clone, Debug)]
pub(super) struct Term {
    pub(super) text: String,
    pub(super) level: u8,
}

pub(super) const APPLY: u8 = 1;
pub(super) const NEGATE: u8 = 2;
pub(super) const HAS: u8 = 3;
pub(super) const CONCAT: u8 = 4;
pub(super) const TIMES: u8 = 5;
pub(super) const PLUS: u8 = 6;
pub(super) const NOT: u8 = 7;
pub(super) const UPDATE: u8 = 8;
pub(super) const ORDER: u8 = 9;
pub(super) const EQUAL: u8 = 10;
pub(super) const AND: u8 = 11;
pub(super) const OR: u8 = 12;
pub(super) const IMPLIES: u8 = 13;
pub(super) const OPEN: u8 = 14;

/// An expression that needs no parentheses anywhere.
pub(super) fn atom(text: impl Into<String>) -> Term {
    Term { text: text.into(), level: 0 }
}

/// An expression that goes on to the right.
pub(super) fn open(text: impl Into<String>) -> Term {
    Term { text: text.into(), level: OPEN }
}

/// `function argument …`
pub(super) fn call(function: &str, args: &[Term]) -> Term {
    let mut text = function.to_owned();
    for arg in args {
        text.push(' ');
        text.push_str(&arg.tight());
    }
    Term { text, level: APPLY }
}

/// An operator that groups to the left.
pub(super) fn left(a: &Term, operator: &str, b: &Term, level: u8) -> Term {
    Term { text: format!("{} {operator} {}", a.at(level), b.at(level - 1)), level }
}

/// An operator that groups to the right.
pub(super) fn right(a: &Term, operator: &str, b: &Term, level: u8) -> Term {
    Term { text: format!("{} {operator} {}", a.at(level - 1), b.at(level)), level }
}

/// An operator that does not group.
pub(super) fn alone(a: &Term, operator: &str, b: &Term, level: u8) -> Term {
    Term { text: format!("{} {operator} {}", a.at(level - 1), b.at(level - 1)), level }
}

impl Term {
    /// The text where only this level or a tighter one may stand.
    pub(super) fn at(&self, level: u8) -> String {
        if self.level <= level { self.text.clone() } else { format!("({})", self.text) }
    }

    /// The text as an argument, an element or the base of a selection.
    pub(super) fn tight(&self) -> String {
        self.at(0)
    }
}

const KEYWORDS: &[&str] =
    &["if", "then", "else", "let", "in", "rec", "with", "inherit", "assert", "or"];

/// Whether a name needs no quotes.
pub(super) fn is_plain(name: &str) -> bool {
    let first = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let rest = name.chars().all(|c| c.is_ascii_alphanumeric() || "_'-".contains(c));
    first && rest && !KEYWORDS.contains(&name)
}

/// A name in a set or after a dot.
pub(super) fn attr(name: &str) -> String {
    if is_plain(name) { name.to_owned() } else { quoted(name) }
}

/// A string literal.
pub(super) fn quoted(text: &str) -> String {
    let mut out = "\"".to_owned();
    for c in text.chars() {
        match c {
            '"' | '\\' | '$' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
