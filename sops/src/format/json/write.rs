//! Trees into JSON, laid out as sops does: a tab a level, and Go's escapes.

use zeroize::Zeroizing;

use crate::secret::SecretBytes;
use crate::tree::{Element, Entry, Kind, Node, Scalar};

/// Writes one object. Comments, which JSON has none of, are left out.
pub(crate) fn write(entries: &[Entry], metadata: Option<&[Entry]>) -> SecretBytes {
    let sops = metadata.map(|map| Entry::Pair("sops".to_owned(), Node::Map(map.to_vec())));
    let mut out = Zeroizing::new(String::new());
    map(&mut out, entries.iter().chain(&sops), 0);
    out.push('\n');
    SecretBytes::new(out.as_bytes().to_vec())
}

fn map<'a>(out: &mut String, entries: impl Iterator<Item = &'a Entry>, level: usize) {
    let mut empty = true;
    out.push('{');
    for entry in entries {
        let Entry::Pair(key, node) = entry else { continue };
        if !std::mem::take(&mut empty) {
            out.push(',');
        }
        line(out, level + 1);
        text(out, key);
        out.push_str(": ");
        self::node(out, node, level + 1);
    }
    if !empty {
        line(out, level);
    }
    out.push('}');
}

fn list(out: &mut String, list: &[Element], level: usize) {
    let mut empty = true;
    out.push('[');
    for element in list {
        let Element::Node(node) = element else { continue };
        if !std::mem::take(&mut empty) {
            out.push(',');
        }
        line(out, level + 1);
        self::node(out, node, level + 1);
    }
    if !empty {
        line(out, level);
    }
    out.push(']');
}

fn line(out: &mut String, level: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n('\t', level));
}

fn node(out: &mut String, node: &Node, level: usize) {
    match node {
        Node::Null => out.push_str("null"),
        Node::Map(entries) => map(out, entries.iter(), level),
        Node::List(elements) => list(out, elements, level),
        Node::Scalar(Scalar { kind: Kind::Bool | Kind::Int, text }) => {
            out.push_str(text.expose_str().unwrap_or_default());
        }
        Node::Scalar(Scalar { kind: Kind::Float, text: number }) => {
            float(out, number.expose_str().unwrap_or_default());
        }
        Node::Scalar(scalar) => text(out, &String::from_utf8_lossy(scalar.text.expose())),
    }
}

/// A number as JSON has it; what is none (`NaN`) is a text.
fn float(out: &mut String, number: &str) {
    match number.parse::<f64>() {
        Ok(value) if value.is_finite() => {
            let size = value.abs();
            if value != 0.0 && !(1e-6..1e21).contains(&size) {
                // As Go writes it: `1e+21`, `1e-07` as `1e-7`.
                let short = format!("{value:e}");
                let (mantissa, exponent) = short.split_once('e').unwrap_or((&short, "0"));
                let sign = if exponent.starts_with('-') { "" } else { "+" };
                out.push_str(&format!("{mantissa}e{sign}{exponent}"));
            } else {
                out.push_str(&value.to_string());
            }
        }
        _ => text(out, number),
    }
}

fn text(out: &mut String, text: &str) {
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\0'..='\u{1f}' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(letter)));
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
}
