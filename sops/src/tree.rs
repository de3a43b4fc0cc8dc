//! A file's content as a tree that keeps the order of keys and the comments.
//!
//! The same shape holds ciphertext (as read from an encrypted file) and plaintext (opened, or read
//! from a plain one): a scalar of an encrypted file is the text that stands there.

use crate::secret::SecretBytes;

/// What a value is: in plaintext what it means, in an encrypted file what its text looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Str,
    /// A whole number.
    Int,
    /// A number with a fraction; every number of a JSON file.
    Float,
    /// `true` or `false`.
    Bool,
    /// A point in time, RFC 3339.
    Time,
    /// Bytes that are not text.
    Bytes,
}

impl Kind {
    /// The word that sops writes into `type:`.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Str => "str",
            Kind::Int => "int",
            Kind::Float => "float",
            Kind::Bool => "bool",
            Kind::Time => "time",
            Kind::Bytes => "bytes",
        }
    }
}

/// A leaf: its kind and its text as people write it (`true`, not sops' `True`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scalar {
    pub(crate) kind: Kind,
    pub(crate) text: SecretBytes,
}

impl Scalar {
    pub(crate) fn str(text: impl AsRef<[u8]>) -> Scalar {
        Scalar::of(Kind::Str, text)
    }

    pub(crate) fn of(kind: Kind, text: impl AsRef<[u8]>) -> Scalar {
        Scalar { kind, text: SecretBytes::new(text.as_ref().to_vec()) }
    }

    /// The bytes that sops encrypts and hashes.
    pub(crate) fn sops_bytes(&self) -> &[u8] {
        match (self.kind, self.text.expose()) {
            (Kind::Bool, b"true") => b"True",
            (Kind::Bool, b"false") => b"False",
            (_, text) => text,
        }
    }
}

/// One place in a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    Null,
    Scalar(Scalar),
    Map(Vec<Entry>),
    List(Vec<Element>),
}

/// What a map holds, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A comment's text after `#` or `;`.
    Comment(SecretBytes),
    Pair(String, Node),
}

/// What a list holds, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    Comment(SecretBytes),
    Node(Node),
}

/// A document: the map at the top.
pub(crate) type Document = Vec<Entry>;

/// The value of a key.
pub(crate) fn lookup<'a>(map: &'a [Entry], key: &str) -> Option<&'a Node> {
    map.iter().find_map(|entry| match entry {
        Entry::Pair(name, node) if name == key => Some(node),
        _ => None,
    })
}

impl Node {
    /// The place that keys, and the indexes of lists, lead to from here.
    pub(crate) fn at(&self, path: &[&str]) -> Option<&Node> {
        let Some((first, rest)) = path.split_first() else { return Some(self) };
        match self {
            Node::Map(map) => lookup(map, first)?.at(rest),
            Node::List(list) => {
                let nodes = list.iter().filter_map(|element| match element {
                    Element::Node(node) => Some(node),
                    Element::Comment(_) => None,
                });
                nodes.into_iter().nth(first.parse().ok()?)?.at(rest)
            }
            Node::Null | Node::Scalar(_) => None,
        }
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Node::Scalar(scalar) => scalar.text.expose_str(),
            _ => None,
        }
    }

    pub(crate) fn as_map(&self) -> Option<&[Entry]> {
        match self {
            Node::Map(map) => Some(map),
            _ => None,
        }
    }
}

/// The place that a path leads to in the first document that has it.
pub(crate) fn find<'a>(documents: &'a [Document], path: &[&str]) -> Option<&'a Node> {
    let (first, rest) = path.split_first()?;
    documents.iter().find_map(|document| lookup(document, first)?.at(rest))
}

/// Sets a value below a map, making the maps on the way.
///
/// # Errors
/// Words, where something on the way is no map.
pub(crate) fn set(
    map: &mut Vec<Entry>,
    path: &[&str],
    value: &SecretBytes,
) -> Result<(), &'static str> {
    let Some((first, rest)) = path.split_first() else { return Ok(()) };
    let there = map.iter_mut().find_map(|entry| match entry {
        Entry::Pair(key, node) if key == first => Some(node),
        _ => None,
    });
    match there {
        Some(node) => set_node(node, rest, value),
        None => {
            let mut node = if rest.is_empty() { Node::Null } else { Node::Map(Vec::new()) };
            set_node(&mut node, rest, value)?;
            map.push(Entry::Pair((*first).to_owned(), node));
            Ok(())
        }
    }
}

fn set_node(node: &mut Node, path: &[&str], value: &SecretBytes) -> Result<(), &'static str> {
    let Some((first, rest)) = path.split_first() else {
        let kind = match &*node {
            Node::Map(map) if !map.is_empty() => return Err("there is a map"),
            Node::List(list) if !list.is_empty() => return Err("there is a list"),
            Node::Scalar(scalar) if same_kind(scalar.kind, value) => scalar.kind,
            _ => Kind::Str,
        };
        *node = Node::Scalar(Scalar { kind, text: value.clone() });
        return Ok(());
    };
    match node {
        Node::Map(map) => set(map, path, value),
        Node::Null => {
            let mut map = Vec::new();
            set(&mut map, path, value)?;
            *node = Node::Map(map);
            Ok(())
        }
        Node::List(list) => {
            let index: usize = first.parse().map_err(|_| "a place in a list is a number from 0")?;
            let count = list.iter().filter(|element| matches!(element, Element::Node(_))).count();
            let mut nodes = list.iter_mut().filter_map(|element| match element {
                Element::Node(node) => Some(node),
                Element::Comment(_) => None,
            });
            match nodes.nth(index) {
                Some(node) => set_node(node, rest, value),
                None if index == count => {
                    let mut node = if rest.is_empty() { Node::Null } else { Node::Map(Vec::new()) };
                    set_node(&mut node, rest, value)?;
                    list.push(Element::Node(node));
                    Ok(())
                }
                None => Err("the list is not that long"),
            }
        }
        Node::Scalar(_) => Err("there is a value on the way to it"),
    }
}

/// Whether a new text keeps the kind that a value had, exactly as it would be written.
fn same_kind(kind: Kind, value: &SecretBytes) -> bool {
    let Some(text) = value.expose_str() else { return false };
    match kind {
        Kind::Int => text.parse::<i64>().is_ok_and(|number| number.to_string() == text),
        Kind::Float => text.parse::<f64>().is_ok_and(|number| number.to_string() == text),
        Kind::Bool => matches!(text, "true" | "false"),
        Kind::Str | Kind::Time | Kind::Bytes => false,
    }
}

/// All values below a map, with their places.
pub(crate) fn values<'a>(
    map: &'a [Entry],
    before: &str,
    found: &mut Vec<(String, &'a SecretBytes)>,
) {
    for entry in map {
        if let Entry::Pair(key, node) = entry {
            values_of(node, format!("{before}{key}"), found);
        }
    }
}

fn values_of<'a>(node: &'a Node, path: String, found: &mut Vec<(String, &'a SecretBytes)>) {
    match node {
        Node::Null => {}
        Node::Scalar(scalar) => found.push((path, &scalar.text)),
        Node::Map(map) => values(map, &format!("{path}/"), found),
        Node::List(list) => {
            let nodes = list.iter().filter_map(|element| match element {
                Element::Node(node) => Some(node),
                Element::Comment(_) => None,
            });
            for (index, node) in nodes.enumerate() {
                values_of(node, format!("{path}/{index}"), found);
            }
        }
    }
}
