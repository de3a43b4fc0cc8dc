//! Bracket expressions: `[a-z_]`, `[^[:space:]]`.

use std::fmt::Write as _;

use super::syntax::Fault;

/// A set of bytes.
#[derive(Clone, Default)]
pub(super) struct Class([u64; 4]);

impl Class {
    pub(super) fn of(byte: u8) -> Class {
        let mut class = Class::default();
        class.add(byte);
        class
    }

    pub(super) fn add(&mut self, byte: u8) {
        self.0[usize::from(byte >> 6)] |= 1 << (byte & 63);
    }

    pub(super) fn add_range(&mut self, low: u8, high: u8) {
        (low..=high).for_each(|byte| self.add(byte));
    }

    pub(super) fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte >> 6)] >> (byte & 63) & 1 == 1
    }

    pub(super) fn add_all(&mut self, other: &Class) {
        self.0.iter_mut().zip(other.0).for_each(|(bits, more)| *bits |= more);
    }

    fn add_where(&mut self, member: impl Fn(u8) -> bool) {
        (0..=255).filter(|byte| member(*byte)).for_each(|byte| self.add(byte));
    }

    fn complement(&self) -> Class {
        Class(self.0.map(|bits| !bits))
    }

    /// As a class of the `regex` crate.
    pub(super) fn write(&self, out: &mut String) {
        out.push('[');
        let mut byte = 0u16;
        let mut empty = true;
        while byte < 256 {
            let start = byte;
            while byte < 256 && self.has(byte as u8) {
                byte += 1;
            }
            if byte > start {
                empty = false;
                let _ = write!(out, "\\x{start:02x}-\\x{:02x}", byte - 1);
            }
            byte += 1;
        }
        if empty {
            // Nothing: no byte is both.
            out.push_str("a&&b");
        }
        out.push(']');
    }
}

type Result<T> = std::result::Result<T, Fault>;

/// What the last thing in the brackets was: it may start a range.
enum Last {
    Nothing,
    Byte(u8),
    Class,
}

/// What a token in brackets is.
enum Token {
    Byte(u8),
    Dash,
    Close,
    /// `[.x.]`
    Symbol(u8),
    /// `[=x=]`
    Equivalent(u8),
    /// `[:alpha:]`
    Named(Class),
}

/// The class after a `[`, and what follows its `]`.
pub(super) fn bracket(mut rest: &[u8]) -> Result<(Class, &[u8])> {
    let negated = rest.first() == Some(&b'^');
    if negated {
        rest = &rest[1..];
    }
    let mut class = Class::default();
    let mut last = Last::Nothing;
    let mut first = true;
    loop {
        let (token, after) = token(rest, first)?;
        rest = after;
        let byte = match token {
            Token::Close => break,
            Token::Dash if first => b'-',
            Token::Dash => {
                let (next, after) = self::token(rest, false)?;
                match (&last, next) {
                    (_, Token::Close) => {
                        class.add(b'-');
                        rest = after;
                        break;
                    }
                    (Last::Byte(low), Token::Byte(high)) => {
                        range(&mut class, *low, high)?;
                        rest = after;
                    }
                    (Last::Byte(low), Token::Dash) => {
                        range(&mut class, *low, b'-')?;
                        rest = after;
                    }
                    (Last::Byte(_), _) => return Err(misplaced("a range must end in a character")),
                    _ => return Err(misplaced("a `-` in brackets starts no range")),
                }
                last = Last::Nothing;
                continue;
            }
            Token::Byte(byte) | Token::Symbol(byte) => byte,
            Token::Equivalent(byte) => {
                class.add_where(|other| other.eq_ignore_ascii_case(&byte));
                (last, first) = (Last::Class, false);
                continue;
            }
            Token::Named(named) => {
                class.add_all(&named);
                (last, first) = (Last::Class, false);
                continue;
            }
        };
        class.add(byte);
        (last, first) = (Last::Byte(byte), false);
    }
    Ok((if negated { class.complement() } else { class }, rest))
}

fn misplaced(message: &str) -> Fault {
    Fault::new(message).with_help("put a plain `-` first or last in the brackets")
}

/// Bytes are signed in the C++ library's ranges.
fn range(class: &mut Class, low: u8, high: u8) -> Result<()> {
    let (from, to) = (low as i8, high as i8);
    if from > to {
        return Err(Fault::new(format!(
            "the range `{}-{}` in brackets is the wrong way round",
            low.escape_ascii(),
            high.escape_ascii()
        )));
    }
    class.add_where(|byte| (from..=to).contains(&(byte as i8)));
    Ok(())
}

fn unclosed() -> Fault {
    Fault::new("a `[` is not closed").with_help("a plain one is written `\\\\[`")
}

fn token(rest: &[u8], first: bool) -> Result<(Token, &[u8])> {
    let (&byte, after) = rest.split_first().ok_or_else(unclosed)?;
    let kind = match byte {
        b'-' => return Ok((Token::Dash, after)),
        // A bracket that comes first is itself.
        b']' if !first => return Ok((Token::Close, after)),
        b'[' => *after.first().ok_or_else(unclosed)?,
        byte => return Ok((Token::Byte(byte), after)),
    };
    if !matches!(kind, b'.' | b':' | b'=') {
        return Ok((Token::Byte(b'['), after));
    }
    let inside = &after[1..];
    let end = inside.iter().position(|byte| *byte == kind).ok_or_else(unclosed)?;
    let (name, rest) = inside.split_at(end);
    let rest = rest.get(1..).and_then(|rest| rest.strip_prefix(b"]")).ok_or_else(unclosed)?;
    let token = match kind {
        b':' => Token::Named(named(name)?),
        b'.' => Token::Symbol(symbol(name)?),
        _ => Token::Equivalent(symbol(name)?),
    };
    Ok((token, rest))
}

fn named(name: &[u8]) -> Result<Class> {
    let member: fn(&u8) -> bool = match name.to_ascii_lowercase().as_slice() {
        b"alnum" => u8::is_ascii_alphanumeric,
        b"alpha" => u8::is_ascii_alphabetic,
        b"blank" => |byte| matches!(byte, b' ' | b'\t'),
        b"cntrl" => u8::is_ascii_control,
        b"digit" | b"d" => u8::is_ascii_digit,
        b"graph" => u8::is_ascii_graphic,
        b"lower" => u8::is_ascii_lowercase,
        b"print" => |byte| matches!(byte, b' '..=b'~'),
        b"punct" => u8::is_ascii_punctuation,
        b"space" | b"s" => |byte| matches!(byte, b' ' | b'\t'..=b'\r'),
        b"upper" => u8::is_ascii_uppercase,
        b"w" => |byte| byte.is_ascii_alphanumeric() || *byte == b'_',
        b"xdigit" => u8::is_ascii_hexdigit,
        _ => {
            let message = format!("there is no class `[:{}:]`", name.escape_ascii());
            return Err(Fault::new(message).with_help(
                "the classes are alnum, alpha, blank, cntrl, digit, graph, lower, print, punct, \
                 space, upper, xdigit",
            ));
        }
    };
    let mut class = Class::default();
    class.add_where(|byte| member(&byte));
    Ok(class)
}

/// Names of characters that are no letters, in POSIX's words.
const SYMBOLS: [(&str, u8); 50] = [
    ("alert", 0x07),
    ("backspace", 0x08),
    ("tab", b'\t'),
    ("newline", b'\n'),
    ("vertical-tab", 0x0b),
    ("form-feed", 0x0c),
    ("carriage-return", b'\r'),
    ("space", b' '),
    ("exclamation-mark", b'!'),
    ("quotation-mark", b'"'),
    ("number-sign", b'#'),
    ("dollar-sign", b'$'),
    ("percent-sign", b'%'),
    ("ampersand", b'&'),
    ("apostrophe", b'\''),
    ("left-parenthesis", b'('),
    ("right-parenthesis", b')'),
    ("asterisk", b'*'),
    ("plus-sign", b'+'),
    ("comma", b','),
    ("hyphen", b'-'),
    ("period", b'.'),
    ("slash", b'/'),
    ("zero", b'0'),
    ("one", b'1'),
    ("two", b'2'),
    ("three", b'3'),
    ("four", b'4'),
    ("five", b'5'),
    ("six", b'6'),
    ("seven", b'7'),
    ("eight", b'8'),
    ("nine", b'9'),
    ("colon", b':'),
    ("semicolon", b';'),
    ("less-than-sign", b'<'),
    ("equals-sign", b'='),
    ("greater-than-sign", b'>'),
    ("question-mark", b'?'),
    ("commercial-at", b'@'),
    ("left-square-bracket", b'['),
    ("backslash", b'\\'),
    ("right-square-bracket", b']'),
    ("circumflex", b'^'),
    ("underscore", b'_'),
    ("grave-accent", b'`'),
    ("left-curly-bracket", b'{'),
    ("vertical-line", b'|'),
    ("right-curly-bracket", b'}'),
    ("tilde", b'~'),
];

fn symbol(name: &[u8]) -> Result<u8> {
    if let [letter] = name
        && letter.is_ascii_alphabetic()
    {
        return Ok(*letter);
    }
    let known = SYMBOLS.iter().find(|(known, _)| known.as_bytes() == name);
    known.map(|(_, byte)| *byte).ok_or_else(|| {
        Fault::new(format!("there is no character named `{}`", name.escape_ascii()))
            .with_help("write the character itself")
    })
}
