//! Over all values of a file, in the order in which sops goes: encrypting, decrypting, hashing.

use sha2::{Digest, Sha512};

use crate::cipher::{self, CipherError, Ciphertext, DataKey, Opened};
use crate::error::Error;
use crate::metadata::Metadata;
use crate::rules::{Comments, Rule};
use crate::secret::SecretBytes;
use crate::tree::{Document, Element, Entry, Node, Scalar};

/// SHA-256 of `sops`: where the code over encrypted values alone starts, so that it is never the other.
const ONLY_ENCRYPTED: [u8; 32] = [
    0x8a, 0x3f, 0xd2, 0xad, 0x54, 0xce, 0x66, 0x52, 0x7b, 0x10, 0x34, 0xf3, 0xd1, 0x47, 0xbe, 0x0b,
    0x0b, 0x97, 0x5b, 0x3b, 0xf4, 0x4f, 0x72, 0xc6, 0xfd, 0xad, 0xec, 0x81, 0x76, 0xf2, 0x7d, 0x69,
];

/// The message authentication code, while values pass.
struct Mac {
    hash: Sha512,
    only_encrypted: bool,
}

impl Mac {
    fn new(only_encrypted: bool) -> Mac {
        let mut hash = Sha512::new();
        if only_encrypted {
            hash.update(ONLY_ENCRYPTED);
        }
        Mac { hash, only_encrypted }
    }

    fn value(&mut self, value: &Scalar, encrypted: bool) {
        if encrypted || !self.only_encrypted {
            self.hash.update(value.sops_bytes());
        }
    }

    /// As sops writes it: upper-case hex.
    fn hex(self) -> String {
        self.hash.finalize().iter().map(|byte| format!("{byte:02X}")).collect()
    }
}

/// What a walk does to each place.
trait Visitor {
    fn value(&mut self, value: &Scalar, place: &Place<'_>) -> Result<Element, Error>;
    fn comment(&mut self, text: &SecretBytes, place: &Place<'_>) -> Element;
}

/// Where a walk is, and whether what stands there is encrypted.
struct Place<'a> {
    path: &'a [&'a str],
    encrypted: bool,
    in_list: bool,
}

impl Place<'_> {
    /// What ciphertext is bound to: the keys on the way, each followed by a colon.
    fn aad(&self) -> String {
        aad(self.path)
    }

    fn shown(&self) -> String {
        self.path.join("/")
    }
}

fn aad(path: &[&str]) -> String {
    // No key at all is one colon: sops joins, and appends one.
    format!("{}:", path.join(":"))
}

struct Walk<'r, V> {
    rule: &'r Rule,
    comments: Comments,
    visitor: V,
}

impl<V: Visitor> Walk<'_, V> {
    fn documents(&mut self, documents: &[Document]) -> Result<Vec<Document>, Error> {
        documents.iter().map(|document| self.map(document, &[])).collect()
    }

    fn map(&mut self, map: &[Entry], path: &[&str]) -> Result<Vec<Entry>, Error> {
        self.comments.enter();
        let mut done = Vec::with_capacity(map.len());
        for entry in map {
            match entry {
                Entry::Comment(text) => {
                    if let Element::Comment(text) = self.comment(text, path, false) {
                        done.push(Entry::Comment(text));
                    }
                }
                Entry::Pair(key, node) => {
                    let path = [path, &[key.as_str()]].concat();
                    let node = match self.node(node, &path, false)? {
                        Element::Node(node) => node,
                        // A comment where a value should be.
                        Element::Comment(_) => {
                            return Err(Error::UnknownType {
                                path: path.join("/"),
                                kind: "comment".to_owned(),
                            });
                        }
                    };
                    done.push(Entry::Pair(key.clone(), node));
                    self.comments.clear();
                }
            }
        }
        self.comments.leave();
        Ok(done)
    }

    fn list(&mut self, list: &[Element], path: &[&str]) -> Result<Vec<Element>, Error> {
        self.comments.enter();
        let mut done = Vec::with_capacity(list.len());
        for element in list {
            match element {
                Element::Comment(text) => done.push(self.comment(text, path, true)),
                Element::Node(node) => {
                    done.push(self.node(node, path, true)?);
                    self.comments.clear();
                }
            }
        }
        self.comments.leave();
        Ok(done)
    }

    fn node(&mut self, node: &Node, path: &[&str], in_list: bool) -> Result<Element, Error> {
        Ok(Element::Node(match node {
            Node::Null => Node::Null,
            Node::Map(map) => Node::Map(self.map(map, path)?),
            Node::List(list) => Node::List(self.list(list, path)?),
            Node::Scalar(scalar) => {
                let encrypted = self.rule.encrypts(path, &self.comments, false);
                return self.visitor.value(scalar, &Place { path, encrypted, in_list });
            }
        }))
    }

    fn comment(&mut self, text: &SecretBytes, path: &[&str], in_list: bool) -> Element {
        self.comments.push(text.expose());
        let encrypted = self.rule.encrypts(path, &self.comments, true);
        self.visitor.comment(text, &Place { path, encrypted, in_list })
    }
}

struct Decrypt<'a> {
    key: &'a DataKey,
    mac: Mac,
}

impl Visitor for Decrypt<'_> {
    fn value(&mut self, value: &Scalar, place: &Place<'_>) -> Result<Element, Error> {
        if !place.encrypted || value.text.is_empty() {
            self.mac.value(value, place.encrypted);
            return Ok(Element::Node(Node::Scalar(value.clone())));
        }
        let cipher = value.text.expose_str().and_then(Ciphertext::parse);
        let cipher = cipher.ok_or_else(|| Error::NotCiphertext {
            path: place.shown(),
            what: "it stands there in plain text".to_owned(),
        })?;
        match cipher.open(self.key, &place.aad()) {
            Ok(Opened::Scalar(scalar)) => {
                self.mac.value(&scalar, true);
                Ok(Element::Node(Node::Scalar(scalar)))
            }
            // sops writes a comment in a list as an element of it.
            Ok(Opened::Comment(text)) if place.in_list => Ok(Element::Comment(text)),
            Ok(Opened::Comment(_)) | Err(CipherError::UnknownType) => {
                Err(Error::UnknownType { path: place.shown(), kind: cipher.kind.to_owned() })
            }
            Err(CipherError::Tampered) => Err(Error::Tampered { path: place.shown() }),
        }
    }

    /// A comment is outside of the code. One that does not open was written by hand, or belongs to a
    /// map around this one: an editor's indentation does not say which.
    fn comment(&mut self, text: &SecretBytes, place: &Place<'_>) -> Element {
        let cipher = text.expose_str().map(str::trim).and_then(Ciphertext::parse);
        let opened = cipher.and_then(|cipher| {
            let paths = (0..=place.path.len()).rev().filter_map(|end| place.path.get(..end));
            let mut opened = paths.map(|path| cipher.open(self.key, &aad(path)));
            opened.find_map(|opened| match opened {
                Ok(Opened::Comment(text)) => Some(text),
                _ => None,
            })
        });
        Element::Comment(opened.unwrap_or_else(|| text.clone()))
    }
}

/// Opens all values; the code must be the file's.
pub(crate) fn decrypt(
    documents: &[Document],
    metadata: &Metadata,
    key: &DataKey,
) -> Result<Vec<Document>, Error> {
    let rule = metadata.effective_rule();
    let visitor = Decrypt { key, mac: Mac::new(metadata.mac_only_encrypted) };
    let mut walk = Walk { rule: &rule, comments: Comments::default(), visitor };
    let plain = walk.documents(documents)?;
    let mac = metadata.mac.as_deref().ok_or(Error::NoMac)?;
    let stored = Ciphertext::parse(mac).ok_or(Error::MacTampered)?;
    match stored.open(key, &metadata.lastmodified) {
        Ok(Opened::Scalar(stored)) => {
            if stored.text.expose() == walk.visitor.mac.hex().as_bytes() {
                Ok(plain)
            } else {
                Err(Error::MacMismatch)
            }
        }
        _ => Err(Error::MacTampered),
    }
}

struct Encrypt<'a> {
    key: &'a DataKey,
    mac: Mac,
    kept: &'a Kept,
}

/// Ciphertexts of a file's last version: a value that is the same in the same place keeps its own, so
/// that a difference between versions shows what changed.
#[derive(Default)]
pub(crate) struct Kept {
    values: Vec<(String, Opened, String)>,
    index: std::collections::HashMap<String, Vec<usize>>,
}

impl Kept {
    fn remember(&mut self, aad: String, opened: Opened, text: &str) {
        self.index.entry(aad.clone()).or_default().push(self.values.len());
        self.values.push((aad, opened, text.to_owned()));
    }

    fn find(&self, aad: &str, opened: &Opened) -> Option<&str> {
        let places = self.index.get(aad)?;
        let mut values = places.iter().filter_map(|at| self.values.get(*at));
        values.find(|(_, value, _)| value == opened).map(|(_, _, text)| text.as_str())
    }
}

impl Encrypt<'_> {
    fn seal(&self, opened: &Opened, aad: &str) -> String {
        if let Some(text) = self.kept.find(aad, opened) {
            return text.to_owned();
        }
        match opened {
            Opened::Scalar(value) => {
                cipher::seal(value.sops_bytes(), value.kind.as_str(), self.key, aad)
            }
            Opened::Comment(text) => cipher::seal(text.expose(), "comment", self.key, aad),
        }
    }
}

impl Visitor for Encrypt<'_> {
    fn value(&mut self, value: &Scalar, place: &Place<'_>) -> Result<Element, Error> {
        self.mac.value(value, place.encrypted);
        if !place.encrypted {
            return Ok(Element::Node(Node::Scalar(value.clone())));
        }
        let text = self.seal(&Opened::Scalar(value.clone()), &place.aad());
        Ok(Element::Node(Node::Scalar(Scalar::str(text))))
    }

    fn comment(&mut self, text: &SecretBytes, place: &Place<'_>) -> Element {
        let already = text.expose_str().map(str::trim).and_then(Ciphertext::parse).is_some();
        if !place.encrypted || already || text.is_empty() {
            return Element::Comment(text.clone());
        }
        let sealed = self.seal(&Opened::Comment(text.clone()), &place.aad());
        if place.in_list {
            // As sops does: what it reads back as a comment is an element.
            Element::Node(Node::Scalar(Scalar::str(sealed)))
        } else {
            Element::Comment(SecretBytes::from(sealed.as_str()))
        }
    }
}

/// Encrypts all values that the rule says, and makes the code, bound to `metadata.lastmodified`.
pub(crate) fn encrypt(
    plain: &[Document],
    metadata: &Metadata,
    key: &DataKey,
    kept: &Kept,
) -> Result<(Vec<Document>, String), Error> {
    let rule = metadata.effective_rule();
    let visitor = Encrypt { key, mac: Mac::new(metadata.mac_only_encrypted), kept };
    let mut walk = Walk { rule: &rule, comments: Comments::default(), visitor };
    let documents = walk.documents(plain)?;
    let mac = walk.visitor.mac.hex();
    Ok((documents, cipher::seal(mac.as_bytes(), "str", key, &metadata.lastmodified)))
}

struct Collect<'a> {
    key: &'a DataKey,
    kept: Kept,
}

impl Collect<'_> {
    fn remember(&mut self, text: &SecretBytes, place: &Place<'_>) {
        let aad = place.aad();
        let Some(text) = text.expose_str() else { return };
        let opened = Ciphertext::parse(text).and_then(|cipher| cipher.open(self.key, &aad).ok());
        if let Some(opened) = opened {
            self.kept.remember(aad, opened, text);
        }
    }
}

impl Visitor for Collect<'_> {
    fn value(&mut self, value: &Scalar, place: &Place<'_>) -> Result<Element, Error> {
        if place.encrypted {
            self.remember(&value.text, place);
        }
        Ok(Element::Node(Node::Null))
    }

    fn comment(&mut self, text: &SecretBytes, place: &Place<'_>) -> Element {
        self.remember(text, place);
        Element::Comment(text.clone())
    }
}

/// The ciphertexts of a file that can be opened with this key.
pub(crate) fn kept(documents: &[Document], metadata: &Metadata, key: &DataKey) -> Kept {
    let rule = metadata.effective_rule();
    let visitor = Collect { key, kept: Kept::default() };
    let mut walk = Walk { rule: &rule, comments: Comments::default(), visitor };
    // What cannot be walked has nothing to keep.
    drop(walk.documents(documents));
    walk.visitor.kept
}

/// What stands at a place, as far as it shows without a key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// Ciphertext of a value of this kind.
    Encrypted(crate::tree::Kind),
    /// Readable by everybody, because the rule leaves it so.
    Plain,
    /// Nothing: an empty text, which sops does not encrypt, or null.
    Empty,
    /// A map.
    Map,
    /// A list.
    List,
    /// Should be ciphertext by the rule, and is not: it was put there by hand, or its type is unknown.
    NotCiphertext,
}

/// A value of a file, with where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// Keys on the way; indexes (from 0) in lists.
    pub path: Vec<String>,
    /// What stands there.
    pub state: State,
}

/// What stands at each place, without a key.
pub(crate) fn states(documents: &[Document], rule: &Rule) -> Vec<Leaf> {
    let mut states = States { rule, comments: Comments::default(), leaves: Vec::new() };
    for document in documents {
        states.map(document, &mut Vec::new(), &mut Vec::new());
    }
    states.leaves
}

struct States<'a> {
    rule: &'a Rule,
    comments: Comments,
    leaves: Vec<Leaf>,
}

impl States<'_> {
    fn map<'n>(&mut self, map: &'n [Entry], path: &mut Vec<String>, keys: &mut Vec<&'n str>) {
        self.comments.enter();
        for entry in map {
            match entry {
                Entry::Comment(text) => self.comments.push(text.expose()),
                Entry::Pair(key, node) => {
                    path.push(key.clone());
                    keys.push(key);
                    self.node(node, path, keys);
                    keys.pop();
                    path.pop();
                    self.comments.clear();
                }
            }
        }
        self.comments.leave();
    }

    fn node<'n>(&mut self, node: &'n Node, path: &mut Vec<String>, keys: &mut Vec<&'n str>) {
        let state = match node {
            Node::Null => State::Empty,
            Node::Map(_) => State::Map,
            Node::List(_) => State::List,
            Node::Scalar(scalar) if scalar.text.is_empty() => State::Empty,
            Node::Scalar(scalar) => match scalar.text.expose_str().and_then(Ciphertext::parse) {
                _ if !self.rule.encrypts(keys, &self.comments, false) => State::Plain,
                // Of a list: sops writes comments there as elements.
                Some(cipher) if cipher.is_comment() => return,
                Some(cipher) => match cipher.value_kind() {
                    Some(kind) => State::Encrypted(kind),
                    None => State::NotCiphertext,
                },
                None => State::NotCiphertext,
            },
        };
        self.leaves.push(Leaf { path: path.clone(), state });
        match node {
            Node::Map(map) => self.map(map, path, keys),
            Node::List(list) => {
                self.comments.enter();
                let mut index = 0;
                for element in list {
                    match element {
                        Element::Comment(text) => self.comments.push(text.expose()),
                        Element::Node(node) => {
                            path.push(index.to_string());
                            let before = self.leaves.len();
                            self.node(node, path, keys);
                            index += usize::from(self.leaves.len() > before);
                            path.pop();
                            self.comments.clear();
                        }
                    }
                }
                self.comments.leave();
            }
            Node::Null | Node::Scalar(_) => {}
        }
    }
}
