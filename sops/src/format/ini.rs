//! INI as Go's ini library reads it, which sops uses: sections of `key = value`.

use std::collections::HashSet;

use zeroize::Zeroizing;

use super::flat;
use crate::error::Error;
use crate::format::Format;
use crate::secret::SecretBytes;
use crate::tree::{Document, Entry, Kind, Node, Scalar, lookup};

/// The section of keys before any header.
const TOP: &str = "DEFAULT";

fn syntax(line: usize, what: &str) -> Error {
    Error::Syntax { format: Format::Ini, line, what: what.to_owned() }
}

/// Reads all sections; a map of maps.
pub(crate) fn read(text: &str) -> Result<Document, Error> {
    let mut sections = vec![Section::named(TOP)];
    let mut names = HashSet::new();
    let mut current = 0;
    let mut lines = text.lines().enumerate();
    // Before a header, they are the section's.
    let mut comments = Vec::new();
    while let Some((at, line)) = lines.next() {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        if let Some(comment) = line.strip_prefix([';', '#']) {
            comments.push(Entry::Comment(SecretBytes::from(
                comment.strip_prefix(' ').unwrap_or(comment),
            )));
            continue;
        }
        if let Some(name) = line.strip_prefix('[') {
            let name = name.split_once(']').map(|(name, _)| name.trim());
            let name = name.ok_or_else(|| syntax(at + 1, "a section is `[NAME]`"))?;
            current =
                sections.iter().position(|other| other.name == name).unwrap_or(sections.len());
            if current == sections.len() {
                sections.push(Section::named(name));
            }
            if let Some(section) = sections.get_mut(current) {
                section.entries.append(&mut comments);
            }
        } else {
            let (key, value) = key_and_value(line, &mut lines.by_ref().map(|(_, line)| line))
                .ok_or_else(|| syntax(at + 1, "a line is `key = value`"))?;
            if !names.insert((current, key.clone())) {
                return Err(Error::DuplicateKey { key, line: at + 1 });
            }
            if let Some(section) = sections.get_mut(current) {
                section.entries.append(&mut comments);
                section.entries.push(Entry::Pair(key, Node::Scalar(Scalar::str(&*value))));
            }
        }
    }
    if let Some(section) = sections.get_mut(current) {
        section.entries.append(&mut comments);
    }
    let kept = sections.into_iter().filter(|part| part.name != TOP || !part.entries.is_empty());
    Ok(kept.map(|part| Entry::Pair(part.name, Node::Map(part.entries))).collect())
}

/// A section; comments before its header are the first of its entries.
struct Section {
    name: String,
    entries: Vec<Entry>,
}

impl Section {
    fn named(name: &str) -> Section {
        Section { name: name.to_owned(), entries: Vec::new() }
    }
}

/// A line's key and value; a value in `"""` or backquotes may go on in the next lines.
fn key_and_value(
    line: &str,
    more: &mut dyn Iterator<Item = &str>,
) -> Option<(String, Zeroizing<String>)> {
    let at = line.find(['=', ':'])?;
    let (key, value) = (line.get(..at)?.trim(), line.get(at + 1..)?.trim_start());
    if key.is_empty() {
        return None;
    }
    Some((key.to_owned(), read_value(value, more)?))
}

fn read_value(value: &str, more: &mut dyn Iterator<Item = &str>) -> Option<Zeroizing<String>> {
    let long = ["\"\"\"", "`"];
    let quote = long.iter().find(|quote| value.len() >= quote.len() && value.starts_with(**quote));
    if let Some(quote) = quote {
        let mut text = Zeroizing::new(value.get(quote.len()..)?.to_owned());
        loop {
            if let Some(end) = text.rfind(quote) {
                text.truncate(end);
                return Some(text);
            }
            text.push('\n');
            text.push_str(more.next()?);
        }
    }
    let mut text = Zeroizing::new(value.trim().to_owned());
    while text.ends_with('\\') {
        text.pop();
        let next = more.next()?.trim();
        text.push_str(next);
    }
    if let Some(comment) = text.find(['#', ';']) {
        text.truncate(comment);
        let end = text.trim_end().len();
        text.truncate(end);
    }
    for quote in ['\'', '"'] {
        let inner = text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
        if let Some(inner) = inner.filter(|inner| !inner.contains(quote)) {
            return Some(Zeroizing::new(inner.to_owned()));
        }
    }
    Some(text)
}

/// Takes the section of metadata out.
pub(crate) fn take_metadata(document: &mut Document) -> Result<Option<Node>, Error> {
    let is_it = |entry: &mut Entry| matches!(entry, Entry::Pair(key, _) if key == "sops");
    let Some(Entry::Pair(_, Node::Map(section))) = document.extract_if(.., is_it).next() else {
        return Ok(None);
    };
    let texts: Vec<(String, String)> = section
        .iter()
        .filter_map(|entry| match entry {
            // Line breaks of the armor are written as two letters.
            Entry::Pair(key, node) => Some((key.clone(), node.as_str()?.replace("\\n", "\n"))),
            Entry::Comment(_) => None,
        })
        .collect();
    flat::unflatten(texts.iter().map(|(key, text)| (key.as_str(), text.as_str()))).map(Some)
}

/// Writes all sections, that of metadata last.
///
/// # Errors
/// What is no section of texts, and what would be read back as something else.
pub(crate) fn write(entries: &[Entry], metadata: Option<&[Entry]>) -> Result<SecretBytes, Error> {
    let mut out = Zeroizing::new(String::new());
    let top = lookup(entries, TOP).and_then(Node::as_map);
    if let Some(top) = top {
        section(&mut out, TOP, top)?;
    }
    for entry in entries {
        match entry {
            Entry::Pair(name, _) if name == TOP => {}
            Entry::Pair(name, Node::Map(map)) => {
                if name.contains([']', '\n', '\r']) || name.trim() != name || name.is_empty() {
                    return Err(cannot(name, "an INI file cannot hold a section of this name"));
                }
                let first = map.iter().position(|entry| matches!(entry, Entry::Pair(..)));
                let (before, rest) = map.split_at(first.unwrap_or(map.len()));
                gap(&mut out);
                section(&mut out, name, before)?;
                out.push_str(&format!("[{name}]\n"));
                section(&mut out, name, rest)?;
            }
            Entry::Pair(name, _) => {
                return Err(cannot(name, "an INI file holds sections of texts alone"));
            }
            Entry::Comment(text) => comment(&mut out, text),
        }
    }
    if let Some(metadata) = metadata {
        gap(&mut out);
        out.push_str("[sops]\n");
        let flat = flat::flatten(metadata);
        let flat: Vec<Entry> = flat
            .into_iter()
            .map(|(key, text)| {
                Entry::Pair(key, Node::Scalar(Scalar::str(text.replace('\n', "\\n"))))
            })
            .collect();
        section(&mut out, "sops", &flat)?;
    }
    Ok(SecretBytes::new(out.as_bytes().to_vec()))
}

fn cannot(path: &str, what: &str) -> Error {
    Error::CannotWrite { path: path.to_owned(), what: what.to_owned() }
}

/// A line between sections.
fn gap(out: &mut String) {
    if !out.is_empty() {
        out.push('\n');
    }
}

fn comment(out: &mut String, text: &SecretBytes) {
    out.push_str("; ");
    out.push_str(&String::from_utf8_lossy(text.expose()));
    out.push('\n');
}

/// The lines of a section, with the signs below each other.
fn section(out: &mut String, name: &str, map: &[Entry]) -> Result<(), Error> {
    let keys = map.iter().filter_map(|entry| match entry {
        Entry::Pair(key, _) => Some(key.chars().count()),
        Entry::Comment(_) => None,
    });
    let width = keys.max().unwrap_or_default();
    for entry in map {
        match entry {
            Entry::Comment(text) => comment(out, text),
            Entry::Pair(key, node) => {
                let path = format!("{name}/{key}");
                let text = match node {
                    Node::Null => Zeroizing::new(String::new()),
                    Node::Scalar(scalar) => value(scalar, &path)?,
                    _ => return Err(cannot(&path, "an INI file holds sections of texts alone")),
                };
                let plain = key.trim() == key
                    && !key.is_empty()
                    && !key.starts_with(['#', ';', '[', '"', '`', '\u{feff}'])
                    && !key.contains(['=', ':', '\n', '\r']);
                if !plain {
                    return Err(cannot(&path, "an INI file cannot hold such a key"));
                }
                out.push_str(&format!("{key:<width$} = "));
                out.push_str(&text);
                out.push('\n');
            }
        }
    }
    Ok(())
}

/// A value in the plainest quotes that keep it.
fn value(scalar: &Scalar, path: &str) -> Result<Zeroizing<String>, Error> {
    let text = scalar.text.expose_str().ok_or_else(|| cannot(path, "it is not UTF-8"))?;
    let whole = scalar.kind == Kind::Float && !text.contains(['.', 'N', 'I']);
    // As Go prints a float there.
    let text = Zeroizing::new(if whole { format!("{text}.0") } else { text.to_owned() });
    let keeps = |written: &str| {
        let mut lines = written.lines();
        let first = lines.next().unwrap_or_default();
        let read = read_value(first.trim(), &mut lines);
        read.is_some_and(|read| *read == *text) && lines.next().is_none()
    };
    let mut spellings = [
        Zeroizing::new(text.to_string()),
        Zeroizing::new(format!("\"{}\"", *text)),
        Zeroizing::new(format!("`{}`", *text)),
        Zeroizing::new(format!("\"\"\"{}\"\"\"", *text)),
    ];
    if text.contains(['\n', '`']) {
        spellings.reverse();
    } else if text.contains(['#', ';']) {
        spellings.swap(1, 2);
    }
    let mut fitting = spellings.into_iter().filter(|written| keeps(written));
    fitting.next().ok_or_else(|| cannot(path, "an INI file cannot hold such a value"))
}
