//! Source texts and places in them.

use std::sync::{Arc, PoisonError, RwLock};

/// A file known to [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A range of bytes in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The place of things that no file wrote.
    pub const NONE: Span = Span { file: FileId(u32::MAX), start: 0, end: 0 };

    /// Whether this is [`Span::NONE`].
    pub fn is_none(self) -> bool {
        self.file == Span::NONE.file
    }

    /// This span, or `other` where this one is nowhere.
    pub fn or(self, other: Span) -> Span {
        if self.is_none() { other } else { self }
    }

    /// Whether `other` lies within this span.
    pub(crate) fn holds(self, other: Span) -> bool {
        self.file == other.file && self.start <= other.start && other.end <= self.end
    }
}

/// A file's name and text.
#[derive(Debug)]
pub struct SourceFile {
    /// Name for people: relative to the fleet, or `<cairn>/…`.
    pub name: String,
    /// The whole text.
    pub text: String,
    line_starts: Vec<u32>,
}

/// Line and column, both from 1, the column in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line from 1.
    pub line: u32,
    /// Column from 1, in characters.
    pub column: u32,
}

/// A span as people and editors read it; the end is exclusive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file's name.
    pub file: String,
    /// Where it starts.
    pub start: Position,
    /// Where it ends (exclusive).
    pub end: Position,
}

/// All texts that spans refer to. A cheap handle: clones share one table.
#[derive(Clone, Debug, Default)]
pub struct Sources(Arc<RwLock<Vec<Arc<SourceFile>>>>);

impl Sources {
    /// An empty table.
    pub fn new() -> Sources {
        Sources::default()
    }

    /// Adds a file and returns its id.
    pub fn add(&self, name: impl Into<String>, text: impl Into<String>) -> FileId {
        let text = text.into();
        let newlines = text.bytes().enumerate().filter(|(_, b)| *b == b'\n');
        let line_starts = std::iter::once(0).chain(newlines.map(|(i, _)| i as u32 + 1)).collect();
        let mut files = self.0.write().unwrap_or_else(PoisonError::into_inner);
        files.push(Arc::new(SourceFile { name: name.into(), text, line_starts }));
        FileId(files.len() as u32 - 1)
    }

    /// The file of this id.
    pub fn get(&self, file: FileId) -> Option<Arc<SourceFile>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(file.0 as usize).cloned()
    }

    /// The source text that a span covers.
    pub fn text(&self, span: Span) -> Option<String> {
        self.get(span.file)?.text.get(span.start as usize..span.end as usize).map(str::to_owned)
    }

    /// File, lines and columns of a span; `None` for [`Span::NONE`].
    pub fn place(&self, span: Span) -> Option<Place> {
        let file = self.get(span.file)?;
        let (start, end) = (file.position(span.start), file.position(span.end));
        Some(Place { file: file.name.clone(), start, end })
    }

    /// Whether a span is in somebody's own file: not in `<cairn>/…`, and not nowhere.
    pub fn is_own(&self, span: Span) -> bool {
        self.get(span.file).is_some_and(|file| !file.name.starts_with("<cairn>"))
    }

    /// Whether a span is in the library, `<cairn>/lib`.
    pub(crate) fn is_library(&self, span: Span) -> bool {
        self.get(span.file).is_some_and(|file| file.name.starts_with("<cairn>/lib/"))
    }

    /// The part of `span` whose source text is `needle`, where it occurs exactly once: how an
    /// error inside a string (`"--flag=value …"`) points at the word itself.
    pub fn narrow(&self, span: Span, needle: &str) -> Option<Span> {
        let text = self.text(span)?;
        let mut hits = text.match_indices(needle);
        let (at, _) = hits.next()?;
        if needle.is_empty() || hits.next().is_some() {
            return None;
        }
        let start = span.start + at as u32;
        Some(Span { start, end: start + needle.len() as u32, ..span })
    }
}

impl SourceFile {
    /// Line and column of a byte offset (clamped to the text).
    pub fn position(&self, offset: u32) -> Position {
        let offset = (offset as usize).min(self.text.len());
        let line = self.line_starts.partition_point(|&start| start as usize <= offset);
        let start = self.line_starts.get(line.saturating_sub(1)).copied().unwrap_or(0) as usize;
        let column = self.text.get(start..offset).map_or(0, |text| text.chars().count());
        Position { line: line as u32, column: column as u32 + 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let sources = Sources::new();
        let file = sources.add("a.nix", "x\n  \"é\" + y\n");
        let place = sources.place(Span { file, start: 11, end: 12 });
        let place = place.expect("the file is known");
        assert_eq!(place.start, Position { line: 2, column: 9 });
        assert_eq!(place.end, Position { line: 2, column: 10 });
    }

    #[test]
    fn narrow_wants_exactly_one() {
        let sources = Sources::new();
        let file = sources.add("a.nix", "\"--a --b --b\"");
        let whole = Span { file, start: 0, end: 13 };
        assert_eq!(sources.narrow(whole, "--a"), Some(Span { file, start: 1, end: 4 }));
        assert_eq!(sources.narrow(whole, "--b"), None);
    }
}
