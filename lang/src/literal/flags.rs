//! A line of command-line flags, split as a shell would: `--a=b --c 'd e'`.
//!
//! Only words and where each of their bytes stands are found here. Which flags take a value is
//! data of the program that is called, and known to whoever asks.

use std::ops::Range;

use super::fault::LiteralError;
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{take_till, take_while1};
use nom::character::complete::{anychar, char, multispace0};
use nom::combinator::{cut, opt};
use nom::multi::{many0, many1};
use nom::sequence::{preceded, terminated};

use super::fault::{Fault, Parsed, expect, whole};

/// One word of a flag line, quotes and backslashes taken away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// What the program would see.
    pub text: String,
    /// Where the word stands in the line, quotes included.
    pub at: Range<usize>,
    /// For each byte of `text`, where it stands in the line.
    offsets: Vec<usize>,
}

impl Word {
    /// A word that stands for itself: an element of a list of flags.
    #[must_use]
    pub fn plain(text: &str) -> Self {
        Word { text: text.to_owned(), at: 0..text.len(), offsets: (0..text.len()).collect() }
    }

    /// Where `range` of the word's text stands in the line.
    #[must_use]
    pub fn place(&self, range: Range<usize>) -> Range<usize> {
        let start = self.offsets.get(range.start).copied();
        let last = range.end.checked_sub(1).and_then(|last| self.offsets.get(last)).copied();
        match (start, last) {
            (Some(start), Some(last)) if range.start < range.end => start..last + 1,
            (Some(start), _) => start..start,
            _ => self.at.end..self.at.end,
        }
    }
}

/// The words of a line.
pub fn words(line: &str) -> Result<Vec<Word>, LiteralError> {
    let piece = |input| alt((bare, single, double, escaped)).parse(input);
    let word = |input| many1(piece).parse(input);
    let grammar = |input| preceded(multispace0, many0(terminated(word, multispace0))).parse(input);
    let offset_of = |part: &str| line.len() - part.len();
    let words = whole("a line of flags", line, grammar)?;
    Ok(words
        .into_iter()
        .map(|pieces| {
            let start = pieces.first().map_or(0, |piece| offset_of(piece.from));
            let end = pieces.last().map_or(0, |piece| offset_of(piece.to));
            let mut text = String::new();
            let mut offsets = Vec::new();
            for (rest, c) in pieces.into_iter().flat_map(|piece| piece.chars) {
                offsets.extend((0..c.len_utf8()).map(|byte| offset_of(rest) + byte));
                text.push(c);
            }
            Word { text, at: start..end, offsets }
        })
        .collect())
}

/// Some characters of a word, each with the text that begins at it.
struct Piece<'t> {
    from: &'t str,
    to: &'t str,
    chars: Vec<(&'t str, char)>,
}

fn chars(text: &str, end: usize) -> Vec<(&str, char)> {
    text.char_indices().take_while(|(at, _)| *at < end).map(|(at, c)| (&text[at..], c)).collect()
}

fn bare(input: &str) -> Parsed<'_, Piece<'_>> {
    let plain = |c: char| !c.is_whitespace() && !"'\"\\".contains(c);
    let (rest, taken) = take_while1(plain).parse(input)?;
    Ok((rest, Piece { from: input, to: rest, chars: chars(input, taken.len()) }))
}

fn single(input: &str) -> Parsed<'_, Piece<'_>> {
    let (inner, _) = char('\'').parse(input)?;
    let (close, taken) = take_till(|c| c == '\'').parse(inner)?;
    let (rest, _) = opt(char('\'')).parse(close)?;
    if close.is_empty() {
        return unclosed(input, '\'');
    }
    Ok((rest, Piece { from: input, to: rest, chars: chars(inner, taken.len()) }))
}

fn double(input: &str) -> Parsed<'_, Piece<'_>> {
    let (mut rest, _) = char('"').parse(input)?;
    let mut chars = Vec::new();
    loop {
        let here = rest;
        match here.chars().next() {
            None => return unclosed(input, '"'),
            Some('"') => {
                let to = &here[1..];
                return Ok((to, Piece { from: input, to, chars }));
            }
            Some('\\') if here[1..].starts_with(['"', '\\', '$', '`']) => {
                let (after, c) = anychar(&here[1..])?;
                chars.push((&here[1..], c));
                rest = after;
            }
            Some(c) => {
                chars.push((here, c));
                rest = &here[c.len_utf8()..];
            }
        }
    }
}

fn escaped(input: &str) -> Parsed<'_, Piece<'_>> {
    let (at, _) = char('\\').parse(input)?;
    let (rest, c) = cut(expect("a character after the backslash", anychar)).parse(at)?;
    Ok((rest, Piece { from: input, to: rest, chars: vec![(at, c)] }))
}

fn unclosed<T>(input: &str, quote: char) -> Parsed<'_, T> {
    Fault::said(input, 1, format!("this `{quote}` is never closed")).fatal()
}

#[cfg(test)]
mod tests {
    use super::super::tests::show;
    use super::words;

    #[test]
    fn lines() {
        let texts = [
            "--a=b --c d",
            "  ",
            "--x 'a b' \"c \\\" d\" e\\ f",
            "--x='a b'c",
            "--x 'a",
            "--x \"a",
            "a\\",
        ];
        let brief = |line: &str| {
            words(line).map(|words| words.into_iter().map(|w| (w.text, w.at)).collect::<Vec<_>>())
        };
        insta::assert_snapshot!(show(&texts, brief), @r#"
        --a=b --c d
          = [("--a=b", 0..5), ("--c", 6..9), ("d", 10..11)]
          
          = []
        --x 'a b' "c \" d" e\ f
          = [("--x", 0..3), ("a b", 4..9), ("c \" d", 10..18), ("e f", 19..23)]
        --x='a b'c
          = [("--x=a bc", 0..10)]
        --x 'a
            ^ this `'` is never closed
        --x "a
            ^ this `"` is never closed
        a\
          ^ not a line of flags: expected a character after the backslash, but the text ends here
        "#);
    }

    #[test]
    fn places() {
        let line = "--x='a b'c";
        let word = words(line).unwrap().remove(0);
        assert_eq!(word.text, "--x=a bc");
        assert_eq!(&line[word.place(4..8)], "a b'c");
        assert_eq!(&line[word.place(0..3)], "--x");
    }
}
