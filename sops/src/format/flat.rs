//! Metadata in formats that know keys and texts alone: `age__list_0__map_recipient`.

use std::collections::BTreeMap;

use crate::error::Error;
use crate::tree::{Element, Entry, Node, Scalar};

/// More than this many recipients in a list are a mistake.
const LONGEST_LIST: usize = 10_000;

/// The flat form of a map: each text with the keys that lead to it.
pub(crate) fn flatten(map: &[Entry]) -> BTreeMap<String, String> {
    let mut flat = BTreeMap::new();
    for entry in map {
        if let Entry::Pair(key, node) = entry {
            add(&mut flat, key.clone(), node);
        }
    }
    flat
}

fn add(flat: &mut BTreeMap<String, String>, name: String, node: &Node) {
    match node {
        Node::Null => {}
        Node::Scalar(scalar) => {
            flat.insert(name, String::from_utf8_lossy(scalar.text.expose()).into_owned());
        }
        Node::Map(map) => {
            for entry in map {
                if let Entry::Pair(key, node) = entry {
                    add(flat, format!("{name}__map_{key}"), node);
                }
            }
        }
        Node::List(list) => {
            for (at, element) in list.iter().enumerate() {
                if let Element::Node(node) = element {
                    add(flat, format!("{name}__list_{at}"), node);
                }
            }
        }
    }
}

/// What is being put together: maps by key, lists by index.
#[derive(Default)]
struct Slot {
    text: Option<String>,
    map: BTreeMap<String, Slot>,
    list: BTreeMap<usize, Slot>,
}

/// The map that was flattened; the order of the keys means nothing.
///
/// # Errors
/// Names that contradict each other, or do not end.
pub(crate) fn unflatten<'a>(flat: impl Iterator<Item = (&'a str, &'a str)>) -> Result<Node, Error> {
    let mut root = Slot::default();
    for (name, text) in flat {
        let mut slot = &mut root;
        let (first, mut rest) = name.split_at(step_end(name));
        slot = slot.map.entry(first.to_owned()).or_default();
        while !rest.is_empty() {
            let (step, after) = rest.split_at(2 + step_end(rest.get(2..).unwrap_or_default()));
            slot = if let Some(key) = step.strip_prefix("__map_") {
                slot.map.entry(key.to_owned()).or_default()
            } else {
                let index = step.strip_prefix("__list_").and_then(|index| index.parse().ok());
                let index =
                    index.filter(|index| *index < LONGEST_LIST).ok_or_else(|| wrong(name))?;
                slot.list.entry(index).or_default()
            };
            rest = after;
        }
        slot.text = Some(text.to_owned());
    }
    root.into_node("")
}

/// Where the next `__map_` or `__list_` begins.
fn step_end(text: &str) -> usize {
    let ends = [text.find("__map_"), text.find("__list_")];
    ends.into_iter().flatten().min().unwrap_or(text.len())
}

fn wrong(name: &str) -> Error {
    Error::Metadata {
        what: format!("`{name}` is no name of a flat map, or stands against another"),
    }
}

impl Slot {
    fn into_node(self, name: &str) -> Result<Node, Error> {
        match (self.text, self.map.is_empty(), self.list.is_empty()) {
            (Some(text), true, true) => Ok(Node::Scalar(Scalar::str(text))),
            (None, _, true) => {
                let pairs = self.map.into_iter().map(|(key, slot)| {
                    let node = slot.into_node(&key)?;
                    Ok(Entry::Pair(key, node))
                });
                Ok(Node::Map(pairs.collect::<Result<_, Error>>()?))
            }
            (None, true, false) => {
                let elements = self.list.into_values().map(|slot| slot.into_node(name));
                let elements = elements.map(|node| node.map(Element::Node));
                Ok(Node::List(elements.collect::<Result<_, Error>>()?))
            }
            _ => Err(wrong(name)),
        }
    }
}
