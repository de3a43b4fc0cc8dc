//! A text that is being written, made whole around the place where something is to be proposed.

use rnix::SyntaxKind;

/// What stands for the name that is not written yet.
const NAME: &str = "cairn_is_asked_here";

/// What may be missing behind a name.
const TAILS: [&str; 7] = ["", ";", " = null;", " = null; }", "; }", " = null; };", "; };"];

/// Larger texts are taken as they are: there is no time to try what fits.
const LARGE: usize = 256 << 10;

/// A text with a name at the place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mended {
    pub(crate) text: String,
    /// A byte of the name.
    pub(crate) offset: u32,
    /// The bytes of the original text that a proposal takes the place of.
    pub(crate) replaced: (u32, u32),
    pub(crate) place: Place,
}

/// What may stand at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Names that are bound, and whatever a set has.
    Name,
    /// An attribute's name: what a set has.
    Attribute,
    /// A name that is bound, as `inherit` takes it.
    Inherited,
    /// A name that a function takes from its argument.
    Argument,
    /// The inside of a string.
    Text,
}

/// The text to look at for proposals at a byte; none in a comment, a path or a number.
pub(crate) fn mend(text: &str, offset: u32) -> Option<Mended> {
    let at = (offset as usize).min(text.len());
    let (before, after) = (text.get(..at)?, text.get(at..)?);
    let (start, inside) = token_at(text, at)?;
    if inside == SyntaxKind::TOKEN_COMMENT || is_path(inside) {
        return None;
    }
    if inside == SyntaxKind::TOKEN_STRING_CONTENT {
        let length = text.get(start..)?.find(['"', '\n', '$']).unwrap_or(0).max(at - start);
        let replaced = (start as u32, (start + length) as u32);
        return Some(Mended { text: text.to_owned(), offset, replaced, place: Place::Text });
    }
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_'-".contains(c);
    let start = before.trim_end_matches(is_part).len();
    let end = at + (after.len() - after.trim_start_matches(is_part).len());
    if text.get(start..at)?.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    // `./` with nothing behind it is no path yet.
    if text.get(..start)?.ends_with("./") {
        return None;
    }
    let (before, after) = (text.get(..start)?, text.get(end..)?);
    let with = |tail: &str| [before, NAME, tail, after].concat();
    let faults = |text: &str| {
        cairn_lang::look_at_syntax(text, |parse| parse.errors().len()).unwrap_or(usize::MAX)
    };
    let mut best = (with(""), usize::MAX);
    if text.len() <= LARGE {
        for tail in TAILS {
            let tried = with(tail);
            let faults = faults(&tried);
            if faults < best.1 {
                best = (tried, faults);
            }
            if best.1 == 0 {
                break;
            }
        }
    }
    let offset = start as u32 + 1;
    let place = place(&best.0, offset);
    Some(Mended { text: best.0, offset, replaced: (start as u32, end as u32), place })
}

/// The kind of token that a place is inside of, and where it starts; that of a blank between two.
fn token_at(text: &str, at: usize) -> Option<(usize, SyntaxKind)> {
    let (mut start, mut last) = (0, SyntaxKind::TOKEN_WHITESPACE);
    for (kind, token) in rnix::tokenize(text) {
        let end = start + token.len();
        let kind = match kind {
            // A path whose last part is still to come.
            SyntaxKind::TOKEN_ERROR if token.ends_with('/') => SyntaxKind::TOKEN_PATH_REL,
            kind => kind,
        };
        // The end of a line comment is still in it.
        let inside = start < at && at < end
            || at == end && kind == SyntaxKind::TOKEN_COMMENT && !token.ends_with("*/")
            || at == end && (kind == SyntaxKind::TOKEN_STRING_CONTENT || is_path(kind))
            || at == end && kind == SyntaxKind::TOKEN_STRING_START && text[end..].starts_with('"');
        if inside {
            let kind = match kind {
                SyntaxKind::TOKEN_STRING_START => SyntaxKind::TOKEN_STRING_CONTENT,
                kind => kind,
            };
            return Some((
                if at == end && last != kind && token == "\"" { end } else { start },
                kind,
            ));
        }
        last = kind;
        start = end;
    }
    Some((at, SyntaxKind::TOKEN_WHITESPACE))
}

fn is_path(kind: SyntaxKind) -> bool {
    matches!(
        kind,
        SyntaxKind::TOKEN_PATH_ABS
            | SyntaxKind::TOKEN_PATH_REL
            | SyntaxKind::TOKEN_PATH_HOME
            | SyntaxKind::TOKEN_PATH_SEARCH
    )
}

/// What the name at a byte is, by its syntax.
fn place(text: &str, offset: u32) -> Place {
    let found = cairn_lang::look_at_syntax(text, |parse| {
        let token = parse.tree().syntax().token_at_offset(offset.into()).right_biased()?;
        let ident = token.parent()?;
        let around = ident.parent()?;
        Some(match around.kind() {
            SyntaxKind::NODE_ATTRPATH => Place::Attribute,
            SyntaxKind::NODE_INHERIT => {
                let from =
                    around.children().any(|child| child.kind() == SyntaxKind::NODE_INHERIT_FROM);
                if from { Place::Attribute } else { Place::Inherited }
            }
            SyntaxKind::NODE_PAT_ENTRY if around.first_child().as_ref() == Some(&ident) => {
                Place::Argument
            }
            _ => Place::Name,
        })
    });
    found.flatten().unwrap_or(Place::Name)
}

use rowan::ast::AstNode as _;

#[cfg(test)]
mod tests {
    use super::*;

    fn mended(text: &str) -> Option<(String, Place, String)> {
        let at = text.find('|').expect("a mark");
        let text = text.replacen('|', "", 1);
        let mended = mend(&text, at as u32)?;
        let (start, end) = mended.replaced;
        let replaced = text[start as usize..end as usize].to_owned();
        Some((mended.text.replace(NAME, "_"), mended.place, replaced))
    }

    #[test]
    fn what_is_missing_is_put_there() {
        let cases = [
            ("{ services.k3s.| }", "{ services.k3s._ = null; }", Place::Attribute, ""),
            ("{ networking.fire| }", "{ networking._ = null; }", Place::Attribute, "fire"),
            (
                "{ networking = { fire| }; }",
                "{ networking = { _ = null; }; }",
                Place::Attribute,
                "fire",
            ),
            ("{ a = config.x.|\n  b = 1; }", "{ a = config.x._;\n  b = 1; }", Place::Attribute, ""),
            ("{ a = |; }", "{ a = _; }", Place::Name, ""),
            ("[ pkgs.|h ]", "[ pkgs._ ]", Place::Attribute, "h"),
            ("{ config, l|, ... }: { }", "{ config, _, ... }: { }", Place::Argument, "l"),
            ("let inherit (lib) m|; in 1", "let inherit (lib) _; in 1", Place::Attribute, "m"),
            ("let inherit m|; in 1", "let inherit _; in 1", Place::Inherited, "m"),
            ("with lib; mk|", "with lib; _", Place::Name, "mk"),
            ("\"${a|}\"", "\"${_}\"", Place::Name, "a"),
            ("{ a.b.|", "{ a.b._ = null; }", Place::Attribute, ""),
        ];
        for (text, expected, place, replaced) in cases {
            let found = mended(text).expect("something to look at");
            assert_eq!(found, (expected.to_owned(), place, replaced.to_owned()), "{text}");
        }
    }

    #[test]
    fn strings_are_looked_at_as_they_are() {
        assert_eq!(
            mended("{ role = \"se|rver\"; }"),
            Some(("{ role = \"server\"; }".to_owned(), Place::Text, "server".to_owned()))
        );
        let (_, place, replaced) = mended("{ role = \"|\"; }").expect("a string");
        assert_eq!((place, &*replaced), (Place::Text, ""));
        assert_eq!(mended("# a co|mment\n1"), None);
        assert_eq!(mended("# a comment|\n1"), None);
        assert_eq!(mended("1|2"), None);
        for path in ["[ ./mo|dule.nix ]", "[ ./mo| ]", "./|", "[ ../| ]", "[ a/b| ]"] {
            assert_eq!(mended(path), None, "{path}");
        }
    }
}
