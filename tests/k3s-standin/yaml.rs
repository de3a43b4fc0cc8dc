//! As much YAML 1.1 as a k3s configuration has: a mapping of scalars and of lists of scalars.

/// A scalar, with what a YAML 1.1 reader makes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scalar {
    /// As written, without quotes.
    pub(crate) text: String,
    /// Quoted: a string, whatever it looks like.
    pub(crate) quoted: bool,
}

/// A value of the mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    One(Scalar),
    Many(Vec<Scalar>),
}

/// Reads a configuration: keys in their order, each once.
pub(crate) fn parse(text: &str) -> Result<Vec<(String, Value)>, String> {
    let mut entries: Vec<(String, Value)> = Vec::new();
    // The key whose list items may follow.
    let mut open: Option<String> = None;
    for (number, line) in text.lines().enumerate() {
        let at = |why: &str| format!("line {}: {why}: {line}", number + 1);
        let bare = without_comment(line);
        let content = bare.trim();
        if content.is_empty() || content == "---" {
            continue;
        }
        if let Some(item) = content.strip_prefix("- ") {
            let Some(key) = &open else { return Err(at("an item of no list")) };
            let item = scalar(item).map_err(|why| at(&why))?;
            match entries.last_mut() {
                Some((last, Value::Many(items))) if last == key => items.push(item),
                _ => return Err(at("an item of no list")),
            }
            continue;
        }
        if line.starts_with([' ', '\t']) {
            return Err(at("k3s takes scalars and lists, nothing deeper"));
        }
        let (key, value) = content.split_once(':').ok_or_else(|| at("not `key: value`"))?;
        let key = scalar(key).map_err(|why| at(&why))?.text;
        if entries.iter().any(|(before, _)| *before == key) {
            return Err(at("a key that is there already"));
        }
        if !value.is_empty() && !value.starts_with(' ') {
            return Err(at("no blank after the colon"));
        }
        open = None;
        let value = match value.trim() {
            "" => {
                open = Some(key.clone());
                Value::Many(Vec::new())
            }
            flow if flow.starts_with('[') => {
                let inner = flow.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
                let inner = inner.ok_or_else(|| at("a list without its end"))?;
                let items = split(inner).into_iter().map(scalar).collect::<Result<_, _>>();
                Value::Many(items.map_err(|why| at(&why))?)
            }
            one => Value::One(scalar(one).map_err(|why| at(&why))?),
        };
        entries.push((key, value));
    }
    Ok(entries)
}

fn scalar(text: &str) -> Result<Scalar, String> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix('"') {
        let inner = rest.strip_suffix('"').ok_or("a string without its end")?;
        let text: String = serde_json::from_str(&format!("\"{inner}\""))
            .map_err(|error| format!("a string that is none ({error})"))?;
        return Ok(Scalar { text, quoted: true });
    }
    if let Some(rest) = text.strip_prefix('\'') {
        let inner = rest.strip_suffix('\'').ok_or("a string without its end")?;
        return Ok(Scalar { text: inner.replace("''", "'"), quoted: true });
    }
    if text.starts_with(['{', '&', '*', '!', '|', '>', '%', '@', '`', '[']) || text.contains(": ") {
        return Err("a value that must be quoted".to_owned());
    }
    Ok(Scalar { text: text.to_owned(), quoted: false })
}

/// The line up to a comment, which begins at a `#` after a blank and outside quotes.
fn without_comment(line: &str) -> &str {
    let mut quote = None;
    let mut before = ' ';
    for (at, letter) in line.char_indices() {
        match quote {
            Some(open) if letter == open && before != '\\' => quote = None,
            Some(_) => {}
            None if letter == '"' || letter == '\'' => quote = Some(letter),
            None if letter == '#' && before.is_whitespace() => return &line[..at],
            None => {}
        }
        before = letter;
    }
    line
}

/// The items of a list in brackets: commas inside quotes do not count.
fn split(inner: &str) -> Vec<&str> {
    let mut items = Vec::new();
    let (mut start, mut quote) = (0, None);
    for (at, letter) in inner.char_indices() {
        match quote {
            Some(open) if letter == open => quote = None,
            Some(_) => {}
            None if letter == '"' || letter == '\'' => quote = Some(letter),
            None if letter == ',' => {
                items.push(&inner[start..at]);
                start = at + 1;
            }
            None => {}
        }
    }
    if !inner[start..].trim().is_empty() {
        items.push(&inner[start..]);
    }
    items
}

impl Scalar {
    /// What k3s gets to see, where YAML makes something else of it than its letters.
    pub(crate) fn reread(&self) -> Option<String> {
        if self.quoted {
            return None;
        }
        let text = self.text.as_str();
        let octal = text.strip_prefix('0').filter(|rest| !rest.is_empty());
        let number = octal.and_then(|rest| u64::from_str_radix(rest, 8).ok());
        if let Some(number) = number {
            return Some(number.to_string());
        }
        match text.to_ascii_lowercase().as_str() {
            "yes" | "on" => Some("true".to_owned()),
            "no" | "off" => Some("false".to_owned()),
            "~" | "null" => Some("nothing".to_owned()),
            _ => {
                let float = text.parse::<f64>().ok().filter(|_| text.contains(['.', 'e', 'E']));
                float.map(|value| value.to_string()).filter(|read| read != text)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str, quoted: bool) -> Value {
        Value::One(Scalar { text: text.to_owned(), quoted })
    }

    #[test]
    fn reads_what_k3s_reads() {
        let text = "---\n# a comment\nnode-name: a # b\nmode: \"06#44\"\nlist:\n  - x\n- 'it''s'\n\
                    flow: [a, \"b,c\"]\nempty: []\n";
        let many = |items: &[(&str, bool)]| {
            let scalar = |&(text, quoted): &(&str, bool)| Scalar { text: text.to_owned(), quoted };
            Value::Many(items.iter().map(scalar).collect())
        };
        let expected = vec![
            ("node-name".to_owned(), one("a", false)),
            ("mode".to_owned(), one("06#44", true)),
            ("list".to_owned(), many(&[("x", false), ("it's", true)])),
            ("flow".to_owned(), many(&[("a", false), ("b,c", true)])),
            ("empty".to_owned(), many(&[])),
        ];
        assert_eq!(parse(text), Ok(expected));
    }

    #[test]
    fn refuses_the_rest() {
        for text in ["a: {b: c}", "a:\n  b: c", "- a", "a: 1\na: 2", "a", "a: \"b", "a:b"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn knows_what_yaml_makes_of_it() {
        for (text, read) in [("0644", "420"), ("on", "true"), ("1.10", "1.1"), ("No", "false")] {
            let plain = Scalar { text: text.to_owned(), quoted: false };
            assert_eq!(plain.reread().as_deref(), Some(read));
            assert_eq!(Scalar { quoted: true, ..plain }.reread(), None);
        }
        for text in ["v1.31", "1234", "10.42.0.0/16", "true", "0"] {
            assert_eq!(Scalar { text: text.to_owned(), quoted: false }.reread(), None, "{text}");
        }
    }
}
