//! Escapes in URLs.

/// A text with `%41` for `A` as it is meant; none where that is not UTF-8. What is no escape stays.
pub(crate) fn decoded(text: &str) -> Option<String> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let escape = match (first, after) {
            (b'%', [high, low, ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                digit(high).zip(digit(low)).and_then(|(h, l)| u8::try_from(h * 16 + l).ok())
            }
            _ => None,
        };
        out.push(escape.unwrap_or(*first));
        rest = if escape.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        let text = |escaped| decoded(escaped).unwrap_or_default();
        assert_eq!(text("/a%2Bb%20c"), "/a+b c");
        assert_eq!(text("/a%2"), "/a%2");
        assert_eq!(text("/100%zz%+4"), "/100%zz%+4");
        assert_eq!(decoded("%ff"), None);
    }
}
