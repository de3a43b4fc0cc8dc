//! Secrets of a generation: ciphertext and where its plaintext goes, never the plaintext.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::id::BlobId;
use crate::layout::{self, LayoutError};
use crate::manifest::{is_default, is_root, root};

/// Where the node shows its decrypted secrets. It lies in memory, and is empty after every boot
/// until recovery has filled it again.
pub const SECRETS_DIR: &str = "/run/cairn/secrets";

/// The folder of filled templates in [`SECRETS_DIR`].
pub const RENDERED: &str = "rendered";

/// All secrets of a host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Secrets {
    /// A file on the host with age identities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_file: Option<String>,
    /// Private SSH keys of the host that decrypt.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ssh_key_paths: Vec<String>,
    /// Secrets by name: each becomes the file of that name in [`SECRETS_DIR`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, Secret>,
    /// Texts with secrets in them, by name: each becomes a file in [`RENDERED`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub templates: BTreeMap<String, Template>,
}

/// One secret: a value of a SOPS file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Secret {
    /// The SOPS file, as it stands in the repository.
    pub file: BlobId,
    /// Where the file is in the repository: what people are told.
    pub source: String,
    /// How the file is written.
    pub format: Format,
    /// Keys on the way to the value, joined with `/`; empty for the whole file.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub key: String,
    /// BLAKE3 of the value's ciphertext alone: other values of its file may change without it.
    pub ciphertext: BlobId,
    /// Whether a switch goes on without it when it cannot be decrypted.
    #[serde(default, skip_serializing_if = "is_default")]
    pub optional: bool,
    /// Whose it is, and who is told of a change.
    #[serde(default, skip_serializing_if = "is_default")]
    pub access: Access,
}

/// A text with secrets in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Template {
    /// The text, with placeholders.
    pub content: BlobId,
    /// Names of the secrets by the placeholders that stand for them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub placeholders: BTreeMap<String, String>,
    /// How values are written in the places of their placeholders.
    #[serde(default, skip_serializing_if = "is_default")]
    pub escape: Escape,
    /// Whose it is, and who is told of a change.
    #[serde(default, skip_serializing_if = "is_default")]
    pub access: Access,
}

/// How a value is written in the middle of a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Escape {
    /// As it is.
    #[default]
    None,
    /// As the inside of a JSON string, which is one of YAML too.
    Json,
}

/// Who may read a secret, and which units read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Access {
    /// Four octal digits (`0400`).
    #[serde(default = "default_mode", skip_serializing_if = "is_default_mode")]
    pub mode: String,
    /// Owner by name or number.
    #[serde(default = "root", skip_serializing_if = "is_root")]
    pub user: String,
    /// Group by name or number.
    #[serde(default = "root", skip_serializing_if = "is_root")]
    pub group: String,
    /// Units that are restarted when content, owner or mode changes.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub restart_units: BTreeSet<String>,
    /// Units that are reloaded then.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub reload_units: BTreeSet<String>,
}

/// How a SOPS file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// YAML.
    Yaml,
    /// JSON.
    Json,
    /// `KEY=value` lines.
    Dotenv,
    /// INI.
    Ini,
    /// Any bytes, as JSON with the one key `data`.
    Binary,
}

impl Secrets {
    /// Whether there is nothing to decrypt and nothing to fill.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty() && self.templates.is_empty()
    }

    /// Every blob that the node needs for them.
    pub fn blobs(&self) -> impl Iterator<Item = BlobId> {
        let files = self.values.values().map(|secret| secret.file);
        files.chain(self.templates.values().map(|template| template.content))
    }

    /// Files in [`SECRETS_DIR`] by their path there: who may read them, and the secret or template
    /// that they are.
    pub fn files(&self) -> BTreeMap<String, &Access> {
        let values = self.values.iter().map(|(name, secret)| (name.clone(), &secret.access));
        let rendered = self
            .templates
            .iter()
            .map(|(name, template)| (format!("{RENDERED}/{name}"), &template.access));
        values.chain(rendered).collect()
    }

    /// Whether every file has a place of its own inside of [`SECRETS_DIR`], and a mode.
    ///
    /// # Errors
    /// With the first that has not.
    pub(crate) fn check(&self) -> Result<(), LayoutError> {
        let files = self.files();
        for (path, access) in &files {
            let normal = |part: &str| !matches!(part, "" | "." | "..");
            if !path.split('/').all(normal) || path.contains(char::is_control) {
                return Err(LayoutError::Name { what: "secret", name: path.clone() });
            }
            layout::parse_mode(path, &access.mode)?;
            let mut parents = path.match_indices('/').filter_map(|(end, _)| path.get(..end));
            if let Some(other) = parents.find(|parent| files.contains_key(*parent)) {
                return Err(collision(
                    path,
                    other,
                    "one is a secret where the other needs a folder",
                ));
            }
        }
        let place = |name: &String| format!("{RENDERED}/{name}");
        let taken = |path: &String| self.values.contains_key(path);
        if let Some(path) = self.templates.keys().map(place).find(taken) {
            return Err(collision(&path, &path, "a secret and a template have the same place"));
        }
        Ok(())
    }

    /// What of them is otherwise than in `old`: each with `add`, `change` or `remove`. A template
    /// changes with the secrets in it.
    pub fn changes(&self, old: &Secrets) -> SecretChanges {
        let shown = |secret: &Secret| (secret.ciphertext, secret.access.clone());
        let values = changes(
            &old.values.iter().map(|(name, secret)| (name, shown(secret))).collect(),
            &self.values.iter().map(|(name, secret)| (name, shown(secret))).collect(),
        );
        let filled = |secrets: &Secrets, template: &Template| {
            let parts = template.placeholders.values();
            let parts = parts.map(|name| secrets.values.get(name).map(|secret| secret.ciphertext));
            (template.content, template.access.clone(), parts.collect::<Vec<_>>())
        };
        let templates = changes(
            &old.templates.iter().map(|(name, one)| (name, filled(old, one))).collect(),
            &self.templates.iter().map(|(name, one)| (name, filled(self, one))).collect(),
        );
        SecretChanges { values, templates }
    }
}

/// Names of secrets and templates that differ between two generations, each with `add`, `change`
/// or `remove`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecretChanges {
    /// Secrets.
    pub values: Vec<(String, &'static str)>,
    /// Templates.
    pub templates: Vec<(String, &'static str)>,
}

fn changes<T: PartialEq>(
    old: &BTreeMap<&String, T>,
    new: &BTreeMap<&String, T>,
) -> Vec<(String, &'static str)> {
    let changes = crate::diff::changes(old, new).into_iter();
    changes.map(|(name, does)| (name.to_owned(), does)).collect()
}

fn collision(path: &str, other: &str, why: &'static str) -> LayoutError {
    LayoutError::Collision { path: path.to_owned(), other: other.to_owned(), why }
}

impl Default for Access {
    /// For root alone.
    fn default() -> Self {
        Self {
            mode: default_mode(),
            user: root(),
            group: root(),
            restart_units: BTreeSet::new(),
            reload_units: BTreeSet::new(),
        }
    }
}

fn default_mode() -> String {
    "0400".to_owned()
}

fn is_default_mode(mode: &String) -> bool {
    mode == "0400"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(value: &str) -> Secret {
        Secret {
            file: BlobId::of(b"file"),
            source: "secrets.yaml".to_owned(),
            format: Format::Yaml,
            key: "a".to_owned(),
            ciphertext: BlobId::of(value.as_bytes()),
            optional: false,
            access: Access::default(),
        }
    }

    fn secrets(values: &[(&str, &str)], templates: &[(&str, &str)]) -> Secrets {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), secret(value)));
        let template = |(name, of): &(&str, &str)| {
            let placeholders = BTreeMap::from([("<1>".to_owned(), (*of).to_owned())]);
            let content = BlobId::of(b"text");
            (
                (*name).to_owned(),
                Template { content, placeholders, escape: Escape::Json, access: Access::default() },
            )
        };
        Secrets {
            values: values.collect(),
            templates: templates.iter().map(template).collect(),
            ..Secrets::default()
        }
    }

    #[test]
    fn a_value_changes_the_templates_that_it_is_in() {
        let old = secrets(&[("a", "1"), ("b", "1")], &[("t", "a"), ("u", "b")]);
        let new = secrets(&[("a", "2"), ("b", "1"), ("c", "1")], &[("t", "a"), ("u", "b")]);
        let named = |name: &str, does| vec![(name.to_owned(), does)];
        let changes = new.changes(&old);
        assert_eq!(changes.values, [named("a", "change"), named("c", "add")].concat());
        assert_eq!(changes.templates, named("t", "change"));
        assert_eq!(new.changes(&new), SecretChanges::default());
    }

    #[test]
    fn each_has_a_place_of_its_own() {
        assert!(secrets(&[("a", "1"), ("b/c", "1")], &[("a", "a")]).check().is_ok());
        for bad in [
            secrets(&[("a", "1"), ("a/b", "1")], &[]),
            secrets(&[("rendered/t", "1")], &[("t", "a")]),
            secrets(&[("../../etc/passwd", "1")], &[]),
            secrets(&[("a//b", "1")], &[]),
            secrets(&[("", "1")], &[]),
        ] {
            assert!(bad.check().is_err(), "{:?}", bad.files());
        }
    }

    #[test]
    fn defaults_are_left_out() {
        let text = crate::canonical::to_vec(&secrets(&[("a", "1")], &[])).unwrap();
        insta::assert_snapshot!(String::from_utf8(text).unwrap(), @r#"{"values":{"a":{"ciphertext":"d63bd9a826af91c1fea371965a64e11ee20f13e46b5f52c59901136605b3a487","file":"39aac93919e644bc384a2c14a24d6c8c4b57159cc1b54d2c469d79be97d1bf51","format":"yaml","key":"a","source":"secrets.yaml"}}}"#);
    }
}
