//! What `cairn.lock` says of inputs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::InputError;
use super::reference::Reference;

/// Every input of a fleet, and theirs, by their place in the tree: `common`, `common/base`.
pub type InputLock = BTreeMap<String, Entry>;

/// One input of a lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Entry {
    /// Another input stands for it.
    Follows(Follows),
    /// It has content of its own.
    Locked(Locked),
}

/// An input that another one stands for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Follows {
    /// The other's place in the tree of inputs.
    pub follows: String,
}

/// An input's content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Locked {
    /// The reference, as it is declared.
    pub url: String,
    /// The revision, of a repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rev: Option<String>,
    /// When that content was made, in seconds since 1970; not known of folders.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "date")]
    pub date: Option<i64>,
    /// Nix's hash of the tree, `sha256-…`.
    pub hash: String,
}

impl Locked {
    /// The day of its content, as `2026-11-20`.
    pub fn day(&self) -> Option<String> {
        let date = jiff::Timestamp::from_second(self.date?).ok()?;
        Some(date.strftime("%Y-%m-%d").to_string())
    }

    /// Whether this is what `reference` asks for.
    pub(super) fn is_of(&self, reference: &Reference) -> bool {
        if self.url == reference.text {
            return true;
        }
        let alike = |other: Reference| {
            (&other.source, &other.branch, &other.rev, &other.dir)
                == (&reference.source, &reference.branch, &reference.rev, &reference.dir)
        };
        Reference::parse(&self.url).is_ok_and(alike)
    }
}

/// Dates are for people who read a lock: RFC 3339, UTC.
mod date {
    use jiff::Timestamp;
    use serde::{
        Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::Error as _,
    };

    #[expect(clippy::ref_option, reason = "the signature is serde's")]
    pub(super) fn serialize<S: Serializer>(date: &Option<i64>, to: S) -> Result<S::Ok, S::Error> {
        let text = |seconds| Timestamp::from_second(seconds).map(|date| date.to_string());
        date.map(text).transpose().map_err(S::Error::custom)?.serialize(to)
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Option<i64>, D::Error> {
        let Some(text) = Option::<String>::deserialize(from)? else { return Ok(None) };
        text.parse::<Timestamp>().map(|date| Some(date.as_second())).map_err(D::Error::custom)
    }
}

/// Reads the lock of Nix's flakes.
///
/// # Errors
/// `input::bad-flake-lock` where it is none, or of another version. What Cairn cannot fetch is left
/// out.
pub fn of_flake_lock(text: &str) -> Result<InputLock, InputError> {
    let bad = |message: &str| {
        let help = "it is the file that `nix flake lock` writes, of version 7";
        InputError::new("input::bad-flake-lock", format!("flake.lock: {message}"), help)
    };
    let lock: flake::Lock = serde_json::from_str(text).map_err(|error| bad(&error.to_string()))?;
    if lock.version != 7 {
        return Err(bad(&format!("its version is {}", lock.version)));
    }
    let mut found = InputLock::new();
    flake::walk(&lock, &lock.root, "", 0, &mut found);
    Ok(found)
}

/// The parts of a `flake.lock` that are wanted here.
mod flake {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::{Entry, Follows, InputLock, Locked};

    /// Inputs of inputs are not nested deeper than this by anybody.
    const DEEPEST: usize = 32;

    #[derive(Deserialize)]
    pub(super) struct Lock {
        pub(super) version: u32,
        pub(super) root: String,
        nodes: BTreeMap<String, Node>,
    }

    #[derive(Deserialize)]
    struct Node {
        #[serde(default)]
        inputs: BTreeMap<String, Input>,
        original: Option<Source>,
        locked: Option<Source>,
    }

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Input {
        Node(String),
        Follows(Vec<String>),
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Source {
        r#type: String,
        owner: Option<String>,
        repo: Option<String>,
        host: Option<String>,
        url: Option<String>,
        r#ref: Option<String>,
        rev: Option<String>,
        dir: Option<String>,
        nar_hash: Option<String>,
        last_modified: Option<i64>,
    }

    pub(super) fn walk(lock: &Lock, name: &str, at: &str, depth: usize, found: &mut InputLock) {
        let Some(node) = lock.nodes.get(name).filter(|_| depth < DEEPEST) else { return };
        for (input, target) in &node.inputs {
            let key = if at.is_empty() { input.clone() } else { format!("{at}/{input}") };
            match target {
                Input::Follows(path) => {
                    let follows = path.join("/");
                    found.insert(key, Entry::Follows(Follows { follows }));
                }
                Input::Node(name) => {
                    let locked = lock.nodes.get(name).and_then(locked);
                    found.extend(locked.map(|locked| (key.clone(), Entry::Locked(locked))));
                    walk(lock, name, &key, depth + 1, found);
                }
            }
        }
    }

    fn locked(node: &Node) -> Option<Locked> {
        let source = node.locked.as_ref()?;
        Some(Locked {
            url: node.original.as_ref().and_then(url)?,
            rev: source.rev.clone(),
            date: source.last_modified,
            hash: source.nar_hash.clone()?,
        })
    }

    /// The reference that a declaration had.
    fn url(source: &Source) -> Option<String> {
        let mut query = Vec::new();
        let mut ask = |key: &str, value: &Option<String>| {
            query.extend(value.as_ref().map(|value| format!("{key}={value}")));
        };
        ask("dir", &source.dir);
        ask("ref", &source.r#ref);
        ask("rev", &source.rev);
        let place = match source.r#type.as_str() {
            forge @ ("github" | "gitlab") => {
                ask("host", &source.host);
                format!("{forge}:{}/{}", source.owner.as_ref()?, source.repo.as_ref()?)
            }
            "git" => format!("git+{}", source.url.as_ref()?),
            "tarball" => format!("tarball+{}", source.url.as_ref()?),
            _ => return None,
        };
        let query = query.join("&");
        Some(if query.is_empty() { place } else { format!("{place}?{query}") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_reads_as_it_was_written() {
        let locked = Locked {
            url: "github:a/b".to_owned(),
            rev: Some("0".repeat(40)),
            date: Some(1_700_000_000),
            hash: "sha256-AAAA".to_owned(),
        };
        let lock = InputLock::from([
            ("common".to_owned(), Entry::Locked(locked)),
            ("common/base".to_owned(), Entry::Follows(Follows { follows: "base".to_owned() })),
        ]);
        let text = serde_json::to_string_pretty(&lock).expect("written");
        insta::assert_snapshot!(text, @r#"
        {
          "common": {
            "url": "github:a/b",
            "rev": "0000000000000000000000000000000000000000",
            "date": "2023-11-14T22:13:20Z",
            "hash": "sha256-AAAA"
          },
          "common/base": {
            "follows": "base"
          }
        }
        "#);
        assert_eq!(serde_json::from_str::<InputLock>(&text).expect("read"), lock);
        let unknown = text.replace("\"rev\"", "\"revision\"");
        assert!(serde_json::from_str::<InputLock>(&unknown).is_err());
    }

    #[test]
    fn a_lock_of_flakes() {
        let text = r#"{ "version": 7, "root": "root", "nodes": {
          "root": { "inputs": { "nixpkgs": "nixpkgs_2", "utils": "utils" } },
          "nixpkgs_2": {
            "original": { "type": "github", "owner": "NixOS", "repo": "nixpkgs", "ref": "nixos-24.11" },
            "locked": { "type": "github", "owner": "NixOS", "repo": "nixpkgs", "rev": "abc",
                        "narHash": "sha256-x=", "lastModified": 1700000000 } },
          "utils": { "inputs": { "nixpkgs": ["nixpkgs"] },
            "original": { "type": "git", "url": "https://h/u.git" },
            "locked": { "type": "git", "url": "https://h/u.git", "rev": "def",
                        "narHash": "sha256-y=", "lastModified": 1 } } } }"#;
        let lock = of_flake_lock(text).expect("read");
        insta::assert_snapshot!(serde_json::to_string_pretty(&lock).expect("written"), @r#"
        {
          "nixpkgs": {
            "url": "github:NixOS/nixpkgs?ref=nixos-24.11",
            "rev": "abc",
            "date": "2023-11-14T22:13:20Z",
            "hash": "sha256-x="
          },
          "utils": {
            "url": "git+https://h/u.git",
            "rev": "def",
            "date": "1970-01-01T00:00:01Z",
            "hash": "sha256-y="
          },
          "utils/nixpkgs": {
            "follows": "nixpkgs"
          }
        }
        "#);
        let Some(Entry::Locked(nixpkgs)) = lock.get("nixpkgs") else { panic!("no nixpkgs") };
        let declared = Reference::parse("github:NixOS/nixpkgs/nixos-24.11").expect("a reference");
        assert!(nixpkgs.is_of(&declared));
        assert!(of_flake_lock("{}").is_err());
    }
}
