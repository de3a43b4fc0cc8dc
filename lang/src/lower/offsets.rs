//! Where each byte of a string's value is written, escapes and indentation considered: how an error
//! inside of a value points at the very characters.

/// For each byte of `value`, and its end, where it stands in `written`: a string's literal, quotes
/// included. `None` where the literal has interpolations, or is another string's.
pub(crate) fn offsets(written: &str, value: &str) -> Option<Vec<usize>> {
    let walked = if let Some(inside) = quoted(written, "''") {
        Walk::new(inside, 2, value).indented()
    } else {
        Walk::new(quoted(written, "\"")?, 1, value).plain()
    };
    walked.filter(|offsets| offsets.len() == value.len() + 1)
}

fn quoted<'t>(written: &'t str, quotes: &str) -> Option<&'t str> {
    written.strip_prefix(quotes)?.strip_suffix(quotes)
}

struct Walk<'t> {
    rest: &'t str,
    /// Where `rest` starts in the literal.
    at: usize,
    /// What of the value is still to come.
    value: &'t str,
    out: Vec<usize>,
}

impl<'t> Walk<'t> {
    fn new(inside: &'t str, at: usize, value: &'t str) -> Walk<'t> {
        Walk { rest: inside, at, value, out: Vec::with_capacity(value.len() + 1) }
    }

    fn skip(&mut self, len: usize) {
        self.at += len;
        self.rest = self.rest.get(len..).unwrap_or_default();
    }

    /// `len` bytes that stand for this text, which must be what comes next in the value.
    fn take(&mut self, len: usize, text: &str) -> Option<()> {
        self.value = self.value.strip_prefix(text)?;
        self.out.extend(std::iter::repeat_n(self.at, text.len()));
        self.skip(len);
        Some(())
    }

    /// A character that stands for itself, or a `\n` that is written `\r\n`.
    fn character(&mut self) -> Option<()> {
        if self.rest.starts_with("\r\n") && self.value.starts_with('\n') {
            return self.take(2, "\n");
        }
        let c = self.rest.chars().next()?;
        // A character's bytes are told apart, so that a place inside of the value is one here.
        let len = c.len_utf8();
        self.value = self.value.strip_prefix(c)?;
        self.out.extend(self.at..self.at + len);
        self.skip(len);
        Some(())
    }

    /// A character after a backslash that is `lead` bytes long.
    fn escape(&mut self, lead: usize) -> Option<()> {
        let c = self.rest.get(lead..)?.chars().next()?;
        let meant = match c {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            c => c,
        };
        self.take(lead + c.len_utf8(), meant.encode_utf8(&mut [0; 4]))
    }

    fn finish(mut self) -> Option<Vec<usize>> {
        self.out.push(self.at);
        self.value.is_empty().then_some(self.out)
    }

    fn plain(mut self) -> Option<Vec<usize>> {
        while !self.rest.is_empty() {
            match self.rest {
                rest if rest.starts_with('\\') => self.escape(1)?,
                rest if rest.starts_with("$$") => (self.character()?, self.character()?).1,
                rest if rest.starts_with("${") => return None,
                _ => self.character()?,
            }
        }
        self.finish()
    }

    fn indented(mut self) -> Option<Vec<usize>> {
        let blank = self.rest.len() - self.rest.trim_start_matches(' ').len();
        if self.rest.get(blank..)?.starts_with('\n') {
            self.skip(blank + 1);
        }
        let mut line_start = true;
        while !self.rest.is_empty() {
            if line_start {
                // The value says how much of the line's blanks are indentation.
                let blanks = |text: &str| text.len() - text.trim_start_matches(' ').len();
                self.skip(blanks(self.rest).checked_sub(blanks(self.value))?);
            }
            line_start = self.rest.starts_with('\n');
            match self.rest {
                "" => {}
                rest if rest.starts_with("''$") => self.take(3, "$")?,
                rest if rest.starts_with("'''") => self.take(3, "''")?,
                rest if rest.starts_with("''\\") => self.escape(3)?,
                rest if rest.starts_with("$$") => (self.character()?, self.character()?).1,
                rest if rest.starts_with("${") => return None,
                _ => self.character()?,
            }
        }
        self.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::offsets;

    /// What is written where the value has `part`.
    fn at(written: &str, value: &str, part: &str) -> Option<String> {
        let start = value.find(part).expect("the part is in the value");
        let offsets = offsets(written, value)?;
        Some(written[offsets[start]..offsets[start + part.len()]].to_owned())
    }

    #[test]
    fn parts_are_found_where_they_are_written() {
        let same = |written, value, part: &str| {
            assert_eq!(at(written, value, part).as_deref(), Some(part), "{written}");
        };
        same(r#""a \"b\" c""#, "a \"b\" c", " c");
        same(r#""é\tü x""#, "é\tü x", "ü x");
        same("''\n  a b\n    c\n\n  d\n''", "a b\n  c\n\nd\n", "c");
        same("''\n  a b\n    c\n\n  d\n''", "a b\n  c\n\nd\n", "d");
        same("''\n      --x ''$HOME --y\n    ''", "--x $HOME --y\n", "--y");
        same("''a '''b''' c''", "a ''b'' c", "c");
        same("''  a ''\\n b''", "a \n b", "b");
        same("\"$$ a\"", "$$ a", "a");
        assert_eq!(at(r#""a \"b c""#, "a \"b c", "\"b").as_deref(), Some("\\\"b"));
        assert_eq!(at("''\n  a ''${x}\n''", "a ${x}\n", "${x}").as_deref(), Some("''${x}"));
    }

    #[test]
    fn other_strings_have_no_places() {
        assert_eq!(offsets("\"a ${b}\"", "a c"), None);
        assert_eq!(offsets("\"a\"", "b"), None);
        assert_eq!(offsets("\"a\" + \"b\"", "ab"), None);
        assert_eq!(offsets("x", "x"), None);
        assert_eq!(offsets("\"", ""), None);
    }
}
