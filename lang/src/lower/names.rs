//! An attribute path by itself, as commands take them: `users.users."a b".uid`.

use std::ops::Range;

use rnix::{Root, ast};
use rowan::ast::AstNode;

use super::{parse, static_name};
use crate::source::Span;

/// What stands before the path, as a path alone is no expression.
const BEFORE: &str = "_.";

/// Why a text is no attribute path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoPath {
    /// The part of the text that is wrong.
    pub at: Range<usize>,
    /// What is wrong with it, in words.
    pub why: String,
}

/// The names of an attribute path, read as in a file: names, and strings with their escapes.
///
/// # Errors
/// Where the text is anything else, goes on after the path, or a name would have to be computed.
pub fn attribute_path(path: &str) -> Result<Vec<String>, NoPath> {
    let text = format!("{BEFORE}{path}");
    let read = parse::with_stack_for(Span::NONE.file, &text, || Ok(names(&text)));
    let read = read.unwrap_or_else(|_| Err(wrong(&text, BEFORE.len()..text.len(), "is too long")));
    read.map_err(|NoPath { at, why }| NoPath {
        at: at.start - BEFORE.len()..at.end - BEFORE.len(),
        why,
    })
}

fn names(text: &str) -> Result<Vec<String>, NoPath> {
    let parsed = Root::parse(text);
    let path = parsed.tree().syntax().descendants().find_map(ast::Attrpath::cast);
    let mut names = Vec::new();
    let mut last = BEFORE.len()..BEFORE.len();
    for attr in path.iter().flat_map(ast::Attrpath::attrs) {
        let range = attr.syntax().text_range();
        let (before, start) = (last.end, range.start().into());
        last = start..range.end().into();
        // The parser goes on after what is no name.
        if text[before..start].trim() != if names.is_empty() { "" } else { "." } {
            return Err(wrong(text, before..last.end, "is no name"));
        }
        let indented = matches!(&attr, ast::Attr::Str(_)) && text[last.clone()].starts_with("''");
        let name = static_name(&attr).filter(|_| !indented);
        let Some(name) = name else { return Err(wrong(text, last, "is no plain name")) };
        names.push(name.to_string());
    }
    let rest = text[last.end..].trim();
    if !rest.is_empty() {
        let start = text.trim_end().len() - rest.len();
        return Err(wrong(text, start..start + rest.len(), "is left over"));
    }
    if names.is_empty() {
        return Err(wrong(text, last, "is no name"));
    }
    match parsed.errors() {
        [] => Ok(names),
        _ => Err(wrong(text, last, "is not closed")),
    }
}

fn wrong(text: &str, at: Range<usize>, why: &str) -> NoPath {
    let why = match &text[at.clone()] {
        "" => "it is empty".to_owned(),
        part => format!("`{part}` {why}"),
    };
    NoPath { at, why }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(path: &str) -> String {
        match attribute_path(path) {
            Ok(names) => names.join(" / "),
            Err(NoPath { at, why }) => format!("{at:?}: {why}"),
        }
    }

    #[test]
    fn paths_are_read_as_in_files() {
        assert_eq!(read("networking.hostName"), "networking / hostName");
        assert_eq!(read(r#" a."b.c" . d "#), "a / b.c / d");
        assert_eq!(read(r#"a."quo\"te"."dol\${x}"."$""#), "a / quo\"te / dol${x} / $");
        assert_eq!(read(r#"a.${"b"}"#), "a / b");
        assert_eq!(read("a.or.b-1.c'"), "a / or / b-1 / c'");
    }

    #[test]
    fn what_is_no_path_is_said_with_its_place() {
        assert_eq!(read("my.subs[0].x"), "7..12: `[0].x` is left over");
        assert_eq!(read("my.a b"), "5..6: `b` is left over");
        assert_eq!(read("${x}"), "0..4: `${x}` is no plain name");
        assert_eq!(read(r#"a."b${x}""#), "2..9: `\"b${x}\"` is no plain name");
        assert_eq!(read(r#"a."b"#), "2..4: `\"b` is not closed");
        assert_eq!(read("a.''b''"), "2..7: `''b''` is no plain name");
        assert_eq!(read("a..b"), "1..4: `..b` is no name");
        assert_eq!(read(".a"), "0..2: `.a` is no name");
        assert_eq!(read("a."), "1..2: `.` is left over");
        assert_eq!(read("a.<name>.b"), "1..10: `.<name>.b` is no name");
        assert_eq!(read("a or b"), "2..6: `or b` is left over");
        assert_eq!(read(""), "0..0: it is empty");
    }
}
