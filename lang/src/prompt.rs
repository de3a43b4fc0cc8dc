//! What somebody types at a prompt: an expression, definitions, or the beginning of one.

use rnix::{ParseError, Root, SyntaxKind, TextRange};

use crate::diagnostic::Diagnostic;
use crate::eval::Evaluator;
use crate::fs::VirtualPath;
use crate::lower::{bound, lower, with_stack_for};
use crate::source::FileId;
use crate::symbol::Symbol;
use crate::value::Value;

/// What a text is, as far as it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typed {
    /// An expression, or what is none and will say so.
    Expression,
    /// Definitions, `a = 1; b.c = 2`: those of a set without its braces.
    Definitions,
    /// The beginning of either.
    Unfinished,
}

impl Typed {
    /// What `text` is.
    pub fn of(text: &str) -> Typed {
        let ended = |text: &str| state(&as_set(text, ""));
        match state(text) {
            State::Whole => Typed::Expression,
            State::Unfinished => Typed::Unfinished,
            State::Wrong => match definitions(text) {
                Some(_) => Typed::Definitions,
                None if ended(text) == State::Unfinished && names_something(text) => {
                    Typed::Unfinished
                }
                None => Typed::Expression,
            },
        }
    }
}

/// The set of these definitions; the last may lack its `;`.
pub fn definitions(text: &str) -> Option<String> {
    let sets = ["}", ";}"].map(|end| as_set(text, end));
    sets.into_iter().find(|set| state(set) == State::Whole)
}

/// A comment at the end of the text must not hide what follows it.
fn as_set(text: &str, end: &str) -> String {
    format!("{{ {}\n{end}", text.trim_end())
}

/// Whether a text begins as definitions do. A set is open at the end of whatever follows its brace.
fn names_something(text: &str) -> bool {
    let text = text.trim_start();
    let name = text.find(|c: char| !(c.is_alphanumeric() || "_'-.\"".contains(c)));
    let rest = name.map_or("", |end| &text[end..]).trim_start();
    (rest.starts_with('=') && !rest.starts_with("==")) || text.starts_with("inherit")
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Whole,
    Unfinished,
    Wrong,
}

fn state(text: &str) -> State {
    let parsed = with_stack_for(FileId(0), text, || {
        let parsed = Root::parse(text);
        Ok(match parsed.errors().first() {
            None => State::Whole,
            Some(error) if is_about_the_end(error, text) => State::Unfinished,
            Some(_) => State::Wrong,
        })
    });
    parsed.unwrap_or(State::Wrong)
}

fn is_about_the_end(error: &ParseError, text: &str) -> bool {
    match error {
        ParseError::UnexpectedEOF | ParseError::UnexpectedEOFWanted(_) => true,
        // A string or comment that is not closed is one token, to the end of the text.
        ParseError::UnexpectedWanted(_, range, wanted) => {
            let in_string = wanted.contains(&SyntaxKind::TOKEN_STRING_END);
            is_rest(*range, text) && (in_string || is_open(&text[usize::from(range.start())..]))
        }
        ParseError::UnexpectedExtra(range) => {
            is_rest(*range, text) && is_open(&text[usize::from(range.start())..])
        }
        _ => false,
    }
}

fn is_rest(range: TextRange, text: &str) -> bool {
    usize::from(range.end()) == text.len()
}

fn is_open(token: &str) -> bool {
    token.starts_with("/*") && !token.ends_with("*/")
}

impl<'a> Evaluator<'a> {
    /// The value of a text in which these names may be used beside the builtins; relative paths in it
    /// start at `base`. The names' values may be thunks.
    ///
    /// # Errors
    /// Every syntax error and unbound name of the text, or the one error that evaluating it meets.
    pub fn eval_text(
        &self,
        name: &str,
        text: &str,
        base: &VirtualPath,
        scope: &[(Symbol, Value<'a>)],
    ) -> Result<Value<'a>, Vec<Diagnostic>> {
        let names: Vec<Symbol> = scope.iter().map(|(name, _)| *name).collect();
        let inside = base.join("expression.nix");
        let tree = lower(self.world, name, text, inside.as_ref(), &names).and_then(bound)?;
        let values = scope.iter().map(|(_, value)| *value).collect();
        self.scoped_tree(tree, values).map_err(|error| vec![*error])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed() {
        for (text, expected) in [
            ("1 + 1", Typed::Expression),
            ("a == b", Typed::Expression),
            ("{ a = 1; }", Typed::Expression),
            ("1 + )", Typed::Expression),
            ("x = )", Typed::Expression),
            ("x = 1", Typed::Definitions),
            ("x = 1;", Typed::Definitions),
            ("x = 1; y.\"a b\" = x: x; # two", Typed::Definitions),
            ("inherit (a) b c", Typed::Definitions),
            ("1 +", Typed::Unfinished),
            ("(1", Typed::Unfinished),
            ("[ 1", Typed::Unfinished),
            ("{ a = 1;", Typed::Unfinished),
            ("{ a = 1", Typed::Unfinished),
            ("x:", Typed::Unfinished),
            ("{ a, b }:", Typed::Unfinished),
            ("let a = 1;", Typed::Unfinished),
            ("let a = 1; in", Typed::Unfinished),
            ("if a then b", Typed::Unfinished),
            ("with a;", Typed::Unfinished),
            ("\"a", Typed::Unfinished),
            ("\"a${b", Typed::Unfinished),
            ("''\n  a", Typed::Unfinished),
            ("/* a", Typed::Unfinished),
            ("a /* b", Typed::Unfinished),
            ("\"a ${ \"b", Typed::Unfinished),
            ("x = \"a", Typed::Unfinished),
            ("x = 1; /* b", Typed::Unfinished),
            ("f (", Typed::Unfinished),
            ("x = {", Typed::Unfinished),
            ("x =", Typed::Unfinished),
            ("x = ''", Typed::Unfinished),
            ("x.y = [ 1", Typed::Unfinished),
        ] {
            assert_eq!(Typed::of(text), expected, "{text}");
        }
    }
}
