//! Signatures of the library's functions: a small language for their types.
//!
//! ```text
//! map : (a -> b) -> [a] -> [b]
//! ```
//!
//! A lower-case letter is a variable; `_` is anything; `[t]` a list, `{t}` a set whose attributes
//! are all `t`, `{ name : t, other ? t }` one with these (`...` before the brace: and others);
//! `text` is whatever interpolation takes, `shown` what `toString` does. A function's strict arguments have types, its lazy ones
//! are variables, so that a mismatch is always an error of the program.

use std::sync::LazyLock;

use super::ty::Kinds;

/// The type of an argument or result.
#[derive(Debug)]
pub(crate) enum Sig {
    Any,
    /// Values of these kinds.
    Kind(Kinds),
    /// What interpolation takes: strings, paths, sets that say how.
    Text,
    /// What `toString` takes: texts, and plain values.
    Shown,
    Var(u8),
    List(Box<Sig>),
    /// A set whose attributes are all of one type.
    Each(Box<Sig>),
    /// A set with these attributes: name, whether it may be missing, type.
    Fields(Vec<(String, bool, Sig)>, bool),
    Fun(Box<Sig>, Box<Sig>),
    Either(Vec<Sig>),
    Never,
}

/// A function of the library.
#[derive(Debug)]
pub(crate) struct SigFun {
    pub(crate) name: &'static str,
    /// As it is written.
    pub(crate) text: &'static str,
    pub(crate) params: Vec<Sig>,
    pub(crate) result: Sig,
}

static TABLE: LazyLock<Vec<SigFun>> =
    LazyLock::new(|| include_str!("signatures.txt").lines().filter_map(parse_line).collect());

/// All functions that have a signature.
pub(crate) fn all() -> impl Iterator<Item = &'static SigFun> {
    TABLE.iter()
}

impl std::fmt::Debug for Kinds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("kinds")
    }
}

/// `name : type`; none for comments and empty lines.
fn parse_line(line: &'static str) -> Option<SigFun> {
    let line = line.split('#').next().unwrap_or_default();
    let (name, text) = line.split_once(" : ")?;
    let mut parser = Parser { rest: text };
    let mut result = parser.function()?;
    let mut params = Vec::new();
    while let Sig::Fun(param, rest) = result {
        params.push(*param);
        result = *rest;
    }
    Some(SigFun { name: name.trim(), text: text.trim(), params, result })
}

/// Reads a type from left to right; `None` where the text is none.
struct Parser<'t> {
    rest: &'t str,
}

impl<'t> Parser<'t> {
    fn eat(&mut self, token: &str) -> bool {
        self.rest = self.rest.trim_start();
        match self.rest.strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn word(&mut self) -> Option<&'t str> {
        self.rest = self.rest.trim_start();
        let end = self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '\''));
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        (!word.is_empty()).then_some(word)
    }

    fn function(&mut self) -> Option<Sig> {
        let param = self.either()?;
        if self.eat("->") {
            return Some(Sig::Fun(Box::new(param), Box::new(self.function()?)));
        }
        Some(param)
    }

    fn either(&mut self) -> Option<Sig> {
        let first = self.simple()?;
        let mut all = vec![first];
        while self.eat("|") {
            all.push(self.simple()?);
        }
        if all.len() == 1 { all.pop() } else { Some(Sig::Either(all)) }
    }

    fn simple(&mut self) -> Option<Sig> {
        if self.eat("(") {
            let inner = self.function()?;
            return self.eat(")").then_some(inner);
        }
        if self.eat("[") {
            let inner = self.function()?;
            return self.eat("]").then(|| Sig::List(Box::new(inner)));
        }
        if self.eat("{") {
            return self.set();
        }
        let word = self.word()?;
        Some(match word {
            "_" => Sig::Any,
            "null" => Sig::Kind(Kinds::NULL),
            "bool" => Sig::Kind(Kinds::BOOL),
            "int" => Sig::Kind(Kinds::INT),
            "float" => Sig::Kind(Kinds::FLOAT),
            "number" => Sig::Kind(Kinds::NUMBER),
            "str" => Sig::Kind(Kinds::STR),
            "path" => Sig::Kind(Kinds::PATH),
            "list" => Sig::Kind(Kinds::LIST),
            "set" => Sig::Kind(Kinds::SET),
            // A set may be called, if it has a `__functor`.
            "fun" => Sig::Kind(Kinds::FUN.or(Kinds::SET)),
            "text" => Sig::Text,
            "shown" => Sig::Shown,
            "never" => Sig::Never,
            letter => match letter.as_bytes() {
                [letter] => Sig::Var(*letter),
                _ => return None,
            },
        })
    }

    fn set(&mut self) -> Option<Sig> {
        let mut fields = Vec::new();
        loop {
            if self.eat("...") {
                return self.eat("}").then_some(Sig::Fields(fields, true));
            }
            if self.eat("}") {
                return Some(Sig::Fields(fields, false));
            }
            let before = self.rest;
            let name = self.word();
            let optional = self.eat("?");
            match name.filter(|_| optional || self.eat(":")) {
                Some(name) => fields.push((name.to_owned(), optional, self.function()?)),
                None if fields.is_empty() => {
                    self.rest = before;
                    let each = self.function()?;
                    return self.eat("}").then(|| Sig::Each(Box::new(each)));
                }
                None => return None,
            }
            self.eat(",");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_a_signature() {
        let lines = include_str!("signatures.txt").lines();
        for line in lines.filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
            assert!(parse_line(line).is_some(), "{line}");
        }
    }
}
