//! Characters that nobody sees and that mean nothing: text copied from a web page has them.

use std::borrow::Cow;
use std::ops::Range;

use rnix::SyntaxKind;

use super::parse::ERROR_LIMIT;
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Span};

/// The text with blanks in the place of such characters, so that the rest of it can be read, and
/// what is wrong with them. Comments and strings may have any.
pub(super) fn without_strange(file: FileId, text: &str) -> (Cow<'_, str>, Vec<Diagnostic>) {
    if text.bytes().all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~')) {
        return (Cow::Borrowed(text), Vec::new());
    }
    let found = runs(text);
    let mut plain = text.to_owned();
    for run in &found {
        plain.replace_range(run.clone(), &" ".repeat(run.len()));
    }
    let each = found.into_iter().take(ERROR_LIMIT);
    (Cow::Owned(plain), each.map(|run| said(file, text, run)).collect())
}

/// Where there are such characters, neighbours of one kind together.
fn runs(text: &str) -> Vec<Range<usize>> {
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    for (kind, token) in rnix::tokenize(text) {
        // The parser takes more for a blank than Nix does; a string without an end is an error too.
        let is_blank = kind == SyntaxKind::TOKEN_WHITESPACE;
        let is_error = kind == SyntaxKind::TOKEN_ERROR && token.chars().count() == 1;
        let strange = |(_, c): &(usize, char)| (is_blank || is_error) && is_strange(*c);
        for (offset, c) in token.char_indices().filter(strange) {
            let start = at + offset;
            match found.last_mut() {
                Some(last) if last.end == start && text[last.start..].starts_with(c) => {
                    last.end += c.len_utf8();
                }
                _ => found.push(start..start + c.len_utf8()),
            }
        }
        at += token.len();
    }
    found
}

fn is_strange(c: char) -> bool {
    let plain = matches!(c, ' ' | '\t' | '\r' | '\n');
    let unseen = matches!(
        c,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
    );
    !plain && (unseen || c.is_whitespace() || c.is_control())
}

fn said(file: FileId, text: &str, run: Range<usize>) -> Diagnostic {
    let c = text[run.clone()].chars().next().unwrap_or_default();
    let (what, help) = match c {
        '\u{feff}' => ("a byte order mark", "save the file without it, as plain UTF-8"),
        '\u{a0}' => {
            ("a no-break space", "write a plain space: pages that one copies from have others")
        }
        c if c.is_whitespace() => ("a blank of another kind", "write a plain space"),
        c if c.is_control() => ("a control character", "take it out"),
        _ => ("a character that is not seen", "take it out"),
    };
    let message = format!("unexpected U+{:04X}, {what}", u32::from(c));
    let span = Span { file, start: run.start as u32, end: run.end as u32 };
    Diagnostic::error("syntax::error", span, message).with_help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_stay() {
        let (plain, found) =
            without_strange(FileId(0), "{\u{a0}\u{a0}a\u{feff}= \"\u{a0}\"; } # \u{a0}");
        assert_eq!(plain, "{    a   = \"\u{a0}\"; } # \u{a0}");
        let places = found.iter().map(|error| (error.span.start, error.span.end));
        assert_eq!(places.collect::<Vec<_>>(), [(1, 5), (6, 9)]);
        // The rest of a string that does not end is no code.
        let (_, found) = without_strange(FileId(0), "\"a\u{a0}b");
        assert_eq!(found.len(), 0);
    }
}
