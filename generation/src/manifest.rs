//! What a generation holds: primitive resources and nothing else.
//!
//! A [`Manifest`] says all that the node needs to know. Its canonical JSON is hashed to give the
//! generation's name, so every type here leaves defaults out when written and refuses fields that
//! it does not know when read.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::canonical::{self, CanonicalError};
use crate::id::{BlobId, GenerationId};
use crate::secrets::Secrets;

/// The version of the format that this program writes and reads.
pub const VERSION: u32 = 1;

/// Where a node keeps its state; constant inside generations, because texts of files and units name it.
pub const STATE_DIR: &str = "/var/lib/cairn";

/// One generation: a host's primitive resources.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`VERSION`] of the writer.
    pub version: u32,
    /// The host's name in its fleet.
    pub host: String,
    /// Managed files by absolute target path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, File>,
    /// systemd units by full name (`k3s.service`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub units: BTreeMap<String, Unit>,
    /// Debian packages and fetched programs.
    #[serde(default, skip_serializing_if = "is_default")]
    pub packages: Packages,
    /// Entries of /etc/passwd by login name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub users: BTreeMap<String, User>,
    /// Entries of /etc/group by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub groups: BTreeMap<String, Group>,
    /// The running kernel: sysctls, modules, host name.
    #[serde(default, skip_serializing_if = "is_default")]
    pub kernel: Kernel,
    /// Whole nftables tables that Cairn owns, by `<family> <name>`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub nftables: BTreeMap<String, NftTable>,
    /// tmpfiles.d lines, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub directories: Vec<String>,
    /// Ciphertext of secrets, and where the host puts what it decrypts.
    #[serde(default, skip_serializing_if = "is_default")]
    pub secrets: Secrets,
    /// Health checks by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub checks: BTreeMap<String, Check>,
    /// Blobs that texts of files and units name by their place in the store.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub references: BTreeSet<BlobId>,
    /// Edges where the default order is not enough.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub order: BTreeSet<OrderEdge>,
}

/// A managed file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// What stands at the path.
    pub content: Content,
    /// Four octal digits (`0644`).
    #[serde(default = "default_mode", skip_serializing_if = "is_default_mode")]
    pub mode: String,
    /// Login name of the owner.
    #[serde(default = "root", skip_serializing_if = "is_root")]
    pub user: String,
    /// Name of the owning group.
    #[serde(default = "root", skip_serializing_if = "is_root")]
    pub group: String,
    /// How the node puts it at its path.
    #[serde(default, skip_serializing_if = "is_default")]
    pub method: Method,
}

/// What stands at a managed path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Content {
    /// A regular file with this blob's bytes.
    Blob(BlobId),
    /// A symbolic link with this literal target (`/etc/localtime`).
    To(String),
}

/// How a file gets to its path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// A link into the current generation: changes with the flip, in one rename with all others.
    #[default]
    Link,
    /// A copy: for programs that refuse or replace links (sudoers, fstab, hostname).
    Copy,
}

/// A systemd unit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Unit {
    /// The unit file's text; none for a unit that the host brings (`ssh.service`), which is only
    /// restarted or reloaded by its triggers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Units that want this one. A managed unit is named in its `.wants`; any other (a target of
    /// the system) counts as `cairn.target`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub wanted_by: BTreeSet<String>,
    /// As `wanted_by`, for `.requires`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub required_by: BTreeSet<String>,
    /// What a switch does to it when it changed.
    #[serde(default, skip_serializing_if = "is_default")]
    pub on_change: OnChange,
    /// Left running when it goes (`X-StopOnRemoval=false`).
    #[serde(default, skip_serializing_if = "is_default")]
    pub keep_on_removal: bool,
    /// Never started or restarted by a switch (`X-OnlyManualStart=true`).
    #[serde(default, skip_serializing_if = "is_default")]
    pub only_manual_start: bool,
    /// A change here restarts the unit as a change of its text would.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub restart_triggers: Vec<String>,
    /// A change here alone reloads the unit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reload_triggers: Vec<String>,
}

/// NixOS's `restartIfChanged`, `reloadIfChanged` and `stopIfChanged` as the four things that they can mean.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnChange {
    /// Stopped under the old definition, started under the new one.
    #[default]
    StopStart,
    /// `systemctl restart` under the new definition.
    Restart,
    /// `systemctl reload`.
    Reload,
    /// Left alone until something else restarts it.
    Nothing,
}

/// The packages of a generation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Packages {
    /// Debian packages by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub debian: BTreeMap<String, DebianPackage>,
    /// Fetched programs by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fetched: BTreeMap<String, FetchedPackage>,
}

/// A package of the host's own archive.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DebianPackage {
    /// The exact version; none takes what the host's archive offers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// SHA-256 of the .deb, in hex.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The .deb; none lets the host's apt fetch it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob: Option<BlobId>,
    /// Only there because others need it: a newer one that the host has does as well.
    #[serde(default, skip_serializing_if = "is_default")]
    pub dependency: bool,
}

/// Programs and other files taken from a verified download. The node lays them out as
/// `<state>/store/<folder>/bin/<program>` and `<state>/store/<folder>/<file>`, and puts programs on the
/// path through `current/bin`, files below `share/` into /usr/local/share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FetchedPackage {
    /// Folder in the store: `<hash of the recipe>-<name>`; texts of units name it.
    pub folder: String,
    /// Version as its publisher writes it, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// SHA-256 of the download that the programs were taken from, in hex.
    pub sha256: String,
    /// The programs: name on the path, content.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub bin: BTreeMap<String, BlobId>,
    /// Other files: path in the package's folder (`share/man/man1/age.1`), content.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, BlobId>,
}

impl FetchedPackage {
    /// All that lies in the package's folder: path there, content, and permissions.
    pub fn contents(&self) -> impl Iterator<Item = (String, BlobId, u32)> {
        let programs = self.bin.iter().map(|(name, id)| (format!("bin/{name}"), *id, 0o555));
        programs.chain(self.files.iter().map(|(path, id)| (path.clone(), *id, 0o444)))
    }
}

/// A login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct User {
    /// Numeric id; none lets the node choose one, and keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// Name of the primary group.
    pub group: String,
    /// Home directory.
    pub home: String,
    /// Login shell.
    pub shell: String,
    /// The comment field.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Takes its id from the system range.
    #[serde(default, skip_serializing_if = "is_default")]
    pub is_system: bool,
    /// Makes the home directory when it is not there.
    #[serde(default, skip_serializing_if = "is_default")]
    pub create_home: bool,
    /// crypt(3) text for /etc/shadow; none locks the password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hashed_password: Option<String>,
    /// The secret that holds such a text; where it cannot be decrypted, the password stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_secret: Option<String>,
    /// Other groups that the user is in.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub extra_groups: BTreeSet<String>,
    /// Ranges of user ids that the user may give away, in /etc/subuid. None leave the host's alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sub_uids: Vec<IdRange>,
    /// The same for group ids, in /etc/subgid.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sub_gids: Vec<IdRange>,
    /// Lets the node choose a range besides, the same in both files, and keep it.
    #[serde(default, skip_serializing_if = "is_default")]
    pub auto_sub_ids: bool,
}

/// Ids that follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdRange {
    /// The first.
    pub start: u32,
    /// How many, at least 1; the last is at most 4294967294.
    pub count: u32,
}

/// A group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Group {
    /// Numeric id; none lets the node choose one, and keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gid: Option<u32>,
    /// Members beside those who name the group themselves.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub members: BTreeSet<String>,
    /// Takes its id from the system range.
    #[serde(default, skip_serializing_if = "is_default")]
    pub is_system: bool,
}

/// State of the running kernel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kernel {
    /// sysctls by dotted name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sysctl: BTreeMap<String, String>,
    /// Modules to load.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub modules: BTreeSet<String>,
    /// The host name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
}

/// A whole nftables table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NftTable {
    /// `inet`, `ip`, `ip6`, `arp`, `bridge` or `netdev`.
    pub family: String,
    /// The table's name.
    pub name: String,
    /// nft text between the table's braces.
    pub body: String,
}

/// A health check: a host that fails one goes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// What is looked at.
    pub probe: Probe,
    /// Seconds between two tries.
    pub interval: u32,
    /// Consecutive successes that count as healthy are one; failures up to this many are tried again.
    pub retries: u32,
    /// Seconds after which the host is not healthy, whatever the retries.
    pub deadline: u32,
}

/// What a health check looks at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "lowercase", tag = "kind")]
pub enum Probe {
    /// The unit is active.
    Unit {
        /// Full name of the unit.
        unit: String,
    },
    /// A TCP connection is accepted.
    Tcp {
        /// Address or name to connect to.
        host: String,
        /// Port to connect to.
        port: u16,
    },
    /// A GET answers with a status from 200 to 399.
    Http {
        /// An `http:` URL.
        url: String,
    },
    /// A shell command exits with 0.
    Command {
        /// Given to `/bin/sh -c`.
        command: String,
    },
}

/// `before` is done before `after`; both name a resource as `<kind>/<name>`
/// (`units/k3s.service`, `files//etc/hosts`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderEdge {
    /// The resource that comes first.
    pub before: String,
    /// The resource that waits for it.
    pub after: String,
}

impl Manifest {
    /// A manifest without resources.
    pub fn empty(host: impl Into<String>) -> Self {
        Self {
            version: VERSION,
            host: host.into(),
            files: BTreeMap::new(),
            units: BTreeMap::new(),
            packages: Packages::default(),
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
            kernel: Kernel::default(),
            nftables: BTreeMap::new(),
            directories: Vec::new(),
            secrets: Secrets::default(),
            checks: BTreeMap::new(),
            references: BTreeSet::new(),
            order: BTreeSet::new(),
        }
    }

    /// The canonical text, and the name that it gives the generation.
    ///
    /// # Errors
    /// Never for a manifest made of these types; the error is the writer's.
    pub fn encode(&self) -> Result<(GenerationId, Vec<u8>), CanonicalError> {
        let bytes = canonical::to_vec(self)?;
        Ok((GenerationId::of(&bytes), bytes))
    }

    /// Reads a manifest from another machine.
    ///
    /// # Errors
    /// When `bytes` is not canonical, has unknown fields, or was written by a newer version.
    pub fn decode(bytes: &[u8]) -> Result<(GenerationId, Self), ManifestError> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let Version { version } = serde_json::from_slice(bytes).map_err(CanonicalError::from)?;
        if version != VERSION {
            return Err(ManifestError::Version { found: version });
        }
        Ok((GenerationId::of(bytes), canonical::from_slice(bytes)?))
    }

    /// Every blob that the node must have before it can lay this generation out.
    pub fn blobs(&self) -> BTreeSet<BlobId> {
        let files = self.files.values().filter_map(|file| match file.content {
            Content::Blob(id) => Some(id),
            Content::To(_) => None,
        });
        let fetched = self.packages.fetched.values();
        let fetched = fetched.flat_map(|one| one.bin.values().chain(one.files.values()));
        let debs = self.packages.debian.values().filter_map(|package| package.blob);
        let packages = debs.chain(fetched.copied());
        let named = self.references.iter().copied().chain(self.secrets.blobs());
        files.chain(packages).chain(named).collect()
    }
}

/// Where the node has a blob that a text names.
pub fn blob_path(id: &BlobId) -> String {
    format!("{STATE_DIR}/store/{id}")
}

pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn default_mode() -> String {
    "0644".to_owned()
}

fn is_default_mode(mode: &String) -> bool {
    mode == "0644"
}

pub(crate) fn root() -> String {
    "root".to_owned()
}

pub(crate) fn is_root(name: &String) -> bool {
    name == "root"
}

/// Why a manifest is refused.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Not canonical JSON of this shape.
    #[error("the manifest is {0}")]
    Text(#[from] CanonicalError),
    /// Written by a program of another version.
    #[error("the manifest has version {found}, and this program reads version {VERSION}")]
    Version {
        /// The version in the manifest.
        found: u32,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Manifest {
        let mut manifest = Manifest::empty("demo");
        manifest.files.insert(
            "/etc/motd".to_owned(),
            File {
                content: Content::Blob(BlobId::of(b"hello")),
                mode: default_mode(),
                user: root(),
                group: root(),
                method: Method::Link,
            },
        );
        manifest.units.insert(
            "hello.service".to_owned(),
            Unit { text: Some("[Service]\n".to_owned()), ..Unit::default() },
        );
        manifest
    }

    /// A change of these texts renames every generation in the world: raise [`VERSION`] then.
    #[test]
    fn golden() {
        let (id, bytes) = sample().encode().unwrap();
        insta::assert_snapshot!(String::from_utf8(bytes).unwrap(), @r#"{"files":{"/etc/motd":{"content":{"blob":"ea8f163db38682925e4491c5e58d4bb3506ef8c14eb78a86e908c5624a67200f"}}},"host":"demo","units":{"hello.service":{"text":"[Service]\n"}},"version":1}"#);
        insta::assert_snapshot!(id, @"1df191d3b43a2b3162a88dac78e887ecaa9bf864299785d9a1666dc4cd8f9a63");
    }

    #[test]
    fn reads_what_it_writes() {
        let (id, bytes) = sample().encode().unwrap();
        assert_eq!(Manifest::decode(&bytes).unwrap(), (id, sample()));
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for (text, message) in [
            (r#"{"version":1}"#, "missing field `host`"),
            (r#"{"version":2,"host":"a"}"#, "has version 2"),
            (r#"{"host":"a","version":1,"x":1}"#, "unknown field `x`"),
            (r#"{"version":1,"host":"a"}"#, "not in canonical form"),
            ("", "EOF"),
        ] {
            let error = Manifest::decode(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(message), "{text}: {error}");
        }
    }
}
