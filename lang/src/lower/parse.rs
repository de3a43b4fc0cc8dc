//! Parsing, and syntax errors in words.

use std::borrow::Cow;

use rnix::{Parse, ParseError, Root, SyntaxKind};
use rustc_hash::FxHashSet;

use super::measure::measure;
use super::strange::without_strange;
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span};

mod words;

use words::{Edit, Words};

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

/// Parses a text that is being written: what is broken in it is missing from the tree.
pub(super) fn parse_roughly(text: &str) -> Parsed {
    let old_lets = old_lets(text);
    Parsed { root: Root::parse(&with_rec(text, &old_lets)).tree(), old_lets }
}

/// More syntax errors of one file than this tell nobody more.
pub(super) const ERROR_LIMIT: usize = 20;

/// Parses a file.
///
/// # Errors
/// Every syntax error that is not an echo of one before it.
pub(super) fn parse(file: FileId, text: &str) -> Result<Parsed, Vec<Diagnostic>> {
    let (text, mut found) = without_strange(file, text);
    let old_lets = old_lets(&text);
    let read = with_rec(&text, &old_lets);
    let parsed = Root::parse(&read);
    match found.is_empty() {
        true if text.trim().is_empty() => return Err(vec![empty(file)]),
        true if parsed.errors().is_empty() => {
            return Ok(Parsed { root: parsed.tree(), old_lets });
        }
        _ => found.extend(errors(file, &read, parsed)),
    }
    found.sort_by_key(|error| error.span);
    Err(found)
}

/// The syntax errors of a text: the first, and then those that are left when it is mended, for as
/// long as it is clear how to mend it. What the parser says beyond the first is mostly its echo.
fn errors(file: FileId, text: &str, mut parsed: Parse<Root>) -> Vec<Diagnostic> {
    let mut mended = text.to_owned();
    let mut edits: Vec<Edit> = Vec::new();
    let mut found: Vec<Diagnostic> = Vec::new();
    while found.len() < ERROR_LIMIT {
        let first = |error: &&ParseError| words::start(error).unwrap_or(mended.len());
        let Some(error) = parsed.errors().iter().min_by_key(first) else { break };
        let (mut diagnostic, edit) =
            Words { file, text: &mended, parsed: &parsed }.diagnostic(error);
        let place = |span: &mut Span| {
            let back = |at: u32| edits.iter().rev().fold(at, |at, edit| edit.before(at));
            (span.start, span.end) = (back(span.start), back(span.end));
        };
        place(&mut diagnostic.span);
        diagnostic.related.iter_mut().for_each(|(span, _)| place(span));
        // An error at or before the last one was made by mending that.
        if found.last().is_some_and(|last| diagnostic.span.start <= last.span.start) {
            break;
        }
        found.push(diagnostic);
        let Some(edit) = edit else { break };
        if too_deep(&parsed) {
            break;
        }
        edit.apply(&mut mended);
        edits.push(edit);
        parsed = Root::parse(&mended);
    }
    found
}

/// Whether the parser gave up. What it says then is no place to mend, and reading the text again
/// would take as long.
fn too_deep(parsed: &Parse<Root>) -> bool {
    parsed.errors().iter().any(|error| matches!(error, ParseError::RecursionLimitExceeded))
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
