//! Parsing, and syntax errors in words.

use std::borrow::Cow;

use rnix::{ParseError, Root, SyntaxKind, TextRange};
use rustc_hash::FxHashSet;

use super::measure::measure;
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span};

/// Stack for one level of the parser's recursion, and for a level of a tree that is walked.
const PARSER_LEVEL: usize = 8 << 10;
const TREE_LEVEL: usize = 512;
const BASE_STACK: usize = 16 << 20;

/// Runs `work` on a stack that no parse of this text can overflow: the parser and the trees that
/// it makes recurse without a limit of their own.
pub(crate) fn with_stack_for<T>(
    file: FileId,
    text: &str,
    work: impl FnOnce() -> Result<T, Vec<Diagnostic>>,
) -> Result<T, Vec<Diagnostic>> {
    if text.len() >= u32::MAX as usize {
        let span = Span { file, start: 0, end: 0 };
        return Err(vec![Diagnostic::error("syntax::too-large", span, "the file is too large")]);
    }
    let measure = measure(file, text)?;
    let stack = BASE_STACK + measure.levels * PARSER_LEVEL + measure.tokens * TREE_LEVEL;
    stacker::maybe_grow(stack, stack, work)
}

/// A parsed file, and where it has a `let { … }`: these are sets with `rec` in the tree.
pub(super) struct Parsed {
    pub(super) root: Root,
    pub(super) old_lets: FxHashSet<u32>,
}

/// Parses a file.
///
/// # Errors
/// The first syntax error: the ones after it are mostly its echo.
pub(super) fn parse(file: FileId, text: &str) -> Result<Parsed, Vec<Diagnostic>> {
    let old_lets = old_lets(text);
    let parsed = Root::parse(&with_rec(text, &old_lets));
    if text.trim().is_empty() {
        return Err(vec![empty(file)]);
    }
    match parsed.errors().first() {
        None => Ok(Parsed { root: parsed.tree(), old_lets }),
        Some(error) => Err(vec![Words { file, text }.diagnostic(error)]),
    }
}

/// Where a `let { … }` starts. Nix takes one wherever it takes a set; the parser does not.
fn old_lets(text: &str) -> FxHashSet<u32> {
    let mut found = FxHashSet::default();
    let (mut last_let, mut at) = (None, 0);
    for (kind, token) in rnix::tokenize(text) {
        match kind {
            SyntaxKind::TOKEN_LET => last_let = Some(at),
            SyntaxKind::TOKEN_L_BRACE => found.extend(last_let.take()),
            kind if kind.is_trivia() => {}
            _ => last_let = None,
        }
        at += token.len() as u32;
    }
    found
}

/// The text with `rec`, which is as long, in the place of each of these.
fn with_rec<'t>(text: &'t str, lets: &FxHashSet<u32>) -> Cow<'t, str> {
    let mut starts: Vec<usize> = lets.iter().map(|start| *start as usize).collect();
    if starts.is_empty() {
        return Cow::Borrowed(text);
    }
    starts.sort_unstable();
    let mut replaced = String::with_capacity(text.len());
    let mut rest = 0;
    for start in starts {
        replaced.push_str(&text[rest..start]);
        replaced.push_str("rec");
        rest = start + "let".len();
    }
    replaced.push_str(&text[rest..]);
    Cow::Owned(replaced)
}

/// The error of a file without an expression.
pub(super) fn empty(file: FileId) -> Diagnostic {
    Diagnostic::error("syntax::empty", Span { file, start: 0, end: 0 }, "the file is empty")
        .with_help("a file is one expression; an empty module is `{ }`")
}

struct Words<'t> {
    file: FileId,
    text: &'t str,
}

impl Words<'_> {
    fn error(&self, start: usize, end: usize, message: impl Into<String>) -> Diagnostic {
        let span = Span { file: self.file, start: start as u32, end: end as u32 };
        Diagnostic::error("syntax::error", span, message)
    }

    fn diagnostic(&self, error: &ParseError) -> Diagnostic {
        let error = self.described(error);
        match self.runaway(error.span.start as usize) {
            Some((at, quote)) => {
                let (start, end) = (at as u32, (at + quote.len()) as u32);
                let place = Span { file: self.file, start, end };
                error.with_related(
                    place,
                    "this string goes on to the next line: is its `\"` missing?",
                )
            }
            None => error,
        }
    }

    fn described(&self, error: &ParseError) -> Diagnostic {
        match error {
            ParseError::UnexpectedWanted(_, range, wanted) => self.unexpected(*range, wanted),
            ParseError::UnexpectedEOFWanted(wanted) => self.ended(wanted),
            ParseError::UnexpectedEOF => self.ended(&[]),
            ParseError::UnexpectedExtra(range) => {
                let (start, end) = self.token_at(range.start().into());
                let found = &self.text[start..end];
                self.error(start, end, format!("unexpected `{found}` after the expression"))
                    .with_help("a file is one expression; are brackets closed too early?")
            }
            ParseError::UnexpectedDoubleBind(range) => {
                let (start, end) = (range.start().into(), range.end().into());
                self.error(start, end, "the argument set is named twice")
                    .with_help("write the name before or after the braces, not both")
            }
            ParseError::DuplicatedArgs(range, name) => {
                let (start, end) = (range.start().into(), range.end().into());
                self.error(start, end, format!("the argument `{name}` is declared twice"))
            }
            ParseError::Unexpected(range) => {
                let (start, end) = self.token_at(range.start().into());
                self.error(start, end, "this is not understood here")
            }
            ParseError::RecursionLimitExceeded => {
                let mut error = self.error(0, 0, "expressions nest more than 512 deep");
                error.code = "syntax::too-deep".to_owned();
                error
            }
            _ => self.error(0, 0, "the file is no expression"),
        }
    }

    fn unexpected(&self, range: TextRange, wanted: &[SyntaxKind]) -> Diagnostic {
        let (start, end) = self.token_at(range.start().into());
        let found = &self.text[start..end];
        if wanted == [SyntaxKind::TOKEN_SEMICOLON] {
            // Before `name =`, the `;` is missing where the last value ends.
            let place = if found == "=" { self.before_name(start) } else { self.before(start) };
            return self
                .error(place.saturating_sub(1), place, "a `;` is missing after this")
                .with_help("every definition ends in `;`");
        }
        if wanted.contains(&SyntaxKind::TOKEN_STRING_END)
            && let Some((at, quote)) = self.unclosed(start)
        {
            let message = "this string is not closed";
            // One that goes on to the next line is the likelier culprit than the last quote.
            let (at, quote) = self.runaway(start).unwrap_or((at, quote));
            return self
                .error(at, at + quote.len(), message)
                .with_help(format!("end it with `{quote}`"));
        }
        let wanted = described(wanted);
        let error = self.error(start, end, format!("unexpected `{found}`, expected {wanted}"));
        if matches!(found, ";" | "}" | ")" | "]" | "in" | "then" | "else")
            && let Some((at, bracket @ ("[" | "(" | "${"))) = self.unclosed(start)
        {
            return self.with_unclosed(error, at, bracket);
        }
        match found {
            "=" => {
                error.with_help("an attribute is `name = value;` inside `{ }`; equality is `==`")
            }
            "," => error.with_help("lists are separated by blanks: `[ 1 2 ]`; sets by `;`"),
            "'" => error.with_help("a string is between `\"`, or between `''` over several lines"),
            ";" => error.with_help("something before this `;` is unfinished"),
            _ => error,
        }
    }

    fn ended(&self, wanted: &[SyntaxKind]) -> Diagnostic {
        let end = self.text.trim_end().len();
        let start = self.text[..end].char_indices().next_back().map_or(0, |(at, _)| at);
        let message = match wanted {
            [] => "the file ends too early".to_owned(),
            wanted => format!("the file ends too early, expected {}", described(wanted)),
        };
        let error = self.error(start, end, message);
        if let Some((at, word)) = self.open_let() {
            let span = Span { file: self.file, start: at as u32, end: (at + word.len()) as u32 };
            return error
                .with_related(span, "this `let` has no `in`")
                .with_help("after its definitions comes `in` and an expression");
        }
        match self.unclosed(self.text.len()) {
            Some((at, bracket)) => self.with_unclosed(error, at, bracket),
            None => error,
        }
    }

    fn with_unclosed(&self, error: Diagnostic, at: usize, bracket: &str) -> Diagnostic {
        let span = Span { file: self.file, start: at as u32, end: (at + bracket.len()) as u32 };
        error
            .with_related(span, format!("this `{bracket}` is not closed"))
            .with_help(format!("close the `{bracket}`"))
    }

    /// The last `let` without an `in`.
    fn open_let(&self) -> Option<(usize, &str)> {
        let mut open = Vec::new();
        for (kind, start, end) in self.tokens() {
            match kind {
                SyntaxKind::TOKEN_LET => open.push((start, end)),
                SyntaxKind::TOKEN_IN => drop(open.pop()),
                _ => {}
            }
        }
        open.last().map(|&(start, end)| (start, &self.text[start..end]))
    }

    fn tokens(&self) -> Vec<(SyntaxKind, usize, usize)> {
        let mut at = 0;
        let tokens = rnix::tokenize(self.text).map(|(kind, token)| {
            at += token.len();
            (kind, at - token.len(), at)
        });
        tokens.collect()
    }

    /// The token at or after a place, without blanks and comments.
    fn token_at(&self, at: usize) -> (usize, usize) {
        let mut tokens = self.tokens().into_iter();
        let found = tokens.find(|(kind, _, end)| !kind.is_trivia() && *end > at);
        found.map_or((at, at), |(_, start, end)| (start, end))
    }

    /// Where the last token before a place ends.
    fn before(&self, at: usize) -> usize {
        let tokens = self.tokens();
        let mut before = tokens.iter().rev().filter(|(kind, ..)| !kind.is_trivia());
        before.find(|(_, _, end)| *end <= at).map_or(at, |(_, _, end)| *end)
    }

    /// Where the last token before the attribute path that ends at a place ends.
    fn before_name(&self, at: usize) -> usize {
        let tokens = self.tokens();
        let before = tokens.iter().rev().filter(|(kind, _, end)| !kind.is_trivia() && *end <= at);
        let mut name = false;
        for (kind, _, end) in before {
            match (kind, name) {
                (SyntaxKind::TOKEN_IDENT, false) => name = true,
                (SyntaxKind::TOKEN_DOT, true) => name = false,
                _ => return *end,
            }
        }
        at
    }

    /// The quote of the first `"` string before a place that goes on to another line.
    fn runaway(&self, at: usize) -> Option<(usize, &str)> {
        let mut open = Vec::new();
        for (kind, start, end) in self.tokens() {
            match kind {
                _ if start >= at => break,
                SyntaxKind::TOKEN_STRING_START => open.push((start, end)),
                SyntaxKind::TOKEN_STRING_END => drop(open.pop()),
                SyntaxKind::TOKEN_STRING_CONTENT if self.text[start..end].contains('\n') => {
                    let quote = open.last().map(|&(start, end)| (start, &self.text[start..end]));
                    if let Some((at, "\"")) = quote {
                        return Some((at, "\""));
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// The innermost bracket or quote that is open at a place.
    fn unclosed(&self, at: usize) -> Option<(usize, &str)> {
        let mut open = Vec::new();
        for (kind, start, end) in self.tokens() {
            match kind {
                _ if start >= at => break,
                SyntaxKind::TOKEN_L_BRACE
                | SyntaxKind::TOKEN_L_BRACK
                | SyntaxKind::TOKEN_L_PAREN
                | SyntaxKind::TOKEN_INTERPOL_START
                | SyntaxKind::TOKEN_STRING_START => open.push((start, end)),
                SyntaxKind::TOKEN_R_BRACE
                | SyntaxKind::TOKEN_R_BRACK
                | SyntaxKind::TOKEN_R_PAREN
                | SyntaxKind::TOKEN_INTERPOL_END
                | SyntaxKind::TOKEN_STRING_END => {
                    open.pop();
                }
                _ => {}
            }
        }
        open.last().map(|&(start, end)| (start, &self.text[start..end]))
    }
}

fn described(wanted: &[SyntaxKind]) -> String {
    let mut words: Vec<&str> = wanted.iter().map(|kind| word(*kind)).collect();
    words.dedup();
    if words.len() > 3 {
        return "an expression".to_owned();
    }
    words.join(" or ")
}

fn word(kind: SyntaxKind) -> &'static str {
    match kind {
        SyntaxKind::TOKEN_SEMICOLON => "`;`",
        SyntaxKind::TOKEN_ASSIGN => "`=`",
        SyntaxKind::TOKEN_COLON => "`:`",
        SyntaxKind::TOKEN_R_BRACE | SyntaxKind::TOKEN_INTERPOL_END => "`}`",
        SyntaxKind::TOKEN_L_BRACE => "`{`",
        SyntaxKind::TOKEN_R_PAREN => "`)`",
        SyntaxKind::TOKEN_R_BRACK => "`]`",
        SyntaxKind::TOKEN_THEN => "`then`",
        SyntaxKind::TOKEN_ELSE => "`else`",
        SyntaxKind::TOKEN_IN => "`in`",
        SyntaxKind::TOKEN_ELLIPSIS => "`...`",
        SyntaxKind::TOKEN_STRING_END => "the closing quote",
        SyntaxKind::TOKEN_STRING_CONTENT => "text",
        SyntaxKind::TOKEN_INTERPOL_START => "`${`",
        SyntaxKind::TOKEN_IDENT | SyntaxKind::TOKEN_OR | SyntaxKind::TOKEN_CUR_POS => "a name",
        _ => "something else",
    }
}
