//! `.sops.yaml`: for whom a new file is encrypted, and by which rule.

use regex_lite::Regex;

use crate::error::Error;
use crate::format;
use crate::recipient::Recipient;
use crate::rules::{Rule, RuleKind};
use crate::tree::{Element, Entry, Node, lookup};

/// The creation rules of a `.sops.yaml`.
#[derive(Clone, Debug)]
pub struct CreationRules {
    rules: Vec<(Option<Regex>, CreationRule)>,
}

/// What a file is encrypted with.
#[derive(Clone, Debug, PartialEq)]
pub struct CreationRule {
    /// Those who can open it, each group by itself. `key_groups` win over flat lists, as in sops.
    pub groups: Vec<Vec<Recipient>>,
    /// How many groups must be opened together; 0 means all.
    pub threshold: usize,
    /// Which values are encrypted; none where the default is meant.
    pub rule: Option<Rule>,
    /// Whether the code is over encrypted values alone.
    pub mac_only_encrypted: bool,
}

impl CreationRules {
    /// Reads a `.sops.yaml`. Its anchors and aliases are followed.
    ///
    /// # Errors
    /// What is not YAML, a pattern that is none, a recipient that is none.
    pub fn parse(bytes: &[u8]) -> Result<CreationRules, Error> {
        let document = format::read_config(bytes)?;
        let rules = match lookup(&document, "creation_rules") {
            None | Some(Node::Null) => Vec::new(),
            Some(node) => items(node).ok_or_else(|| wrong("`creation_rules` is not a list"))?,
        };
        let rules = rules.into_iter().map(|node| {
            let map = node.as_map().ok_or_else(|| wrong("a creation rule is not a map"))?;
            let pattern = text(map, "path_regex")?.filter(|text| !text.is_empty());
            let regex = pattern.map(|pattern| {
                Regex::new(&pattern)
                    .map_err(|error| wrong(&format!("`path_regex: {pattern}`: {error}")))
            });
            Ok((regex.transpose()?, CreationRule::read(map)?))
        });
        Ok(CreationRules { rules: rules.collect::<Result<_, Error>>()? })
    }

    /// The first rule for a file, by its path from the folder of the `.sops.yaml`.
    pub fn for_path(&self, path: &str) -> Option<&CreationRule> {
        let fits = |regex: &Option<Regex>| regex.as_ref().is_none_or(|regex| regex.is_match(path));
        self.rules.iter().find(|(regex, _)| fits(regex)).map(|(_, rule)| rule)
    }
}

impl CreationRule {
    fn read(map: &[Entry]) -> Result<CreationRule, Error> {
        let mut groups = Vec::new();
        if let Some(node) = lookup(map, "key_groups").filter(|node| **node != Node::Null) {
            for group in items(node).ok_or_else(|| wrong("`key_groups` is not a list"))? {
                let map = group.as_map().ok_or_else(|| wrong("a key group is not a map"))?;
                groups.push(read_group(map, 0)?);
            }
        }
        if groups.is_empty() {
            groups.push(read_group(map, 0)?);
        }
        groups.iter_mut().for_each(without_repeats);
        let threshold = text(map, "shamir_threshold")?.unwrap_or_else(|| "0".to_owned());
        let mut rules = Vec::new();
        for kind in RuleKind::ALL {
            if let Some(text) = text(map, kind.as_str())?.filter(|text| !text.is_empty()) {
                rules.push(Rule::new(kind, &text)?);
            }
        }
        if let [first, second, ..] = rules.as_slice() {
            let (first, second) = (first.kind().as_str(), second.kind().as_str());
            return Err(wrong(&format!("`{first}` and `{second}` exclude each other")));
        }
        Ok(CreationRule {
            groups,
            threshold: threshold
                .parse()
                .map_err(|_| wrong("`shamir_threshold` is not a number"))?,
            rule: rules.pop(),
            mac_only_encrypted: text(map, "mac_only_encrypted")?.as_deref() == Some("true"),
        })
    }
}

/// A group's recipients; `merge` brings those of other groups.
fn read_group(map: &[Entry], depth: usize) -> Result<Vec<Recipient>, Error> {
    let mut group = Vec::new();
    if let Some(merged) = lookup(map, "merge").and_then(items) {
        for other in merged.into_iter().filter_map(Node::as_map) {
            if depth > 8 {
                return Err(wrong("`merge` is nested too deep"));
            }
            group.extend(read_group(other, depth + 1)?);
        }
    }
    for list in ["kms", "gcp_kms", "hckms", "azure_keyvault", "hc_vault"] {
        if lookup(map, list).is_some_and(|node| !is_empty(node)) {
            return Err(wrong(&format!(
                "`{list}`: keys of clouds and vaults are not asked here; use sops itself for such files"
            )));
        }
    }
    for name in names(map, "age")? {
        group.push(Recipient::parse(&name)?);
    }
    for name in names(map, "pgp")? {
        group.push(Recipient::pgp(&name));
    }
    Ok(group)
}

/// The names in a list, or between the commas of a text.
fn names(map: &[Entry], key: &str) -> Result<Vec<String>, Error> {
    let texts = match lookup(map, key) {
        None | Some(Node::Null) => return Ok(Vec::new()),
        Some(Node::Scalar(scalar)) => vec![scalar.text.expose_str()],
        Some(node) => {
            let items = items(node).ok_or_else(|| wrong(&format!("`{key}` is not a list")))?;
            items.into_iter().map(Node::as_str).collect()
        }
    };
    let mut names = Vec::new();
    for text in texts {
        let text =
            text.ok_or_else(|| wrong(&format!("`{key}` holds something else than texts")))?;
        names.extend(text.split(',').map(|name| name.trim().to_owned()));
    }
    names.retain(|name| !name.is_empty());
    Ok(names)
}

fn without_repeats(group: &mut Vec<Recipient>) {
    let mut seen = std::collections::HashSet::new();
    group.retain(|recipient| seen.insert(recipient.clone()));
}

fn items(node: &Node) -> Option<Vec<&Node>> {
    let Node::List(list) = node else { return None };
    let nodes = list.iter().filter_map(|element| match element {
        Element::Node(node) => Some(node),
        Element::Comment(_) => None,
    });
    Some(nodes.collect())
}

fn is_empty(node: &Node) -> bool {
    match node {
        Node::Null => true,
        Node::Scalar(scalar) => scalar.text.is_empty(),
        Node::List(list) => list.is_empty(),
        Node::Map(_) => false,
    }
}

fn text(map: &[Entry], key: &str) -> Result<Option<String>, Error> {
    match lookup(map, key) {
        None | Some(Node::Null) => Ok(None),
        Some(node) => match node.as_str() {
            Some(text) => Ok(Some(text.to_owned())),
            None => Err(wrong(&format!("`{key}` is not a text"))),
        },
    }
}

fn wrong(what: &str) -> Error {
    Error::Rules { what: what.to_owned() }
}
