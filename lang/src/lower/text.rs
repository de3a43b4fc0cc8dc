//! Strings: escapes, and the indentation that `''` strings lose. The rules are Nix's, to the
//! letter, so the text between interpolations is split into the tokens that Nix's lexer makes.

use rnix::ast;
use rnix::{NodeOrToken, SyntaxKind};
use rowan::ast::AstNode;

/// A piece of a string.
pub(super) enum Piece {
    /// Text, escapes resolved.
    Text(String),
    /// `${e}`
    Interpolation(ast::Interpol),
}

/// The text of a string without interpolation.
pub(super) fn plain(string: &ast::Str) -> Option<String> {
    let mut text = String::new();
    for piece in pieces(string) {
        match piece {
            Piece::Text(more) => text.push_str(&more),
            Piece::Interpolation(_) => return None,
        }
    }
    Some(text)
}

/// The pieces of a string; neighbouring texts are joined, empty ones left out.
pub(super) fn pieces(string: &ast::Str) -> Vec<Piece> {
    let mut indented = false;
    let mut raw: Vec<Raw> = Vec::new();
    for child in string.syntax().children_with_tokens() {
        match child {
            NodeOrToken::Token(token) => match token.kind() {
                SyntaxKind::TOKEN_STRING_START => indented = token.text() == "''",
                SyntaxKind::TOKEN_STRING_CONTENT if indented => {
                    let first = raw.is_empty();
                    split_indented(token.text(), first, &mut raw);
                }
                SyntaxKind::TOKEN_STRING_CONTENT => {
                    raw.push(Raw::Escape(unescape(token.text())));
                }
                _ => {}
            },
            NodeOrToken::Node(node) => raw.extend(ast::Interpol::cast(node).map(Raw::Node)),
        }
    }
    if indented {
        strip_indentation(&mut raw);
    }
    let mut pieces: Vec<Piece> = Vec::new();
    for piece in raw {
        match (piece, pieces.last_mut()) {
            (Raw::Node(node), _) => pieces.push(Piece::Interpolation(node)),
            (Raw::Indented(text) | Raw::Escape(text), _) if text.is_empty() => {}
            (Raw::Indented(text) | Raw::Escape(text), Some(Piece::Text(last))) => {
                last.push_str(&text);
            }
            (Raw::Indented(text) | Raw::Escape(text), _) => pieces.push(Piece::Text(text)),
        }
    }
    pieces
}

/// A token of Nix's lexer.
enum Raw {
    /// Text whose leading blanks may be indentation.
    Indented(String),
    /// What an escape stands for: it ends the blanks at the start of a line.
    Escape(String),
    Node(ast::Interpol),
}

fn escaped(c: char) -> char {
    match c {
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        c => c,
    }
}

/// Resolves `\` escapes; a line ends in `\n`, however the file writes it.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => out.extend(chars.next().map(escaped)),
            '\r' => {
                out.push('\n');
                chars.next_if_eq(&'\n');
            }
            c => out.push(c),
        }
    }
    out
}

/// Splits the text of a `''` string as Nix's lexer does.
fn split_indented(text: &str, first: bool, raw: &mut Vec<Raw>) {
    let mut rest = text;
    if first {
        // The opening quotes swallow the rest of their line where it is blank.
        let blank = rest.trim_start_matches(' ');
        rest = blank.strip_prefix('\n').unwrap_or(rest);
        if rest.is_empty() {
            raw.push(Raw::Indented(String::new()));
        }
    }
    while !rest.is_empty() {
        let plain = plain_len(rest);
        if plain > 0 {
            let (text, after) = rest.split_at(plain);
            raw.push(Raw::Indented(text.to_owned()));
            rest = after;
        } else if let Some(after) = rest.strip_prefix("''$") {
            raw.push(Raw::Escape("$".to_owned()));
            rest = after;
        } else if let Some(after) = rest.strip_prefix("'''") {
            raw.push(Raw::Escape("''".to_owned()));
            rest = after;
        } else if let Some(after) = rest.strip_prefix("''\\") {
            let mut chars = after.chars();
            let mut text = String::new();
            match chars.next() {
                Some('\r') => text.push('\n'),
                Some(c) => text.push(escaped(c)),
                None => {}
            }
            raw.push(Raw::Escape(text));
            rest = chars.as_str();
        } else {
            let len = rest.chars().next().map_or(rest.len(), char::len_utf8);
            let (text, after) = rest.split_at(len);
            raw.push(Raw::Escape(text.to_owned()));
            rest = after;
        }
    }
}

/// How much of the text one token `([^$']|$[^{']|'[^'$])+` takes.
fn plain_len(text: &str) -> usize {
    let mut len = 0;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let pair = match (c, chars.peek()) {
            ('$', Some('{' | '\'') | None) | ('\'', Some('\'' | '$') | None) => return len,
            ('$' | '\'', Some(next)) => next.len_utf8(),
            _ => 0,
        };
        if pair > 0 {
            chars.next();
        }
        len += c.len_utf8() + pair;
    }
    len
}

fn strip_indentation(raw: &mut [Raw]) {
    let indent = common_indentation(raw);
    let mut line_start = true;
    let mut dropped = 0;
    let count = raw.len();
    for (index, piece) in raw.iter_mut().enumerate() {
        let (Raw::Indented(text) | Raw::Escape(text)) = piece else {
            (line_start, dropped) = (false, 0);
            continue;
        };
        let mut kept = String::with_capacity(text.len());
        for c in text.chars() {
            if !line_start {
                kept.push(c);
                line_start = c == '\n';
            } else if c == ' ' {
                if dropped >= indent {
                    kept.push(c);
                }
                dropped += 1;
            } else {
                kept.push(c);
                (line_start, dropped) = (c == '\n', 0);
            }
        }
        // The line of the closing quotes is no line of the text.
        if index + 1 == count
            && let Some(newline) = kept.rfind('\n')
            && kept[newline + 1..].bytes().all(|b| b == b' ')
        {
            kept.truncate(newline + 1);
        }
        *text = kept;
    }
}

/// The least indentation of the lines that are not blank.
fn common_indentation(raw: &[Raw]) -> usize {
    let mut least = usize::MAX;
    let mut current = 0;
    let mut line_start = true;
    for piece in raw {
        let Raw::Indented(text) = piece else {
            if line_start {
                (line_start, least) = (false, least.min(current));
            }
            continue;
        };
        for c in text.chars() {
            match c {
                '\n' => (line_start, current) = (true, 0),
                ' ' if line_start => current += 1,
                _ if line_start => (line_start, least) = (false, least.min(current)),
                _ => {}
            }
        }
    }
    least
}
