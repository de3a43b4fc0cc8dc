//! How a literal's grammar says what is wrong, and where.

use std::borrow::Cow;
use std::ops::Range;

use nom::error::{ErrorKind, ParseError};
use nom::{Err, IResult, Parser};

/// Why a text is not the literal that it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct LiteralError {
    /// The bytes at fault, within the literal; empty at its end where something is missing.
    pub at: Range<usize>,
    /// What is wrong, as a sentence without a full stop.
    pub message: String,
    /// What to write instead, where that is known.
    pub help: Option<String>,
}

impl LiteralError {
    /// An error at `at`, without a help line.
    pub fn new(at: Range<usize>, message: impl Into<String>) -> Self {
        LiteralError { at, message: message.into(), help: None }
    }

    /// The same error with a help line.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same error in a longer text, of which the literal began at `offset`.
    #[must_use]
    pub fn shifted(mut self, offset: usize) -> Self {
        self.at = self.at.start + offset..self.at.end + offset;
        self
    }
}

/// A failure inside a grammar: the rest of the text where it happened, and the words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault<'t> {
    rest: &'t str,
    /// How many bytes of the rest are at fault; `None` is the next character.
    len: Option<usize>,
    words: Words,
    help: Option<Cow<'static, str>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Words {
    /// The whole message is "expected …, found …".
    Expected(&'static str),
    /// A message of its own.
    Said(String),
}

/// What every grammar here returns.
pub(crate) type Parsed<'t, T> = IResult<&'t str, T, Fault<'t>>;

impl<'t> ParseError<&'t str> for Fault<'t> {
    fn from_error_kind(rest: &'t str, _: ErrorKind) -> Self {
        Fault { rest, len: None, words: Words::Expected("something else"), help: None }
    }

    fn append(_: &'t str, _: ErrorKind, other: Self) -> Self {
        other
    }

    /// Of two alternatives, the one that came further knows better what is wrong.
    fn or(self, other: Self) -> Self {
        if self.rest.len() < other.rest.len() { self } else { other }
    }
}

impl<'t> Fault<'t> {
    /// A fault with a message of its own about the first `len` bytes of `rest`.
    pub(crate) fn said(rest: &'t str, len: usize, message: impl Into<String>) -> Self {
        Fault { rest, len: Some(len), words: Words::Said(message.into()), help: None }
    }

    /// The same fault with a help line.
    pub(crate) fn help(mut self, help: impl Into<Cow<'static, str>>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Ends the parse: no other alternative is tried.
    pub(crate) fn fatal<T>(self) -> Parsed<'t, T> {
        Err(Err::Failure(self))
    }
}

/// Runs `grammar`, and where it fails says that `what` was expected there.
pub(crate) fn expect<'t, T>(
    what: &'static str,
    mut grammar: impl Parser<&'t str, Output = T, Error = Fault<'t>>,
) -> impl FnMut(&'t str) -> Parsed<'t, T> {
    move |input| {
        grammar.parse(input).map_err(|error| match error {
            Err::Error(_) => Err::Error(Fault {
                rest: input,
                len: None,
                words: Words::Expected(what),
                help: None,
            }),
            other => other,
        })
    }
}

/// Parses the whole of `text` as `what` ("an IPv4 address"), or says which characters are wrong.
pub(crate) fn whole<'t, T>(
    what: &str,
    text: &'t str,
    mut grammar: impl Parser<&'t str, Output = T, Error = Fault<'t>>,
) -> Result<T, LiteralError> {
    let fault = match grammar.parse(text) {
        Ok(("", value)) => return Ok(value),
        Ok((rest, _)) => Fault { rest, len: None, words: Words::Expected("the end"), help: None },
        Err(Err::Error(fault) | Err::Failure(fault)) => fault,
        // Complete parsers never ask for more; if one did, the text is too short.
        Err(Err::Incomplete(_)) => {
            Fault { rest: "", len: None, words: Words::Expected("more"), help: None }
        }
    };
    let start = text.len() - fault.rest.len();
    let found = fault.rest.chars().next();
    let len = fault.len.unwrap_or_else(|| found.map_or(0, char::len_utf8));
    let message = match fault.words {
        Words::Said(message) => message,
        Words::Expected(_) if text.is_empty() => {
            format!("an empty string is not {what}")
        }
        Words::Expected(expected) => match found {
            Some(found) => format!("not {what}: expected {expected}, found `{found}`"),
            None => format!("not {what}: expected {expected}, but the text ends here"),
        },
    };
    Err(LiteralError { at: start..start + len, message, help: fault.help.map(Cow::into_owned) })
}
