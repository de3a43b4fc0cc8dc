//! Texts with secrets in them.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

/// Puts `values` in the places of their placeholders, in one pass: what was put in is not looked at
/// again, so a value that happens to read like a placeholder stays as it is.
pub(crate) fn fill(text: &[u8], values: &BTreeMap<&str, &[u8]>) -> Zeroizing<Vec<u8>> {
    // As large as it may become: a buffer that grows leaves copies behind.
    let mut size = text.len();
    each(text, values, |piece| {
        if let Piece::Value(value) = piece {
            size += value.len();
        }
    });
    let mut filled = Zeroizing::new(Vec::with_capacity(size));
    each(text, values, |piece| match piece {
        Piece::Text(part) | Piece::Value(part) => filled.extend_from_slice(part),
    });
    filled
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
        String::from_utf8(fill(text.as_bytes(), &values).to_vec()).unwrap()
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
    fn what_stands_around_stays() {
        // A last line break of the text is the text's, one of the value the value's.
        assert_eq!(filled("<A>\n", &[("<A>", "v")]), "v\n");
        assert_eq!(filled("<A>", &[("<A>", "v\n")]), "v\n");
    }
}
