//! Debian's control files: paragraphs of fields (deb822(5)).

/// The paragraphs of a text, each as it stands.
pub(crate) fn paragraphs(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n\n").map(|one| one.trim_matches('\n')).filter(|one| !one.is_empty())
}

/// The fields of a paragraph: name, and value with the lines that continue it.
pub(crate) fn fields(paragraph: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = paragraph;
    std::iter::from_fn(move || {
        loop {
            if rest.is_empty() {
                return None;
            }
            let mut end = rest.find('\n').unwrap_or(rest.len());
            // A line that begins with a blank belongs to the field before it.
            while matches!(rest.as_bytes().get(end + 1), Some(b' ' | b'\t')) {
                let after = rest.get(end + 1..).unwrap_or_default();
                end = after.find('\n').map_or(rest.len(), |more| end + 1 + more);
            }
            let field = rest.get(..end).unwrap_or_default();
            rest = rest.get(end + 1..).unwrap_or_default();
            if let Some((name, value)) = field.split_once(':') {
                return Some((name, value.trim()));
            }
        }
    })
}

/// The value of one field.
pub(crate) fn field<'t>(paragraph: &'t str, name: &str) -> Option<&'t str> {
    fields(paragraph).find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_what_continues_them() {
        let text =
            "Package: a\nDescription: one\n two\n .\n three\nno field\nSize: 3\n\n\nPackage: b\n";
        let all: Vec<_> = paragraphs(text).collect();
        assert_eq!(all.len(), 2);
        assert_eq!(field(all[0], "description"), Some("one\n two\n .\n three"));
        assert_eq!(field(all[0], "Size"), Some("3"));
        assert_eq!(field(all[1], "Size"), None);
        assert_eq!(fields("").count(), 0);
    }
}
