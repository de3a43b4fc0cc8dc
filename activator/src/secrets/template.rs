//! Texts with secrets in them.

use std::collections::BTreeMap;

use cairn_sops::SecretBytes;
use zeroize::Zeroizing;

/// Puts `values` in the places of their placeholders, in one pass: what was put in is not looked at
/// again, so a value that happens to read like a placeholder stays as it is.
pub(crate) fn fill(text: &[u8], values: &BTreeMap<&str, &[u8]>) -> SecretBytes {
    // As large as it may become: a buffer that grows leaves copies behind.
    let mut size = text.len();
    each(text, values, |piece| {
        if let Piece::Value(value) = piece {
            size += value.len();
        }
    });
    let mut filled = Vec::with_capacity(size);
    each(text, values, |piece| match piece {
        Piece::Text(part) | Piece::Value(part) => filled.extend_from_slice(part),
    });
    SecretBytes::new(filled)
}

/// A value as the inside of a JSON string; none where it is no UTF-8.
pub(crate) fn json(value: &SecretBytes) -> Option<SecretBytes> {
    let text = value.expose_str()?;
    // A control character takes six bytes, and nothing takes more.
    let mut quoted = Zeroizing::new(Vec::with_capacity(text.len() * 6 + 2));
    serde_json::to_writer(&mut *quoted, text).ok()?;
    let inside = quoted.get(1..quoted.len() - 1)?;
    Some(SecretBytes::new(inside.to_vec()))
}

enum Piece<'a> {
    Text(&'a [u8]),
    Value(&'a [u8]),
}

fn each<'a>(text: &'a [u8], values: &BTreeMap<&str, &'a [u8]>, mut take: impl FnMut(Piece<'a>)) {
    let mut rest = text;
    while !rest.is_empty() {
        let next =
            rest.iter().enumerate().filter(|(_, byte)| **byte == b'<').find_map(|(at, _)| {
                let here = rest.get(at..)?;
                let (placeholder, value) =
                    values.iter().find(|(name, _)| here.starts_with(name.as_bytes()))?;
                Some((at, placeholder.len(), *value))
            });
        let Some((at, length, value)) = next else {
            take(Piece::Text(rest));
            return;
        };
        take(Piece::Text(rest.get(..at).unwrap_or_default()));
        take(Piece::Value(value));
        rest = rest.get(at + length..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str, values: &[(&str, &str)]) -> String {
        let values = values.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
        fill(text.as_bytes(), &values).expose_str().unwrap().to_owned()
    }

    #[test]
    fn one_pass() {
        let values = [("<A>", "x<B>"), ("<B>", "<A>y")];
        assert_eq!(filled("1<A>2<B>3", &values), "1x<B>2<A>y3");
        assert_eq!(filled("<A><A>", &values), "x<B>x<B>");
        assert_eq!(filled("<<A>", &values), "<x<B>");
        assert_eq!(filled("none <C>\n", &values), "none <C>\n");
        assert_eq!(filled("", &values), "");
    }

    #[test]
    fn a_value_in_a_json_string() {
        let json = |value: &[u8]| super::json(&SecretBytes::new(value.to_vec()));
        let inside = |value: &str| json(value.as_bytes()).unwrap().expose_str().unwrap().to_owned();
        assert_eq!(inside("plain"), "plain");
        assert_eq!(inside("a\"b\\c\nd"), r#"a\"b\\c\nd"#);
        assert_eq!(inside("\u{1}"), "\\u0001");
        assert_eq!(json(&[0xff]), None);
    }

    #[test]
    fn what_stands_around_stays() {
        // A last line break of the text is the text's, one of the value the value's.
        assert_eq!(filled("<A>\n", &[("<A>", "v")]), "v\n");
        assert_eq!(filled("<A>", &[("<A>", "v\n")]), "v\n");
    }
}
