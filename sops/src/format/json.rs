//! JSON, with the order of its keys.

mod write;

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::MAX_DEPTH;
use crate::error::Error;
use crate::format::Format;
use crate::tree::{Document, Element, Entry, Kind, Node, Scalar};

pub(crate) use write::write;

/// What went wrong, where serde_json's own words would not say it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fault {
    Duplicate,
    Deep,
}

/// Reads one object.
pub(crate) fn read(text: &str, format: Format) -> Result<Document, Error> {
    let fault = Cell::new(None);
    let name = Cell::new(String::new());
    let mut json = serde_json::Deserializer::from_str(text);
    // Our own limit is lower than what its stack takes.
    let read = Seed { depth: 0, fault: &fault, name: &name }.deserialize(&mut json);
    let read = read.and_then(|node| json.end().map(|()| node));
    match read {
        Ok(Node::Map(map)) => Ok(map),
        Ok(_) => Err(Error::Syntax {
            format,
            line: 1,
            what: "the value at the top must be an object".to_owned(),
        }),
        Err(error) => Err(match fault.get() {
            Some(Fault::Duplicate) => Error::DuplicateKey { key: name.take(), line: error.line() },
            Some(Fault::Deep) => Error::TooDeep { limit: MAX_DEPTH, line: error.line() },
            None => Error::Syntax { format, line: error.line(), what: reason(&error) },
        }),
    }
}

/// serde_json's reason, which may quote a text of the file only for type mismatches that cannot occur here.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let end = text.rfind(" at line ").unwrap_or(text.len());
    text.get(..end).unwrap_or_default().to_owned()
}

fn number(value: f64) -> Node {
    Node::Scalar(Scalar::of(Kind::Float, value.to_string()))
}

#[derive(Clone, Copy)]
struct Seed<'a> {
    depth: usize,
    fault: &'a Cell<Option<Fault>>,
    name: &'a Cell<String>,
}

impl Seed<'_> {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth >= MAX_DEPTH {
            self.fault.set(Some(Fault::Deep));
            return Err(E::custom("too deep"));
        }
        Ok(Seed { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of JSON")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Scalar(Scalar::of(Kind::Bool, value.to_string())))
    }

    // sops reads every number of JSON as a float.
    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Scalar(Scalar::str(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let seed = self.deeper()?;
        let mut list = Vec::new();
        while let Some(node) = access.next_element_seed(seed)? {
            list.push(Element::Node(node));
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Node, A::Error> {
        let seed = self.deeper()?;
        let mut map = Vec::new();
        let mut names = std::collections::HashSet::new();
        while let Some(key) = access.next_key::<String>()? {
            if !names.insert(key.clone()) {
                self.fault.set(Some(Fault::Duplicate));
                self.name.set(key);
                return Err(serde::de::Error::custom("duplicate"));
            }
            map.push(Entry::Pair(key, access.next_value_seed(seed)?));
        }
        Ok(Node::Map(map))
    }
}
