//! What hosts take from Debian's archives, in the lock.

use std::path::Path;

use cairn_compiler::{Demanded, Fleet};
use cairn_fetch::Lock;
use cairn_fetch::input::Inputs;
use cairn_fetch::lock::{self, Move, Update};
use serde_json::json;

use crate::args::Global;
use crate::error::CommandError;
use crate::report::{self, plural};
use crate::style::{BAD, CHANGED, DIM, GOOD, STRONG, paint};
use crate::ui::Ui;
use crate::{fleets, progress};

/// A fleet, and what its hosts ask for.
pub(super) struct Packages {
    fleet: Fleet,
    demanded: Demanded,
}

impl Packages {
    /// What the hosts of the fleet in `folder` ask for, with these inputs.
    pub(super) fn of(
        ui: &Ui,
        global: &Global,
        folder: &Path,
        inputs: Inputs,
    ) -> Result<Packages, CommandError> {
        let files = fleets::read_from(folder, inputs)?;
        let fleet = Fleet::load(files, &global.set, global.features())
            .map_err(|problems| fleets::failed(ui, &problems))?;
        let (demanded, warnings) =
            fleet.demanded(&fleet.hosts()).map_err(|problems| fleets::failed(ui, &problems))?;
        report::show(ui, &warnings.diagnostics, &warnings.sources);
        Ok(Packages { fleet, demanded })
    }

    /// Says what the lock lacks.
    pub(super) fn check(&self, ui: &Ui) -> Result<(), CommandError> {
        let missing = lock::cover(self.fleet.lock(), &self.demanded.demands);
        if missing.is_empty() {
            return Ok(());
        }
        for one in &missing {
            ui.object(&json!({ "type": "uncovered", "what": one }));
            ui.line(format_args!("{} {one}", paint(BAD, "-")));
        }
        let message = format!("cairn.lock lacks {}", plural(missing.len(), "thing"));
        Err(CommandError::user(message).hint("run `cairn lock`"))
    }

    /// The lock with what is asked for, and what moved.
    pub(super) fn lock(
        &self,
        ui: &Ui,
        old: &Lock,
        update: &Update,
    ) -> Result<(Lock, Vec<Move>), CommandError> {
        let cache = fleets::cache()?;
        let now = jiff::Timestamp::now();
        let bar = progress::bytes(ui);
        let locked =
            lock::relock(&cache, old, &self.demanded.demands, update, now, &|count| bar.inc(count));
        bar.finish_and_clear();
        locked.map_err(|trouble| fleets::failed(ui, &self.fleet.refused(&self.demanded, &trouble)))
    }
}

/// How many packages are locked, for people.
pub(super) fn count(lock: &Lock) -> String {
    let debian: usize = lock.debian.values().map(|part| part.packages.len()).sum();
    plural(debian + lock.fetched.len(), "package")
}

pub(super) fn show(ui: &Ui, one: &Move) {
    let Move { part, name, from, to } = one;
    ui.object(&json!({ "type": "moved", "part": part, "name": name, "from": from, "to": to }));
    let name = paint(STRONG, name);
    let place = part.as_ref().map(|part| paint(DIM, format_args!("  {part}"))).unwrap_or_default();
    ui.line(match (from, to) {
        (None, Some(to)) => format!("  {} {name} {to}{place}", paint(GOOD, "+")),
        (Some(from), Some(to)) => format!("  {} {name} {from} → {to}{place}", paint(CHANGED, "~")),
        (from, _) => {
            format!("  {} {name} {}{place}", paint(BAD, "-"), from.as_deref().unwrap_or_default())
        }
    });
}
