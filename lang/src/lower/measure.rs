//! How deep and how long a text's expressions are, from its tokens alone: before it is parsed, as
//! the parser recurses without a limit of its own, and takes time with the square of some lengths.

use rnix::SyntaxKind;

use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span};

/// Brackets and unary operators nest no deeper than this.
const NESTING_LIMIT: usize = 2000;
/// Operators that group to the right, one within the other.
const CHAIN_LIMIT: usize = NESTING_LIMIT * 10;
/// An expression has no more operands and arguments in a row.
const PARTS_LIMIT: usize = 4000;
/// A name, a number or an attribute path without blanks is no longer than this.
const WORD_LIMIT: usize = 4096;

/// What a parse needs.
pub(super) struct Measure {
    /// How deep the parser recurses.
    pub(super) levels: usize,
    pub(super) tokens: usize,
}

/// What is between two brackets.
#[derive(Default)]
struct Level {
    is_list: bool,
    parts: usize,
    chained: usize,
}

/// Measures a text.
///
/// # Errors
/// `syntax::too-deep` or `syntax::too-long` at the place that is beyond a limit.
pub(super) fn measure(file: FileId, text: &str) -> Result<Measure, Vec<Diagnostic>> {
    let error = |code: &str, at: usize, message: String| {
        let span = Span { file, start: at as u32, end: at as u32 + 1 };
        vec![Diagnostic::error(code, span, message)]
    };
    let mut words = long_words(text).into_iter().peekable();
    let mut levels = vec![Level::default()];
    let (mut unary, mut chained, mut deepest) = (0, 0, 0);
    let (mut tokens, mut at) = (0, 0);
    for (kind, token) in rnix::tokenize(text) {
        while words.next_if(|(_, end)| *end <= at).is_some() {}
        let quoted = kind.is_trivia() || kind == SyntaxKind::TOKEN_STRING_CONTENT;
        if !quoted && words.peek().is_some_and(|(start, _)| *start <= at) {
            let message = format!("a name or attribute path has more than {WORD_LIMIT} characters");
            return Err(error("syntax::too-long", at, message));
        }
        match kind {
            SyntaxKind::TOKEN_SUB | SyntaxKind::TOKEN_INVERT => unary += 1,
            kind if kind.is_trivia() => {}
            _ => unary = 0,
        }
        let level = levels.last_mut();
        if let Some(level) = level {
            level.parts += usize::from(starts_part(kind) && !level.is_list);
            if groups_right(kind) {
                level.chained += 1;
                chained += 1;
            }
            if separates(kind) {
                chained -= level.chained;
                (level.parts, level.chained) = (0, 0);
            }
            if level.parts > PARTS_LIMIT {
                let message = format!("an expression has more than {PARTS_LIMIT} parts here");
                return Err(error("syntax::too-long", at, message));
            }
        }
        match kind {
            SyntaxKind::TOKEN_L_BRACE
            | SyntaxKind::TOKEN_L_BRACK
            | SyntaxKind::TOKEN_L_PAREN
            | SyntaxKind::TOKEN_INTERPOL_START => {
                let is_list = kind == SyntaxKind::TOKEN_L_BRACK;
                levels.push(Level { is_list, ..Level::default() });
            }
            SyntaxKind::TOKEN_R_BRACE
            | SyntaxKind::TOKEN_R_BRACK
            | SyntaxKind::TOKEN_R_PAREN
            | SyntaxKind::TOKEN_INTERPOL_END
                if levels.len() > 1 =>
            {
                chained -= levels.pop().map_or(0, |level| level.chained);
            }
            _ => {}
        }
        if levels.len() + unary > NESTING_LIMIT || chained > CHAIN_LIMIT {
            let message = format!("expressions nest more than {NESTING_LIMIT} deep here");
            return Err(error("syntax::too-deep", at, message));
        }
        deepest = deepest.max(levels.len() + unary + chained);
        tokens += 1;
        at += token.len();
    }
    Ok(Measure { levels: deepest, tokens })
}

/// Where there are long runs of what names, numbers and attribute paths are made of.
fn long_words(text: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut start = 0;
    for (at, byte) in text.bytes().chain([b' ']).enumerate() {
        if byte.is_ascii_alphanumeric() || b"._-+'".contains(&byte) {
            continue;
        }
        if at - start > WORD_LIMIT {
            found.push((start, at));
        }
        start = at + 1;
    }
    found
}

fn starts_part(kind: SyntaxKind) -> bool {
    kind.is_literal()
        || matches!(
            kind,
            SyntaxKind::TOKEN_IDENT
                | SyntaxKind::TOKEN_STRING_START
                | SyntaxKind::TOKEN_L_PAREN
                | SyntaxKind::TOKEN_L_BRACE
                | SyntaxKind::TOKEN_L_BRACK
                | SyntaxKind::TOKEN_PATH_ABS
                | SyntaxKind::TOKEN_PATH_REL
                | SyntaxKind::TOKEN_PATH_HOME
                | SyntaxKind::TOKEN_PATH_SEARCH
        )
}

/// Operators for each of which the parser recurses once.
fn groups_right(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        SyntaxKind::TOKEN_CONCAT
            | SyntaxKind::TOKEN_UPDATE
            | SyntaxKind::TOKEN_IMPLICATION
            | SyntaxKind::TOKEN_PIPE_LEFT
            | SyntaxKind::TOKEN_OR
    )
}

/// What ends an expression within its brackets.
fn separates(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        SyntaxKind::TOKEN_SEMICOLON
            | SyntaxKind::TOKEN_COMMA
            | SyntaxKind::TOKEN_ASSIGN
            | SyntaxKind::TOKEN_COLON
            | SyntaxKind::TOKEN_IN
            | SyntaxKind::TOKEN_THEN
            | SyntaxKind::TOKEN_ELSE
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Option<String> {
        measure(FileId(0), text).err().map(|errors| errors[0].code.clone())
    }

    #[test]
    fn long_expressions_are_refused_and_long_files_are_not() {
        assert_eq!(code(&format!("f{}", " 1".repeat(5000))).as_deref(), Some("syntax::too-long"));
        assert_eq!(code(&format!("a{}", ".a".repeat(5000))).as_deref(), Some("syntax::too-long"));
        assert_eq!(code(&format!("[{}]", " 1".repeat(50_000))), None);
        assert_eq!(code(&format!("{{ {} }}", "a = b ++ c; ".repeat(50_000))), None);
        assert_eq!(code(&format!("\"{}\"", "a".repeat(50_000))), None);
        assert_eq!(code(&format!("# {}\n1", "a".repeat(50_000))), None);
        assert_eq!(code(&format!("\"{}\"", "${a}".repeat(50_000))), None);
    }
}
