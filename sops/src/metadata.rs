//! What sops writes beside the values: for whom, when, by which rule, and the code over all of them.

use crate::error::Error;
use crate::format::Format;
use crate::recipient::Recipient;
use crate::rules::{Rule, RuleKind};
use crate::tree::{Element, Entry, Node, Scalar, lookup};

/// The `sops` map of a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Metadata {
    /// Those who can open it, each group by itself.
    pub groups: Vec<Group>,
    /// How many groups must be opened together; 0 where the file has none, which means all.
    pub threshold: usize,
    /// RFC 3339, as the file has it; the code is bound to it.
    pub lastmodified: String,
    /// Ciphertext of the message authentication code.
    pub mac: Option<String>,
    /// Whether the code is over encrypted values alone.
    pub mac_only_encrypted: bool,
    /// Which values are encrypted; none where the file has no rule, which means the default.
    pub rule: Option<Rule>,
    /// The sops that wrote it.
    pub version: String,
}

/// A key group: each member opens it alone.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    /// Its members.
    pub stanzas: Vec<Stanza>,
}

/// The data key (or a share of it) for one recipient.
#[derive(Clone, Debug, PartialEq)]
pub struct Stanza {
    /// Who opens it.
    pub recipient: Recipient,
    /// The key as they can open it, as the file has it.
    pub enc: String,
    /// Other fields of the stanza (`created_at`, a cloud's names), as the file has them.
    pub(crate) others: Vec<Entry>,
}

/// Lists of stanzas by the service that opens them, and the field that names the key there; in sops' order.
const SERVICES: [(&str, &str); 7] = [
    ("kms", "arn"),
    ("gcp_kms", "resource_id"),
    ("hckms", "key_id"),
    ("azure_kv", "name"),
    ("hc_vault", "key_name"),
    ("age", "recipient"),
    ("pgp", "fp"),
];

impl Metadata {
    /// Reads the `sops` map.
    pub(crate) fn read(node: &Node) -> Result<Metadata, Error> {
        let map = node.as_map().ok_or_else(|| damaged("`sops` is not a map"))?;
        let version = text(map, "version")?.unwrap_or_default();
        let major = version.split('.').next().and_then(|text| text.parse::<u64>().ok());
        if major.is_some_and(|major| major > 3) {
            return Err(Error::NewerFormat { version });
        }
        let flat = Group::read(map)?;
        let groups = if flat.stanzas.is_empty() {
            let groups = list(map, "key_groups")?;
            groups
                .into_iter()
                .map(|group| {
                    Group::read(group.as_map().ok_or_else(|| damaged("a key group is no map"))?)
                })
                .collect::<Result<Vec<_>, _>>()?
        } else {
            vec![flat]
        };
        if groups.is_empty() || groups.iter().any(|group| group.stanzas.is_empty()) {
            return Err(damaged("there is no recipient in it, or in one of its key groups"));
        }
        let number = text(map, "shamir_threshold")?;
        let threshold = match number.as_deref() {
            None | Some("") => 0,
            Some(number) => number.parse().map_err(|_| {
                damaged(&format!("`shamir_threshold` is `{number}`, which is no number"))
            })?,
        };
        if threshold > groups.len() {
            let what = format!("{threshold} key groups are needed and there are {}", groups.len());
            return Err(damaged(&what));
        }
        let only = text(map, "mac_only_encrypted")?;
        Ok(Metadata {
            groups,
            threshold,
            lastmodified: text(map, "lastmodified")?
                .ok_or_else(|| damaged("there is no `lastmodified`"))?,
            mac: text(map, "mac")?.filter(|mac| !mac.is_empty()),
            mac_only_encrypted: only.as_deref() == Some("true"),
            rule: read_rule(map)?,
            version,
        })
    }

    /// The `sops` map, with sops' order of keys.
    pub(crate) fn write(&self, format: Format) -> Vec<Entry> {
        let mut map = Vec::new();
        if self.threshold > 0 {
            map.push(pair(
                "shamir_threshold",
                &Scalar::of(crate::Kind::Int, self.threshold.to_string()),
            ));
        }
        match self.groups.as_slice() {
            [group] => map.extend(group.write()),
            groups => {
                // sops writes this list in groups though it is empty.
                let vault = match format {
                    Format::Yaml => Node::List(Vec::new()),
                    _ => Node::Null,
                };
                let written = groups.iter().map(|group| {
                    let mut map = group.write();
                    if lookup(&map, "hc_vault").is_none() {
                        let at = map
                            .iter()
                            .position(|entry| matches!(entry, Entry::Pair(key, _) if key == "age"));
                        let vault = Entry::Pair("hc_vault".to_owned(), vault.clone());
                        map.insert(at.unwrap_or(map.len()), vault);
                    }
                    Element::Node(Node::Map(map))
                });
                map.push(Entry::Pair("key_groups".to_owned(), Node::List(written.collect())));
            }
        }
        map.push(pair("lastmodified", &Scalar::str(&self.lastmodified)));
        map.push(pair("mac", &Scalar::str(self.mac.as_deref().unwrap_or_default())));
        if let Some(rule) = &self.rule {
            map.push(pair(rule.kind().as_str(), &Scalar::str(rule.text())));
        }
        if self.mac_only_encrypted {
            map.push(pair("mac_only_encrypted", &Scalar::of(crate::Kind::Bool, "true")));
        }
        map.push(pair("version", &Scalar::str(&self.version)));
        map
    }

    /// All who can open the file or a group of it.
    pub fn recipients(&self) -> impl Iterator<Item = &Recipient> {
        self.groups.iter().flat_map(Group::recipients)
    }

    /// The rule in force.
    pub(crate) fn effective_rule(&self) -> Rule {
        self.rule.clone().unwrap_or_default()
    }

    /// How many groups must be opened together.
    pub fn needed(&self) -> usize {
        if self.threshold == 0 { self.groups.len() } else { self.threshold }
    }
}

fn read_rule(map: &[Entry]) -> Result<Option<Rule>, Error> {
    let mut rules = Vec::new();
    for kind in RuleKind::ALL {
        if let Some(text) = text(map, kind.as_str())?.filter(|text| !text.is_empty()) {
            rules.push(Rule::new(kind, &text)?);
        }
    }
    if let [first, second, ..] = rules.as_slice() {
        let (first, second) = (first.kind().as_str(), second.kind().as_str());
        return Err(damaged(&format!("`{first}` and `{second}` exclude each other")));
    }
    Ok(rules.pop())
}

impl Group {
    /// Its members.
    pub fn recipients(&self) -> impl Iterator<Item = &Recipient> {
        self.stanzas.iter().map(|stanza| &stanza.recipient)
    }

    fn read(map: &[Entry]) -> Result<Group, Error> {
        let mut stanzas = Vec::new();
        for (service, name) in SERVICES {
            for stanza in list(map, service)? {
                let stanza = stanza
                    .as_map()
                    .ok_or_else(|| damaged(&format!("a recipient of `{service}` is no map")))?;
                let named = text(stanza, name)?.ok_or_else(|| {
                    damaged(&format!("a recipient of `{service}` has no `{name}`"))
                })?;
                let recipient = match service {
                    "age" => Recipient::parse(&named)?,
                    "pgp" => Recipient::pgp(&named),
                    _ => Recipient::service(service, &named),
                };
                let enc = text(stanza, "enc")?
                    .ok_or_else(|| damaged(&format!("{recipient} has no `enc`")))?;
                let others = stanza.iter().filter(
                    |entry| matches!(entry, Entry::Pair(key, _) if key != "enc" && key != name),
                );
                stanzas.push(Stanza { recipient, enc, others: others.cloned().collect() });
            }
        }
        Ok(Group { stanzas })
    }

    fn write(&self) -> Vec<Entry> {
        let mut map = Vec::new();
        for (service, name) in SERVICES {
            let stanzas = self.stanzas.iter().filter(|stanza| stanza.recipient.list() == service);
            let list: Vec<Element> = stanzas
                .map(|stanza| {
                    let named = pair(name, &Scalar::str(stanza.recipient.to_string()));
                    let enc = pair("enc", &Scalar::str(&stanza.enc));
                    Element::Node(Node::Map(match service {
                        "age" => vec![named, enc],
                        "pgp" => [stanza.others.clone(), vec![enc, named]].concat(),
                        _ => [vec![named], stanza.others.clone(), vec![enc]].concat(),
                    }))
                })
                .collect();
            if !list.is_empty() {
                map.push(Entry::Pair(service.to_owned(), Node::List(list)));
            }
        }
        map
    }
}

fn pair(key: &str, scalar: &Scalar) -> Entry {
    Entry::Pair(key.to_owned(), Node::Scalar(scalar.clone()))
}

fn damaged(what: &str) -> Error {
    Error::Metadata { what: what.to_owned() }
}

/// A text field; none where it is absent or null.
pub(crate) fn text(map: &[Entry], key: &str) -> Result<Option<String>, Error> {
    match lookup(map, key) {
        None | Some(Node::Null) => Ok(None),
        Some(node) => match node.as_str() {
            Some(text) => Ok(Some(text.to_owned())),
            None => Err(damaged(&format!("`{key}` is not a text"))),
        },
    }
}

/// A field that is a list; empty where it is absent or null.
fn list<'a>(map: &'a [Entry], key: &str) -> Result<Vec<&'a Node>, Error> {
    match lookup(map, key) {
        None | Some(Node::Null) => Ok(Vec::new()),
        Some(Node::List(list)) => Ok(list
            .iter()
            .filter_map(|element| match element {
                Element::Node(node) => Some(node),
                Element::Comment(_) => None,
            })
            .collect()),
        Some(_) => Err(damaged(&format!("`{key}` is not a list"))),
    }
}
