//! YAML into trees. The events come from a parser, which drops comments: those are read from what
//! lies between events.

use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::scalar;
use crate::MAX_DEPTH;
use crate::error::Error;
use crate::format::Format;
use crate::secret::SecretBytes;
use crate::tree::{Document, Element, Entry, Node, Scalar};

/// What becomes of `&anchor` and `*alias`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aliases {
    /// An error: files of sops have none.
    Refused,
    /// The value again, as in `.sops.yaml`.
    Followed,
}

/// How many values aliases may bring: beyond that they are an attack.
const MOST_COPIES: usize = 100_000;

/// Reads all documents.
pub(crate) fn read(text: &str, aliases: Aliases) -> Result<Vec<Document>, Error> {
    let mut reader = Reader::new(text, aliases);
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| Error::Syntax {
            format: Format::Yaml,
            line: error.marker().line(),
            what: error.info().to_owned(),
        })?;
        reader.event(event, span)?;
    }
    Ok(reader.documents)
}

/// A map or list that is being read.
struct Open {
    holds: Holds,
    /// Where its items begin, in characters from 0.
    column: usize,
    /// What aliases call it; 0 for nothing.
    anchor: usize,
}

enum Holds {
    Map { entries: Vec<Entry>, names: HashSet<String>, key: Option<String> },
    List(Vec<Element>),
}

struct Comment {
    text: String,
    line: usize,
    column: usize,
}

struct Reader<'t> {
    text: &'t str,
    /// Where the next look for comments begins: in bytes and in characters, with its line and column.
    at: Position,
    open: Vec<Open>,
    pending: Vec<Comment>,
    /// The line on which the last scalar ended.
    last_line: usize,
    documents: Vec<Document>,
    document: Document,
    aliases: Aliases,
    anchors: HashMap<usize, Node>,
    copies: usize,
}

#[derive(Clone, Copy)]
struct Position {
    byte: usize,
    index: usize,
    line: usize,
    column: usize,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str, aliases: Aliases) -> Reader<'t> {
        Reader {
            text,
            at: Position { byte: 0, index: 0, line: 1, column: 0 },
            open: Vec::new(),
            pending: Vec::new(),
            last_line: 0,
            documents: Vec::new(),
            document: Vec::new(),
            aliases,
            anchors: HashMap::new(),
            copies: 0,
        }
    }

    fn event(&mut self, event: Event<'_>, span: Span) -> Result<(), Error> {
        let line = span.start.line();
        self.comments_until(span.start.index());
        match event {
            Event::Nothing | Event::StreamStart => {}
            Event::DocumentStart(_) => self.document = Vec::new(),
            Event::StreamEnd => self.comments_at_the_end(),
            Event::DocumentEnd => {
                let end: Vec<Comment> = std::mem::take(&mut self.pending);
                self.document.extend(end.iter().map(Comment::entry));
                self.documents.push(std::mem::take(&mut self.document));
            }
            Event::Alias(anchor) => self.alias(anchor, line)?,
            Event::Scalar(text, style, anchor, tag) => {
                self.may_be_named(anchor, line)?;
                self.skip_over(span.end.index());
                let node = resolve(&text, style, tag.as_deref(), line)?;
                if anchor != 0 {
                    self.anchors.insert(anchor, node.clone());
                }
                self.scalar(node, line)?;
                // A block of lines ends before the next line.
                self.last_line = if self.at.column == 0 { self.at.line - 1 } else { self.at.line };
            }
            Event::SequenceStart(anchor, tag) => {
                self.may_be_named(anchor, line)?;
                refuse_tag(tag.as_deref(), "seq", line)?;
                self.start(Holds::List(Vec::new()), anchor, span)?;
            }
            Event::MappingStart(anchor, tag) => {
                self.may_be_named(anchor, line)?;
                refuse_tag(tag.as_deref(), "map", line)?;
                let entries = Vec::new();
                let map = Holds::Map { entries, names: HashSet::new(), key: None };
                self.start(map, anchor, span)?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                self.comments_of_the_line();
                if let Some(mut open) = self.open.pop() {
                    let column = open.column;
                    let (own, rest): (Vec<Comment>, Vec<Comment>) =
                        std::mem::take(&mut self.pending)
                            .into_iter()
                            .partition(|comment| !self.open.is_empty() && comment.column >= column);
                    self.pending = rest;
                    open.extend(&own);
                    let node = open.holds.into_node();
                    if open.anchor != 0 {
                        self.anchors.insert(open.anchor, node.clone());
                    }
                    self.add(node, line)?;
                }
            }
        }
        Ok(())
    }

    fn may_be_named(&self, anchor: usize, line: usize) -> Result<(), Error> {
        match (anchor, self.aliases) {
            (0, _) | (_, Aliases::Followed) => Ok(()),
            (_, Aliases::Refused) => Err(Error::Alias { line }),
        }
    }

    fn alias(&mut self, anchor: usize, line: usize) -> Result<(), Error> {
        let node = self.anchors.get(&anchor).filter(|_| self.aliases == Aliases::Followed);
        let node = node.ok_or(Error::Alias { line })?.clone();
        self.copies += size(&node);
        if self.copies > MOST_COPIES {
            return Err(syntax(line, "aliases that repeat each other without end"));
        }
        self.scalar(node, line)
    }

    fn start(&mut self, holds: Holds, anchor: usize, span: Span) -> Result<(), Error> {
        if self.open.len() >= MAX_DEPTH {
            return Err(Error::TooDeep { limit: MAX_DEPTH, line: span.start.line() });
        }
        if self.key_expected() {
            return Err(not_a_key(span.start.line()));
        }
        self.comments_of_the_line();
        let column = span.start.col();
        let mut open = Open { holds, column, anchor };
        // Between a key and its map, or before the first item: they belong to what they stand before.
        let key_is_read = matches!(
            self.open.last(),
            Some(Open { holds: Holds::Map { key: Some(_), .. }, .. }) | None
        );
        if key_is_read {
            let pending = std::mem::take(&mut self.pending);
            open.extend(&pending);
        } else {
            self.flush();
        }
        self.open.push(open);
        Ok(())
    }

    fn scalar(&mut self, node: Node, line: usize) -> Result<(), Error> {
        self.comments_of_the_line();
        self.flush();
        if !self.key_expected() {
            return self.add(node, line);
        }
        let key = match node {
            Node::Scalar(Scalar { kind: crate::Kind::Str, text }) => {
                text.expose_str().map(str::to_owned)
            }
            _ => None,
        };
        let key = key.ok_or_else(|| not_a_key(line))?;
        if let Some(Open { holds: Holds::Map { names, key: place, .. }, .. }) = self.open.last_mut()
        {
            if !names.insert(key.clone()) {
                return Err(Error::DuplicateKey { key, line });
            }
            *place = Some(key);
        }
        Ok(())
    }

    fn key_expected(&self) -> bool {
        matches!(self.open.last(), Some(Open { holds: Holds::Map { key: None, .. }, .. }))
    }

    /// Puts a value where it belongs: a key's, a list's, or the document itself.
    fn add(&mut self, node: Node, line: usize) -> Result<(), Error> {
        match self.open.last_mut().map(|open| &mut open.holds) {
            Some(Holds::List(list)) => list.push(Element::Node(node)),
            Some(Holds::Map { entries, key, .. }) => {
                if let Some(key) = key.take() {
                    entries.push(Entry::Pair(key, node));
                }
            }
            None => match node {
                Node::Map(mut map) => self.document.append(&mut map),
                Node::Null => {}
                _ => {
                    return Err(Error::Syntax {
                        format: Format::Yaml,
                        line,
                        what: "a document must be a map of keys".to_owned(),
                    });
                }
            },
        }
        Ok(())
    }

    /// Comments seen so far stand before what comes next.
    fn flush(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        match self.open.last_mut() {
            Some(open) => open.extend(&pending),
            None => self.document.extend(pending.iter().map(Comment::entry)),
        }
    }

    /// A comment behind a value stands before that value's item, as sops has it.
    fn comments_of_the_line(&mut self) {
        let line = self.last_line;
        let Some(open) = self.open.last_mut() else { return };
        let ended = match &open.holds {
            Holds::Map { entries, key, .. } => {
                key.is_none()
                    && matches!(entries.last(), Some(Entry::Pair(_, Node::Scalar(_) | Node::Null)))
            }
            Holds::List(list) => {
                matches!(list.last(), Some(Element::Node(Node::Scalar(_) | Node::Null)))
            }
        };
        if !ended {
            return;
        }
        let (same, rest): (Vec<Comment>, Vec<Comment>) =
            std::mem::take(&mut self.pending).into_iter().partition(|comment| comment.line == line);
        self.pending = rest;
        for comment in same {
            match &mut open.holds {
                Holds::Map { entries, .. } => {
                    entries.insert(entries.len().saturating_sub(1), comment.entry());
                }
                Holds::List(list) => {
                    list.insert(list.len().saturating_sub(1), comment.element());
                }
            }
        }
    }

    /// What follows the last document belongs to it.
    fn comments_at_the_end(&mut self) {
        self.comments_until(usize::MAX);
        let end = std::mem::take(&mut self.pending);
        if self.documents.is_empty() {
            self.documents.push(Vec::new());
        }
        if let Some(last) = self.documents.last_mut() {
            last.extend(end.iter().map(Comment::entry));
        }
    }

    /// Reads comments up to a place where there is no text of a value in between.
    fn comments_until(&mut self, index: usize) {
        while self.at.index < index {
            let Some(letter) = self.letter() else { break };
            let before = self.text.get(..self.at.byte).and_then(|text| text.chars().next_back());
            let begins = before.is_none_or(|before| before.is_whitespace());
            if letter != '#' || !begins {
                self.step(letter);
                continue;
            }
            let rest = self.text.get(self.at.byte..).unwrap_or_default();
            let end = rest.find('\n').unwrap_or(rest.len());
            let line = rest.get(1..end).unwrap_or_default();
            self.pending.push(Comment {
                text: line.trim_end_matches('\r').to_owned(),
                line: self.at.line,
                column: self.at.column,
            });
            for letter in rest.get(..end).unwrap_or_default().chars() {
                self.step(letter);
            }
        }
    }

    fn skip_over(&mut self, index: usize) {
        while self.at.index < index {
            let Some(letter) = self.letter() else { break };
            self.step(letter);
        }
    }

    fn letter(&self) -> Option<char> {
        self.text.get(self.at.byte..)?.chars().next()
    }

    fn step(&mut self, letter: char) {
        self.at.byte += letter.len_utf8();
        self.at.index += 1;
        self.at.column += 1;
        if letter == '\n' {
            self.at.line += 1;
            self.at.column = 0;
        }
    }
}

impl Comment {
    fn bytes(&self) -> SecretBytes {
        SecretBytes::from(self.text.as_str())
    }

    fn entry(&self) -> Entry {
        Entry::Comment(self.bytes())
    }

    fn element(&self) -> Element {
        Element::Comment(self.bytes())
    }
}

impl Open {
    fn extend(&mut self, comments: &[Comment]) {
        match &mut self.holds {
            Holds::Map { entries, .. } => entries.extend(comments.iter().map(Comment::entry)),
            Holds::List(list) => list.extend(comments.iter().map(Comment::element)),
        }
    }
}

impl Holds {
    fn into_node(self) -> Node {
        match self {
            Holds::Map { entries, .. } => Node::Map(entries),
            Holds::List(list) => Node::List(list),
        }
    }
}

fn resolve(text: &str, style: ScalarStyle, tag: Option<&Tag>, line: usize) -> Result<Node, Error> {
    let Some(tag) = tag else {
        return match style {
            ScalarStyle::Plain => scalar::resolve(text).map_err(|what| syntax(line, what)),
            _ => Ok(Node::Scalar(Scalar::str(text))),
        };
    };
    let node = if tag.is_yaml_core_schema() {
        scalar::tagged(&tag.suffix, text)
    } else if tag.handle.is_empty() && tag.suffix == "!" {
        scalar::tagged("str", text)
    } else {
        None
    };
    node.ok_or_else(|| {
        syntax(line, "a tag that sops does not keep, or that does not fit the value")
    })
}

fn syntax(line: usize, what: &str) -> Error {
    Error::Syntax { format: Format::Yaml, line, what: what.to_owned() }
}

fn not_a_key(line: usize) -> Error {
    syntax(line, "sops takes texts as keys alone: put a number, a boolean or null in quotes")
}

fn size(node: &Node) -> usize {
    1 + match node {
        Node::Null | Node::Scalar(_) => 0,
        Node::Map(map) => map
            .iter()
            .map(|entry| match entry {
                Entry::Pair(_, node) => size(node),
                Entry::Comment(_) => 0,
            })
            .sum(),
        Node::List(list) => list
            .iter()
            .map(|element| match element {
                Element::Node(node) => size(node),
                Element::Comment(_) => 0,
            })
            .sum(),
    }
}

fn refuse_tag(tag: Option<&Tag>, own: &str, line: usize) -> Result<(), Error> {
    match tag {
        Some(tag) if !(tag.is_yaml_core_schema() && tag.suffix == own) => {
            Err(syntax(line, "a tag that sops does not keep"))
        }
        _ => Ok(()),
    }
}
