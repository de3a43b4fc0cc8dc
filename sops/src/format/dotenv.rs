//! `KEY=value` lines. A line break in a value is written `\n`.

use std::collections::HashSet;

use zeroize::Zeroizing;

use super::flat;
use crate::error::Error;
use crate::format::Format;
use crate::secret::SecretBytes;
use crate::tree::{Document, Entry, Node, Scalar};

/// What the names of metadata begin with.
const PREFIX: &str = "sops_";

/// Reads all lines; blank ones are not kept.
pub(crate) fn read(text: &str) -> Result<Document, Error> {
    let syntax = |line: usize, what: &str| Error::Syntax {
        format: Format::Dotenv,
        line,
        what: what.to_owned(),
    };
    let mut entries = Vec::new();
    let mut names = HashSet::new();
    for (at, line) in text.split('\n').enumerate() {
        if line.ends_with('\r') {
            let what = "lines end in CR LF, and the CR would be part of each value: \
                        have them end in LF alone";
            return Err(syntax(at + 1, what));
        }
        if line.is_empty() {
            continue;
        }
        if let Some(comment) = line.strip_prefix('#') {
            entries.push(Entry::Comment(SecretBytes::from(comment)));
            continue;
        }
        let (key, value) =
            line.split_once('=').ok_or_else(|| syntax(at + 1, "a line is `KEY=value`"))?;
        if !names.insert(key) {
            return Err(Error::DuplicateKey { key: key.to_owned(), line: at + 1 });
        }
        let value = Zeroizing::new(value.replace("\\n", "\n"));
        entries.push(Entry::Pair(key.to_owned(), Node::Scalar(Scalar::str(&*value))));
    }
    Ok(entries)
}

/// Takes the lines of metadata out.
pub(crate) fn take_metadata(document: &mut Document) -> Result<Option<Node>, Error> {
    let is_it = |entry: &mut Entry| matches!(entry, Entry::Pair(key, _) if key.starts_with(PREFIX));
    let taken: Vec<Entry> = document.extract_if(.., is_it).collect();
    if taken.is_empty() {
        return Ok(None);
    }
    let flat = taken.iter().filter_map(|entry| match entry {
        Entry::Pair(key, node) => Some((key.strip_prefix(PREFIX)?, node.as_str()?)),
        Entry::Comment(_) => None,
    });
    flat::unflatten(flat).map(Some)
}

/// Writes all lines, those of metadata last and in the order of their names.
///
/// # Errors
/// What is not a text, and texts that would be read back as others.
pub(crate) fn write(entries: &[Entry], metadata: Option<&[Entry]>) -> Result<SecretBytes, Error> {
    let mut out = Zeroizing::new(String::new());
    let cannot = |path: &str, what: &str| Error::CannotWrite {
        path: path.to_owned(),
        what: what.to_owned(),
    };
    for entry in entries {
        match entry {
            Entry::Comment(text) => {
                out.push('#');
                out.push_str(&String::from_utf8_lossy(text.expose()));
            }
            Entry::Pair(key, Node::Scalar(scalar)) => {
                let text = scalar.text.expose_str();
                let text = text.ok_or_else(|| cannot(key, "its value is not UTF-8"))?;
                if key.starts_with(['#', '\u{feff}'])
                    || key.is_empty()
                    || key.contains(['=', '\n', '\r'])
                {
                    return Err(cannot(key, "a dotenv file cannot hold such a key"));
                }
                if text.contains("\\n") || text.contains('\r') {
                    return Err(cannot(
                        key,
                        "a dotenv file cannot hold a value with `\\n` or CR in it",
                    ));
                }
                out.push_str(key);
                out.push('=');
                out.push_str(&Zeroizing::new(text.replace('\n', "\\n")));
            }
            Entry::Pair(key, Node::Null) => {
                out.push_str(key);
                out.push('=');
            }
            Entry::Pair(key, _) => {
                return Err(cannot(key, "a dotenv file holds texts alone, no maps and lists"));
            }
        }
        out.push('\n');
    }
    for (key, text) in metadata.map(flat::flatten).unwrap_or_default() {
        out.push_str(&format!("{PREFIX}{key}={}\n", text.replace('\n', "\\n")));
    }
    Ok(SecretBytes::new(out.as_bytes().to_vec()))
}
