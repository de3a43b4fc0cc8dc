//! Texts of documents, and the places in them as editors count.

use std::sync::Arc;

use lsp_types::{Position, Range, TextDocumentContentChangeEvent};

/// What a column counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    /// Bytes.
    Utf8,
    /// Units of UTF-16: what editors count unless something else is agreed.
    Utf16,
}

impl Encoding {
    fn width(self, text: &str) -> u32 {
        match self {
            Encoding::Utf8 => text.len() as u32,
            Encoding::Utf16 => text.encode_utf16().count() as u32,
        }
    }

    /// The byte of `line` that so many units lead to; its end, if there are not as many.
    fn byte(self, line: &str, units: u32) -> usize {
        let mut left = units;
        for (at, char) in line.char_indices() {
            let width = match self {
                Encoding::Utf8 => char.len_utf8(),
                Encoding::Utf16 => char.len_utf16(),
            };
            if left < width as u32 {
                return at;
            }
            left -= width as u32;
        }
        line.len()
    }
}

/// A text with its lines.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    pub(crate) text: Arc<str>,
    starts: Arc<[u32]>,
    encoding: Encoding,
}

impl Text {
    pub(crate) fn new(text: impl Into<Arc<str>>, encoding: Encoding) -> Text {
        let text: Arc<str> = text.into();
        let bytes = text.as_bytes();
        // The protocol counts `\n`, `\r\n` and a `\r` by itself.
        let ends = bytes.iter().enumerate().filter(|(at, byte)| match byte {
            b'\n' => true,
            b'\r' => bytes.get(at + 1) != Some(&b'\n'),
            _ => false,
        });
        let starts = std::iter::once(0).chain(ends.map(|(at, _)| at as u32 + 1)).collect();
        Text { text, starts, encoding }
    }

    /// A line with its end, and where it starts.
    fn line(&self, number: u32) -> (usize, &str) {
        let number = number as usize;
        let at = |number: usize| self.starts.get(number).map_or(self.text.len(), |at| *at as usize);
        let (start, end) = (at(number), at(number + 1));
        (start, self.text.get(start..end).unwrap_or_default())
    }

    /// The byte that a position is; the nearest, if there is no such position.
    pub(crate) fn offset(&self, position: Position) -> u32 {
        let (start, line) = self.line(position.line);
        let line = line.trim_end_matches(['\n', '\r']);
        (start + self.encoding.byte(line, position.character)) as u32
    }

    /// The position of a byte.
    pub(crate) fn position(&self, offset: u32) -> Position {
        let offset = offset.min(self.text.len() as u32);
        let line = self.starts.partition_point(|start| *start <= offset).saturating_sub(1) as u32;
        let (start, text) = self.line(line);
        let before = text.get(..offset as usize - start).unwrap_or(text);
        Position { line, character: self.encoding.width(before) }
    }

    pub(crate) fn range(&self, (start, end): (u32, u32)) -> Range {
        Range { start: self.position(start), end: self.position(end) }
    }

    /// The text after a change, and the bytes that were replaced, and by how many.
    pub(crate) fn changed(
        &self,
        change: &TextDocumentContentChangeEvent,
    ) -> (Text, (u32, u32), u32) {
        let (start, end) = match change.range {
            Some(range) => {
                let (start, end) = (self.offset(range.start), self.offset(range.end));
                (start.min(end), start.max(end))
            }
            None => (0, self.text.len() as u32),
        };
        let (before, after) = (self.text.get(..start as usize), self.text.get(end as usize..));
        let parts = [before.unwrap_or_default(), &change.text, after.unwrap_or_default()];
        (Text::new(parts.concat(), self.encoding), (start, end), change.text.len() as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: u32, character: u32) -> Position {
        Position { line, character }
    }

    #[test]
    fn columns_count_units() {
        let text = Text::new("a\n\"é😀\" x\r\nb", Encoding::Utf16);
        assert_eq!(text.position(10), at(1, 5));
        assert_eq!(text.offset(at(1, 5)), 10);
        let text = Text::new("a\n\"é😀\" x\r\nb", Encoding::Utf8);
        assert_eq!(text.position(10), at(1, 8));
        assert_eq!(text.offset(at(1, 8)), 10);
    }

    #[test]
    fn positions_that_are_none_are_the_nearest() {
        let text = Text::new("a😀\r\nb", Encoding::Utf16);
        assert_eq!(text.offset(at(0, 99)), 5);
        // In the middle of a character.
        assert_eq!(text.offset(at(0, 2)), 1);
        assert_eq!(text.offset(at(99, 0)), 8);
        assert_eq!(text.position(99), at(1, 1));
    }

    #[test]
    fn lines_end_as_the_protocol_says() {
        let text = Text::new("a\rb\r\nc\nd\r", Encoding::Utf16);
        let places: Vec<_> = [0, 2, 5, 7, 9].map(|byte| text.position(byte)).into();
        assert_eq!(places, [at(0, 0), at(1, 0), at(2, 0), at(3, 0), at(4, 0)]);
        assert_eq!(text.offset(at(1, 9)), 3);
    }

    #[test]
    fn changes_replace_ranges() {
        let text = Text::new("one\ntwo\n", Encoding::Utf16);
        let range = Some(Range { start: at(0, 1), end: at(1, 1) });
        let change =
            TextDocumentContentChangeEvent { range, range_length: None, text: "é".to_owned() };
        let (text, replaced, by) = text.changed(&change);
        assert_eq!((&*text.text, replaced, by), ("oéwo\n", (1, 5), 2));
    }
}
