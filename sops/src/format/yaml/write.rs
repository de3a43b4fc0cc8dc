//! Trees into YAML, laid out as sops does: four columns a level, comments on lines of their own,
//! quotes where a text would mean something else.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use zeroize::Zeroizing;

use super::scalar;
use crate::secret::SecretBytes;
use crate::tree::{Document, Element, Entry, Kind, Node, Scalar};

const STEP: usize = 4;

/// Writes all documents, each with the metadata.
pub(crate) fn write(documents: &[Document], metadata: Option<&[Entry]>) -> SecretBytes {
    let mut writer = Writer { out: Zeroizing::new(String::new()) };
    for (at, document) in documents.iter().enumerate() {
        if at > 0 {
            writer.out.push_str("---\n");
        }
        let sops = metadata.map(|map| Entry::Pair("sops".to_owned(), Node::Map(map.to_vec())));
        let pairs = document.iter().any(|entry| matches!(entry, Entry::Pair(..)));
        if !pairs && sops.is_none() {
            writer.out.push_str("{}\n");
        }
        writer.map(document.iter().chain(&sops), 0, false);
    }
    SecretBytes::new(writer.out.as_bytes().to_vec())
}

struct Writer {
    out: Zeroizing<String>,
}

/// Where the lines of a text stand, and how far in from what they belong to.
#[derive(Clone, Copy)]
struct Block {
    indent: usize,
    step: usize,
}

/// The next multiple of the step.
fn deeper(indent: usize) -> usize {
    (indent + STEP) / STEP * STEP
}

impl Writer {
    /// A map's lines; `inline` where the first one begins behind a dash.
    fn map<'a>(
        &mut self,
        entries: impl Iterator<Item = &'a Entry>,
        indent: usize,
        mut inline: bool,
    ) {
        for entry in entries {
            if !std::mem::take(&mut inline) {
                self.indent(indent);
            }
            match entry {
                Entry::Comment(text) => self.comment(text),
                Entry::Pair(key, node) => {
                    self.text(key, None);
                    self.out.push(':');
                    self.node(node, indent, false);
                }
            }
        }
    }

    fn list(&mut self, list: &[Element], indent: usize, mut inline: bool) {
        for element in list {
            if !std::mem::take(&mut inline) {
                self.indent(indent);
            }
            match element {
                Element::Comment(text) => self.comment(text),
                Element::Node(node) => {
                    self.out.push('-');
                    self.node(node, indent, true);
                }
            }
        }
    }

    /// What stands behind a colon or a dash, to the end of its last line.
    fn node(&mut self, node: &Node, indent: usize, in_list: bool) {
        let inner = if in_list { indent + 2 } else { deeper(indent) };
        match node {
            Node::Map(map) if map.iter().any(|entry| matches!(entry, Entry::Pair(..))) => {
                let inline = in_list && matches!(map.first(), Some(Entry::Pair(..)));
                self.out.push(if inline { ' ' } else { '\n' });
                self.map(map.iter(), inner, inline);
            }
            Node::List(list) if list.iter().any(|element| matches!(element, Element::Node(_))) => {
                let inline = in_list && matches!(list.first(), Some(Element::Node(_)));
                self.out.push(if inline { ' ' } else { '\n' });
                self.list(list, inner, inline);
            }
            Node::Map(map) => {
                self.out.push_str(" {}\n");
                // Of a map with nothing but comments, they follow.
                self.map(map.iter(), indent, false);
            }
            Node::List(list) => {
                self.out.push_str(" []\n");
                self.list(list, indent, false);
            }
            Node::Null => self.out.push_str(" null\n"),
            Node::Scalar(scalar) => {
                self.out.push(' ');
                self.scalar(scalar, Block { indent: inner, step: inner - indent });
                if !self.out.ends_with('\n') {
                    self.out.push('\n');
                }
            }
        }
    }

    fn scalar(&mut self, scalar: &Scalar, block: Block) {
        match (scalar.kind, scalar.text.expose_str()) {
            (Kind::Str | Kind::Bytes, Some(text)) => self.text(text, Some(block)),
            (Kind::Float, Some("+Inf")) => self.out.push_str(".inf"),
            (Kind::Float, Some("-Inf")) => self.out.push_str("-.inf"),
            (Kind::Float, Some("NaN")) => self.out.push_str(".nan"),
            (Kind::Float, Some(text)) => self.out.push_str(&float(text)),
            (_, Some(text)) => self.out.push_str(text),
            (_, None) => {
                self.out.push_str("!!binary ");
                let packed = Zeroizing::new(BASE64_STANDARD.encode(scalar.text.expose()));
                self.out.push_str(&packed);
            }
        }
    }

    fn comment(&mut self, text: &SecretBytes) {
        let text = String::from_utf8_lossy(text.expose());
        self.out.push('#');
        self.out.push_str(&text);
        self.out.push('\n');
    }

    fn indent(&mut self, indent: usize) {
        self.out.extend(std::iter::repeat_n(' ', indent));
    }

    /// A text in the plainest style that keeps it; a key has no lines of its own.
    fn text(&mut self, text: &str, block: Option<Block>) {
        let look = Look::at(text);
        match block {
            Some(block) if look.block && text.contains('\n') => self.block(text, block),
            _ if look.plain && means_itself(text) => self.out.push_str(text),
            _ if look.single && means_itself(text) => {
                self.out.push('\'');
                self.out.push_str(&Zeroizing::new(text.replace('\'', "''")));
                self.out.push('\'');
            }
            _ => self.double(text),
        }
    }

    /// `|`, with every line as it is.
    fn block(&mut self, text: &str, block: Block) {
        self.out.push('|');
        if text.starts_with([' ', '\n']) {
            self.out.push_str(&block.step.to_string());
        }
        if !text.ends_with('\n') {
            self.out.push('-');
        } else if text.ends_with("\n\n") || text == "\n" {
            self.out.push('+');
        }
        self.out.push('\n');
        for line in text.strip_suffix('\n').unwrap_or(text).split('\n') {
            if !line.is_empty() {
                self.indent(block.indent);
                self.out.push_str(line);
            }
            self.out.push('\n');
        }
    }

    fn double(&mut self, text: &str) {
        self.out.push('"');
        for letter in text.chars() {
            match letter {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\0' => self.out.push_str("\\0"),
                '\u{7}' => self.out.push_str("\\a"),
                '\u{8}' => self.out.push_str("\\b"),
                '\u{b}' => self.out.push_str("\\v"),
                '\u{c}' => self.out.push_str("\\f"),
                '\u{1b}' => self.out.push_str("\\e"),
                '\u{85}' => self.out.push_str("\\N"),
                '\u{2028}' => self.out.push_str("\\L"),
                '\u{2029}' => self.out.push_str("\\P"),
                letter if printable(letter) => self.out.push(letter),
                letter => {
                    let code = u32::from(letter);
                    let escaped = match code {
                        0..=0xff => format!("\\x{code:02X}"),
                        0x100..=0xffff => format!("\\u{code:04X}"),
                        _ => format!("\\U{code:08X}"),
                    };
                    self.out.push_str(&escaped);
                }
            }
        }
        self.out.push('"');
    }
}

/// A float as Go's `%g` has it: with an exponent below 1e-4 and from 1e6.
fn float(text: &str) -> String {
    let Ok(value) = text.parse::<f64>() else { return text.to_owned() };
    let short = format!("{value:e}");
    let (mantissa, exponent) = short.split_once('e').unwrap_or((&short, "0"));
    match exponent.parse::<i32>() {
        Ok(power) if value != 0.0 && !(-4..6).contains(&power) => {
            let sign = if power < 0 { '-' } else { '+' };
            format!("{mantissa}e{sign}{:02}", power.abs())
        }
        _ => value.to_string(),
    }
}

/// Whether a plain text is read back as a text, by YAML 1.1 too (`yes`, `on`, `1:30`).
fn means_itself(text: &str) -> bool {
    let old = text.to_ascii_lowercase();
    let old = matches!(old.as_str(), "y" | "yes" | "on" | "n" | "no" | "off")
        || text == "<<"
        || text == "=";
    let sixty = text.contains(':')
        && text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '+' | '-'))
        && text.bytes().all(|byte| byte.is_ascii_digit() || b"+-_:.".contains(&byte));
    let resolved = scalar::resolve(text);
    !old && !sixty && matches!(resolved, Ok(Node::Scalar(Scalar { kind: Kind::Str, .. })))
}

/// What Go's yaml.v3 writes as it is; beyond the basic plane it escapes.
fn printable(letter: char) -> bool {
    matches!(letter, '\n' | ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

/// The styles that keep a text.
struct Look {
    plain: bool,
    single: bool,
    block: bool,
}

impl Look {
    fn at(text: &str) -> Look {
        let special = !text.chars().all(|letter| printable(letter) || letter == '\t');
        let tabs = text.contains('\t');
        let lines = text.contains('\n');
        let edges = text.starts_with([' ', '\n']) || text.ends_with([' ', '\n']);
        let around_breaks = text.contains(" \n") || text.contains("\n ");
        let mut plain = !text.is_empty() && !edges && !lines && !tabs && !special;
        plain &= !text.starts_with("---") && !text.starts_with("...");
        plain &= !text.starts_with([
            ',', '[', ']', '{', '}', '#', '&', '*', '!', '|', '>', '\'', '"', '%', '@', '`',
        ]);
        let alone = |mark: char| {
            text.strip_prefix(mark).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        plain &= !alone('-') && !alone('?') && !alone(':');
        plain &= !text.contains(": ") && !text.ends_with(':') && !text.contains(" #");
        Look {
            plain,
            single: !special && !tabs && !lines && !around_breaks && !text.is_empty(),
            // Spaces before a break, and at the ends, are what editors take away.
            block: !special
                && !text.contains(" \n")
                && !text.ends_with(' ')
                && !text.contains('\r'),
        }
    }
}
