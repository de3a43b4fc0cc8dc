//! The switch under way, on the disk before anything is done.
//!
//! The state machine of a switch. Whatever the phase, recovery brings the host to the generation
//! that `confirmed` names and closes the journal; [`Phase`] only tells it how far units may have gone.
//!
//! | phase | durable in it | recovery |
//! |---|---|---|
//! | no journal | perhaps a staged tree | nothing to do; the tree waits for gc |
//! | `Intent` | tree, generation 0, journal | removes what of our own units came; after a boot, brings up what it has emptied |
//! | `Prepared` | packages, users; units stopped under old definitions | starts those again, removes what came |
//! | `Flipping` | some links, some copies, `current` old, bridge or new | files back, flip back, units back |
//! | `Activated` | all of the new generation | the same |
//! | `Checked` | healthy; waits for the confirmation | the same |
//! | `confirmed` names the new one | everything | goes forward: cleans up, writes history |
//! | `Tested` | a test that went well: the new generation, until the next boot | goes forward; after a boot, back |
//! | `Settling` | the switch is over, with its line of history; packages or accounts are still to be put right | tries that again, see [`crate::settling`]; while a test runs, nothing |

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use cairn_generation::GenerationId;
use cairn_generation::wire::{Mode, Step};
use serde::{Deserialize, Serialize};

use crate::disk::Disk;
use crate::error::Error;
use crate::state::{State, read_json, write_json};

/// How far a switch has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Written down; nothing is done.
    Intent,
    /// Packages and users come, units stop.
    Prepared,
    /// Links, copies and the flip are under way.
    Flipping,
    /// Units and kernel are being brought to the new generation.
    Activated,
    /// Healthy; the confirmation is awaited.
    Checked,
    /// A test is over, and its generation stays until the next boot.
    Tested,
    /// The switch is over; only packages or accounts are not all as they should be.
    Settling,
}

/// A switch under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    /// How far it has come.
    pub phase: Phase,
    /// How far it goes.
    pub mode: Mode,
    /// `switch`, `test`, `boot` or `rollback`.
    pub what: String,
    /// Number of the generation before.
    pub from: u64,
    /// Number of the generation that is to be.
    pub to: u64,
    /// Its id.
    pub to_id: Option<GenerationId>,
    /// Number of the generation that was confirmed before.
    pub confirmed: u64,
    /// Who deploys.
    pub deployer: String,
    /// The login that the switch came through.
    #[serde(default)]
    pub login: Option<String>,
    /// What the confirmation must say; none confirms itself.
    pub nonce: Option<String>,
    /// Seconds to wait for it.
    pub confirm_timeout: u32,
    /// The boot in which it began.
    pub boot_id: String,
    /// When it began, RFC 3339.
    pub started: String,
    /// Length of the history before: a longer one has this switch's line already.
    pub history_length: u64,
    /// Managed units that ran before.
    pub active: BTreeSet<String>,
    /// Milliseconds by step, as far as they are known.
    #[serde(default)]
    pub timings: BTreeMap<Step, u64>,
    /// Why it goes back, once it does; why something is left, once it settles.
    #[serde(default)]
    pub cause: Option<String>,
    /// What an earlier switch left to remove, see [`Phase::Settling`]. A test does not remove it, and
    /// hands it on.
    #[serde(default)]
    pub left: Option<String>,
}

impl Journal {
    /// The switch that this node has not put behind it, if there is one.
    pub fn load(state: &State) -> Result<Option<Self>, Error> {
        read_json(&path(state))
    }

    /// The switch that still goes one way or the other.
    pub fn under_way(state: &State) -> Result<Option<Self>, Error> {
        Ok(Self::load(state)?.filter(|journal| journal.phase != Phase::Settling))
    }

    /// Writes it down. Durable when it returns.
    pub fn save(&self, disk: &Disk, state: &State) -> Result<(), Error> {
        write_json(disk, &path(state), self)
    }

    /// Writes the next phase down.
    pub fn advance(&mut self, phase: Phase, disk: &Disk, state: &State) -> Result<(), Error> {
        self.phase = phase;
        self.save(disk, state)
    }

    /// The switch is over. Durable when it returns.
    pub fn close(disk: &Disk, state: &State) -> Result<(), Error> {
        disk.remove_file(&path(state))?;
        disk.sync_dir(state.folder())
    }
}

fn path(state: &State) -> PathBuf {
    state.file("journal")
}
