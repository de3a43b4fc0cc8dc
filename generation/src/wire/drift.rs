//! How a host is not as its generation says.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One thing of a host that is not as its generation says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drift {
    /// What kind of thing.
    pub kind: DriftKind,
    /// Which: a path, a unit, a sysctl's key, a login, `<family> <table>`.
    pub name: String,
    /// What is wrong with it, as the end of a sentence.
    pub what: String,
    /// What the generation says, where that is short and no secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What the host has in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<String>,
}

/// What can drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DriftKind {
    /// A managed path.
    File,
    /// A fetched program.
    Program,
    /// A folder of a tmpfiles rule.
    Directory,
    /// A Debian package.
    Package,
    /// An entry of /etc/group.
    Group,
    /// An entry of /etc/passwd.
    User,
    /// A sysctl.
    Sysctl,
    /// The host's name.
    Hostname,
    /// An nftables table.
    Nftables,
    /// A decrypted secret, or a text with secrets in it, by its path below `/run/cairn/secrets`.
    Secret,
    /// A drop-in that somebody gave a managed unit, by its path.
    DropIn,
    /// A unit.
    Unit,
}

impl Drift {
    /// Something that is wrong without two values to compare.
    pub fn new(kind: DriftKind, name: impl Into<String>, what: impl Into<String>) -> Self {
        Self { kind, name: name.into(), what: what.into(), expected: None, found: None }
    }

    /// With both values.
    #[must_use]
    pub fn between(self, expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { expected: Some(expected.into()), found: Some(found.into()), ..self }
    }
}

impl DriftKind {
    /// The word that stands before the name; none before a path or a unit.
    pub fn word(self) -> Option<&'static str> {
        match self {
            Self::File | Self::Program | Self::Directory | Self::DropIn | Self::Unit => None,
            Self::Package => Some("the package"),
            Self::Group => Some("the group"),
            Self::User => Some("the user"),
            Self::Sysctl => Some("the sysctl"),
            Self::Hostname => Some("the host name"),
            Self::Secret => Some("the secret"),
            Self::Nftables => Some("the nftables table"),
        }
    }
}

/// One sentence: `/etc/a has another mode: 0600 instead of 0644`.
impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(word) = self.kind.word() {
            write!(f, "{word} ")?;
        }
        write!(f, "{} {}", self.name, self.what)?;
        match (&self.expected, &self.found) {
            (Some(expected), Some(found)) => write!(f, ": {found} instead of {expected}"),
            (None, Some(found)) => write!(f, ": {found}"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drift_is_one_sentence() {
        for (drift, said) in [
            (Drift::new(DriftKind::File, "/etc/a", "is gone"), "/etc/a is gone"),
            (
                Drift::new(DriftKind::Sysctl, "vm.x", "has another value").between("1", "0"),
                "the sysctl vm.x has another value: 0 instead of 1",
            ),
        ] {
            assert_eq!(drift.to_string(), said);
        }
    }
}
