//! What happened to a host.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::GenerationId;
use crate::wire::Step;

/// The history of a host: one entry an attempt, and what is wrong with its lines.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// Attempts, oldest first.
    pub entries: Vec<HistoryEntry>,
    /// Numbers of lines that were changed, added or removed by somebody, each with what is wrong.
    pub broken: BTreeMap<u64, String>,
}

/// One attempt. Unknown fields are passed over: a later program may have written more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryEntry {
    /// Its number on this host, from 1 on.
    #[serde(default)]
    pub number: u64,
    /// BLAKE3 of the line before it; of nothing for the first.
    #[serde(default)]
    pub previous: String,
    /// When it ended, RFC 3339 in UTC.
    pub at: String,
    /// When it began.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub started: String,
    /// `switch`, `test`, `boot`, `rollback` or `repair`.
    pub what: String,
    /// Number of the generation before.
    pub from: u64,
    /// Number of the generation that was to be; that of the one before where none was drawn.
    pub to: u64,
    /// Id of the latter.
    pub to_id: Option<GenerationId>,
    /// `confirmed`, `tested`, `next boot`, `repaired`, `rolled back`, `unchanged` (refused before
    /// anything was done) or `failed`.
    pub outcome: String,
    /// Why it did not end in the new generation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// `user@machine`.
    pub deployer: String,
    /// The login that it came through; none where there was no connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
    /// Milliseconds by step.
    #[serde(default)]
    pub timings: BTreeMap<Step, u64>,
    /// Units that had failed when the host went back.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub units: Vec<FailedUnit>,
}

/// A unit that had failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedUnit {
    /// Its name.
    pub unit: String,
    /// systemd's word for it: `exit-code`, `timeout`.
    pub why: String,
    /// The end of its journal at that time, oldest line first.
    #[serde(default)]
    pub journal: Vec<String>,
}
