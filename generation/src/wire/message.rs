//! Requests, and the events that answer them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::id::{BlobId, GenerationId};
use crate::wire::{Drift, HistoryEntry};

/// The version of this protocol. Both sides say theirs first, and part when they differ.
pub const PROTOCOL: u32 = 3;

/// The first message of each side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// [`PROTOCOL`].
    pub protocol: u32,
    /// The program's version, for people.
    pub version: String,
}

/// What a deployer asks of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", tag = "request")]
pub enum Request {
    /// Which of these blobs are missing or damaged? Answered by [`Event::Missing`].
    Have {
        /// The blobs that a generation needs.
        blobs: BTreeSet<BlobId>,
    },
    /// Chunks of this blob follow, from `offset` on; an empty chunk ends it. What arrived of a blob
    /// whose sending was cut stays, so that sending goes on where [`Event::Missing`] says.
    Put(Blob),
    /// Send a blob of the store back: answered by chunks between [`Event::Blob`] and the end.
    Get {
        /// The blob that is wanted.
        blob: BlobId,
    },
    /// Switch to a manifest whose blobs are all there.
    Switch {
        /// Canonical text of the manifest.
        manifest: String,
        /// How.
        options: SwitchOptions,
    },
    /// Switch to a kept generation.
    Rollback {
        /// Number, id, or the first digits of an id; none for the one before the current one.
        to: Option<String>,
        /// How.
        options: SwitchOptions,
    },
    /// The host can be reached after the switch: over a new connection.
    Confirm {
        /// The nonce that the switch was started with.
        nonce: String,
    },
    /// The manifest of the current generation: answered by [`Event::Manifest`].
    Current,
    /// Answered by [`Event::Status`].
    Status,
    /// How the host differs from its generation: answered by one [`Event::Drift`] a difference.
    Drift,
    /// Make true again what drifted, and nothing else: what it is is told as [`Event::Drift`].
    Repair {
        /// Who repairs: `user@machine`.
        deployer: String,
    },
    /// Answered by one [`Event::History`] an entry, oldest first, and one [`Event::HistoryBroken`] for
    /// each line that somebody changed.
    History,
    /// Pin a kept generation, so that [`Request::Gc`] leaves it, or let it go again.
    Pin {
        /// Number, id, or the first digits of an id.
        generation: String,
        /// Whether it is let go.
        remove: bool,
    },
    /// Remove generations beyond the newest `keep`, blobs that none names, and old activators.
    Gc {
        /// How many generations stay, besides current, confirmed and pinned ones.
        keep: u32,
    },
}

/// A blob on its way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Blob {
    /// Its name.
    pub id: BlobId,
    /// Bytes that are there already, uncompressed.
    #[serde(default)]
    pub offset: u64,
    /// All of its bytes, uncompressed.
    pub size: u64,
}

/// How far a switch goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Now, and from every boot on once confirmed.
    Switch,
    /// Now, until the next boot.
    Test,
    /// From the next boot on.
    Boot,
    /// Say what would be done.
    DryActivate,
}

/// How a switch is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwitchOptions {
    /// How far it goes.
    pub mode: Mode,
    /// Drawn anew for every switch. None when the switch is started on the host itself, and
    /// confirms itself by its health checks.
    pub nonce: Option<String>,
    /// Seconds to wait for the confirmation after the health checks passed.
    pub confirm_timeout: u32,
    /// Paths that may be taken over from whoever made them; the original is kept in generation 0.
    #[serde(default)]
    pub adopt: BTreeSet<String>,
    /// Who deploys: `user@machine`.
    pub deployer: String,
    /// The login that the request came through; the node's own word for it replaces this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
    /// The node's port that the connection came to; the node's own word for it replaces this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Whether the login may be shut out by the switch.
    #[serde(default)]
    pub allow_lockout: bool,
}

/// What a node tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", tag = "event")]
pub enum Event {
    /// Blobs to send: how many bytes of each arrived before.
    Missing {
        /// Bytes that are there already by blob.
        blobs: BTreeMap<BlobId, u64>,
    },
    /// Chunks of this blob follow.
    Blob(Blob),
    /// A step of the switch begins.
    Step {
        /// Which.
        step: Step,
    },
    /// Something was done, or would be in a dry run.
    Action(Action),
    /// The switch is done and healthy: confirm it over a new connection.
    AwaitingConfirmation {
        /// Seconds until the host goes back by itself.
        seconds: u32,
    },
    /// Something that people should know and that does not stop the switch.
    Warning {
        /// One sentence.
        message: String,
    },
    /// The manifest of the current generation.
    Manifest {
        /// Canonical text; none before the first switch.
        manifest: Option<String>,
    },
    /// The state of the host.
    Status(HostStatus),
    /// Something that is not as the generation says.
    Drift(Drift),
    /// One attempt of the past.
    History(Box<HistoryEntry>),
    /// A line of the history is not as it was written.
    HistoryBroken {
        /// Its number.
        line: u64,
        /// What is wrong with it, as the end of a sentence.
        why: String,
    },
    /// The request was carried out.
    Done(Outcome),
    /// The request failed.
    Failed {
        /// The step in which it failed, if it was a switch.
        step: Option<Step>,
        /// What, why, and what to do.
        message: String,
        /// Whether the host is as it was before: false needs a look.
        unchanged: bool,
    },
}

/// The steps of a switch, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Lock, write blobs, lay the tree out.
    Stage,
    /// Try everything that can fail, on the staged tree.
    Preflight,
    /// Write down what will be done.
    Journal,
    /// Make sure that the host goes back without us.
    ArmWatchdog,
    /// Packages, users and groups; stop units that go or must be stopped.
    Prepare,
    /// Links, copied files, and the one rename.
    Flip,
    /// daemon-reload, tmpfiles, sysctl, nft; reload, restart, start.
    Activate,
    /// Health checks.
    Check,
    /// Wait for the deployer's confirmation.
    Confirm,
    /// Take everything back to the confirmed generation.
    RollBack,
}

/// Something that a switch does to a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", tag = "action")]
pub enum Action {
    /// A managed file appears.
    AddFile {
        /// Target path.
        path: String,
    },
    /// A managed file has another content, mode or owner.
    ChangeFile {
        /// Target path.
        path: String,
    },
    /// A managed file goes.
    RemoveFile {
        /// Target path.
        path: String,
    },
    /// A file of somebody else is kept in generation 0, and ours takes its place.
    AdoptFile {
        /// Target path.
        path: String,
    },
    /// Something happens to a unit.
    Unit {
        /// Full name.
        unit: String,
        /// What.
        does: UnitAction,
    },
    /// A package is installed.
    InstallPackage {
        /// Name, and version where one is fixed.
        package: String,
    },
    /// A package that Cairn installed goes.
    RemovePackage {
        /// Its name.
        package: String,
    },
    /// A user is added, changed or removed.
    User {
        /// Login name.
        user: String,
        /// `add`, `change` or `remove`.
        does: String,
    },
    /// A group is added, changed or removed.
    Group {
        /// Its name.
        group: String,
        /// `add`, `change` or `remove`.
        does: String,
    },
    /// A sysctl gets a value.
    Sysctl {
        /// Dotted name.
        key: String,
        /// The new value.
        value: String,
    },
    /// A kernel module is loaded.
    LoadModule {
        /// Its name.
        module: String,
    },
    /// The host gets a name.
    Hostname {
        /// The new name.
        hostname: String,
    },
    /// An nftables table is written, or removed.
    Nftables {
        /// `<family> <name>`.
        table: String,
        /// `replace` or `remove`.
        does: String,
    },
    /// A secret comes, goes, or has another ciphertext, owner or mode.
    Secret {
        /// Its name.
        secret: String,
        /// `add`, `change` or `remove`.
        does: String,
    },
    /// A text with secrets in it comes, goes, or is another, as far as ciphertext tells.
    Template {
        /// Its name.
        template: String,
        /// `add`, `change` or `remove`.
        does: String,
    },
    /// A tmpfiles line is applied.
    Directory {
        /// The line.
        line: String,
    },
}

/// What happens to a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnitAction {
    /// Stopped: it goes, or is started again later in the switch.
    Stop,
    /// Started.
    Start,
    /// Restarted.
    Restart,
    /// Reloaded.
    Reload,
}

/// What a request came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Whether the host is another than before.
    pub changed: bool,
    /// Number of the generation that the host is in; 0 is the host as found.
    pub generation: u64,
    /// Its id; none for generation 0.
    pub id: Option<GenerationId>,
    /// Milliseconds that each step took on the node.
    #[serde(default)]
    pub timings: BTreeMap<Step, u64>,
}

/// The state of a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HostStatus {
    /// Number of the current generation; 0 before the first switch.
    pub generation: u64,
    /// Its id.
    pub id: Option<GenerationId>,
    /// Number of the generation that a boot comes up in.
    pub confirmed: u64,
    /// Its id.
    pub confirmed_id: Option<GenerationId>,
    /// Number of the generation that the next boot tries, left by `boot`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
    /// Whether a switch is under way.
    pub switching: bool,
    /// Why packages or accounts that the generation does not name are still there: removing them
    /// is tried again by every command, and at every boot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unsettled: Option<String>,
    /// What is not as the generation says.
    #[serde(default)]
    pub drift: Vec<Drift>,
    /// Managed units by name that are not active though the generation wants them.
    #[serde(default)]
    pub failed_units: BTreeSet<String>,
    /// Numbers and ids of kept generations.
    #[serde(default, deserialize_with = "numbered")]
    pub kept: BTreeMap<u64, GenerationId>,
    /// Numbers of those that are pinned.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub pinned: BTreeSet<u64>,
}

/// JSON's keys are texts, and within a tagged enum serde no longer turns them into numbers.
fn numbered<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<u64, GenerationId>, D::Error> {
    BTreeMap::<String, GenerationId>::deserialize(deserializer)?
        .into_iter()
        .map(|(number, id)| Ok((number.parse().map_err(serde::de::Error::custom)?, id)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_with_kept_generations_comes_back() {
        let status = Event::Status(HostStatus {
            generation: 2,
            id: None,
            confirmed: 2,
            confirmed_id: None,
            next: Some(3),
            switching: false,
            unsettled: Some("dpkg is locked".to_owned()),
            drift: Vec::new(),
            failed_units: BTreeSet::new(),
            kept: BTreeMap::from([(2, GenerationId::of(b""))]),
            pinned: BTreeSet::from([2]),
        });
        let text = serde_json::to_string(&status).unwrap();
        assert_eq!(serde_json::from_str::<Event>(&text).unwrap(), status);
    }
}
