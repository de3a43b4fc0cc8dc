//! The grammar of POSIX extended regular expressions, as the C++ library reads it.

use std::fmt::Write as _;

use super::bracket::{Class, bracket};
use super::program::Mode;
use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// How deep groups may nest.
const NESTING_LIMIT: usize = 200;

/// An expression and how many groups it has.
pub(super) struct Parsed {
    pub(super) root: Node,
    pub(super) groups: usize,
}

pub(super) enum Node {
    /// The pieces one after the other.
    Sequence(Vec<Node>),
    /// `a|b`, in order.
    Alternatives(Vec<Node>),
    /// One byte of a class.
    Byte(Box<Class>),
    /// `(…)`, by its number.
    Group(usize, Box<Node>),
    /// `a*`, `a+`, `a?`, `a{2,3}`; without a most, any number.
    Repeat(Box<Node>, u32, Option<u32>),
    /// `^`
    Start,
    /// `$`
    End,
}

/// What is wrong with an expression.
pub(super) struct Fault {
    message: String,
    help: &'static str,
}

const DIALECT: &str = "the dialect is POSIX extended, as in `grep -E`";

impl Fault {
    pub(super) fn new(message: impl Into<String>) -> Fault {
        Fault { message: message.into(), help: DIALECT }
    }

    pub(super) fn with_help(self, help: &'static str) -> Fault {
        Fault { help, ..self }
    }

    pub(super) fn diagnostic(self, at: Span) -> Diagnostic {
        let message = format!("this is no regular expression: {}", self.message);
        Diagnostic::error("type::regex", at, message).with_help(self.help)
    }
}

type Result<T> = std::result::Result<T, Fault>;

pub(super) fn parse(pattern: &str) -> Result<Parsed> {
    let mut parser = Parser { rest: pattern.as_bytes(), groups: 0, nesting: 0 };
    let root = parser.alternatives()?;
    match parser.rest.first() {
        None => Ok(Parsed { root, groups: parser.groups }),
        Some(b')') => {
            Err(Fault::new("a `)` closes nothing").with_help("write `\\\\)` for a plain one"))
        }
        Some(other) => {
            let message = format!("`{}` repeats nothing", char::from(*other));
            Err(Fault::new(message).with_help("put a backslash before it to have the character"))
        }
    }
}

struct Parser<'p> {
    rest: &'p [u8],
    groups: usize,
    nesting: usize,
}

impl Parser<'_> {
    fn take(&mut self, byte: u8) -> bool {
        let found = self.rest.first() == Some(&byte);
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    fn alternatives(&mut self) -> Result<Node> {
        let first = self.sequence()?;
        if self.rest.first() != Some(&b'|') {
            return Ok(first);
        }
        let mut all = vec![first];
        while self.take(b'|') {
            all.push(self.sequence()?);
        }
        // `a|b` is `[ab]`.
        let mut union = Class::default();
        for one in &all {
            let Node::Byte(class) = one else { return Ok(Node::Alternatives(all)) };
            union.add_all(class);
        }
        Ok(Node::Byte(Box::new(union)))
    }

    fn sequence(&mut self) -> Result<Node> {
        let mut pieces = Vec::new();
        while let Some(piece) = self.piece()? {
            pieces.push(piece);
        }
        Ok(match pieces.pop() {
            Some(only) if pieces.is_empty() => only,
            last => {
                pieces.extend(last);
                Node::Sequence(pieces)
            }
        })
    }

    fn piece(&mut self) -> Result<Option<Node>> {
        let Some((&first, rest)) = self.rest.split_first() else { return Ok(None) };
        let atom = match first {
            b'|' | b')' | b'*' | b'+' | b'?' | b'{' => return Ok(None),
            // An anchor takes no repetition.
            b'^' | b'$' => {
                self.rest = rest;
                return Ok(Some(if first == b'^' { Node::Start } else { Node::End }));
            }
            b'(' => {
                self.rest = rest;
                self.group()?
            }
            b'[' => {
                let (class, rest) = bracket(rest)?;
                self.rest = rest;
                Node::Byte(Box::new(class))
            }
            b'.' => {
                self.rest = rest;
                let mut class = Class::default();
                class.add_range(1, 255);
                Node::Byte(Box::new(class))
            }
            b'\\' => {
                let (escaped, rest) = escape(rest)?;
                self.rest = rest;
                Node::Byte(Box::new(Class::of(escaped)))
            }
            plain => {
                self.rest = rest;
                Node::Byte(Box::new(Class::of(plain)))
            }
        };
        self.repeated(atom).map(Some)
    }

    fn group(&mut self) -> Result<Node> {
        if self.nesting == NESTING_LIMIT {
            return Err(Fault::new(format!("groups nest more than {NESTING_LIMIT} deep")));
        }
        self.nesting += 1;
        self.groups += 1;
        let number = self.groups;
        let inside = self.alternatives()?;
        self.nesting -= 1;
        match self.rest.first() {
            Some(b')') => self.rest = &self.rest[1..],
            None => return Err(Fault::new("a `(` is not closed")),
            Some(other) => {
                return Err(Fault::new(format!("`{}` repeats nothing", char::from(*other))));
            }
        }
        Ok(Node::Group(number, Box::new(inside)))
    }

    fn repeated(&mut self, mut node: Node) -> Result<Node> {
        loop {
            let (least, most) = if self.take(b'*') {
                (0, None)
            } else if self.take(b'+') {
                (1, None)
            } else if self.take(b'?') {
                (0, Some(1))
            } else if self.take(b'{') {
                self.bounds()?
            } else {
                return Ok(node);
            };
            node = Node::Repeat(Box::new(node), least, most);
        }
    }

    /// What follows `{`, with the `}`.
    fn bounds(&mut self) -> Result<(u32, Option<u32>)> {
        let wrong = || {
            Fault::new("what is between `{` and `}` is no count")
                .with_help("write `{2}`, `{2,}` or `{2,3}`; `\\\\{` is a plain brace")
        };
        let least = self.number()?.ok_or_else(wrong)?;
        let most = if self.take(b',') { self.number()? } else { Some(least) };
        if !self.take(b'}') {
            return Err(wrong());
        }
        if most.is_some_and(|most| most < least) {
            return Err(Fault::new(format!(
                "`{{{least},…}}` asks for at most fewer than at least"
            )));
        }
        Ok((least, most))
    }

    fn number(&mut self) -> Result<Option<u32>> {
        let digits = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (number, rest) = self.rest.split_at(digits);
        self.rest = rest;
        if number.is_empty() {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(number);
        match text.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(Fault::new(format!("{text} repetitions are too many"))),
        }
    }
}

fn escape(rest: &[u8]) -> Result<(u8, &[u8])> {
    match rest.split_first() {
        None => Err(Fault::new("it ends in a backslash")
            .with_help("in a string between `\"`, a backslash is written `\\\\`")),
        Some((&special, rest)) if b".[\\()*+?{|^$".contains(&special) => Ok((special, rest)),
        Some((&other, _)) => {
            let message = format!("`\\{}` is no escape", char::from(other));
            Err(Fault::new(message).with_help(match other {
                b'd' => "a digit is `[[:digit:]]` or `[0-9]`",
                b'w' => "a letter, digit or underscore is `[[:alnum:]_]`",
                b's' => "a blank is `[[:space:]]`",
                b'n' | b't' | b'r' => {
                    "write the character itself: one backslash in a string between `\"`"
                }
                b'1'..=b'9' => "there are no back-references in this dialect",
                _ => "only special characters take a backslash",
            }))
        }
    }
}

impl Node {
    /// Whether it can match nothing.
    fn nullable(&self) -> bool {
        match self {
            Node::Sequence(pieces) => pieces.iter().all(Node::nullable),
            Node::Alternatives(all) => all.iter().any(Node::nullable),
            Node::Byte(_) => false,
            Node::Group(_, inside) => inside.nullable(),
            Node::Repeat(inside, least, _) => *least == 0 || inside.nullable(),
            Node::Start | Node::End => true,
        }
    }

    /// Writes it in the `regex` crate's dialect; `false` where that would mean something else.
    fn write(&self, mode: Mode, out: &mut String) -> bool {
        match self {
            Node::Sequence(pieces) => pieces.iter().all(|piece| piece.write(mode, out)),
            Node::Alternatives(all) => {
                // Searching, the longest counts here and the first there.
                if mode == Mode::Search {
                    return false;
                }
                out.push_str("(?:");
                for (index, one) in all.iter().enumerate() {
                    if index > 0 {
                        out.push('|');
                    }
                    if !one.write(mode, out) {
                        return false;
                    }
                }
                out.push(')');
                true
            }
            Node::Byte(class) => {
                class.write(out);
                true
            }
            Node::Group(_, inside) => {
                out.push('(');
                let fits = inside.write(mode, out);
                out.push(')');
                fits
            }
            Node::Repeat(inside, least, most) => {
                // What a repetition of nothing leaves in its groups differs.
                if inside.nullable() {
                    return false;
                }
                out.push_str("(?:");
                let fits = inside.write(mode, out);
                let _ = match most {
                    None => write!(out, "){{{least},}}"),
                    Some(most) => write!(out, "){{{least},{most}}}"),
                };
                fits
            }
            Node::Start => {
                out.push_str("\\A");
                true
            }
            Node::End => {
                out.push_str("\\z");
                true
            }
        }
    }
}

impl Parsed {
    /// The same expression for the `regex` crate, where it would find the same matches.
    pub(super) fn library_pattern(&self, mode: Mode) -> Option<String> {
        // After an empty match, the C++ library looks at the same place again.
        if mode == Mode::Search && self.root.nullable() {
            return None;
        }
        let mut pattern = String::from("(?s-u)");
        if mode == Mode::Whole {
            pattern.push_str("\\A(?:");
        }
        if !self.root.write(mode, &mut pattern) {
            return None;
        }
        if mode == Mode::Whole {
            pattern.push_str(")\\z");
        }
        Some(pattern)
    }
}
