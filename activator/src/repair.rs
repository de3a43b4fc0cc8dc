//! Making a node true again: what drifted from its generation is put right, and nothing else is
//! touched.
//!
//! There is no journal: whatever is done brings the node nearer to the generation that it is in, one
//! whole thing after another. A repair that is cut off is begun again by the next one.

use std::collections::BTreeSet;

use cairn_generation::diff::UnitPlan;
use cairn_generation::wire::{Drift, DriftKind, Event, HistoryEntry, Outcome, Step};

use crate::drift;
use crate::error::{Error, Failure};
use crate::files::Files;
use crate::history;
use crate::node::{By, Node, outcome};
use crate::origin::Origin;
use crate::programs;
use crate::recovery;
use crate::state::Generation;
use crate::system::{Change, Tell};

/// Puts right what drifted; nothing is written when nothing did.
///
/// # Errors
/// When something is not as it should be afterwards; what could be put right is.
pub(crate) fn repair(node: &mut Node, by: &By, tell: Tell) -> Result<Outcome, Failure> {
    let current = node.state.current()?;
    let started = jiff::Timestamp::now().to_string();
    let drift = drift::of(node, &current)?;
    if drift.is_empty() {
        return Ok(outcome(current.number, current.id, false));
    }
    for one in &drift {
        tell(Event::Drift(one.clone()));
    }
    let done = put_right(node, &current, &drift, tell).and_then(|()| still_wrong(node, &current));
    let (said, cause) = match &done {
        Ok(()) => ("repaired", None),
        Err(error) => ("failed", Some(error.to_string())),
    };
    let entry = HistoryEntry {
        started,
        what: "repair".to_owned(),
        from: current.number,
        to: current.number,
        to_id: current.id,
        outcome: said.to_owned(),
        cause,
        deployer: by.deployer.clone(),
        login: by.login.clone(),
        ..HistoryEntry::default()
    };
    history::note_or_warn(&node.disk, &node.state, entry, tell);
    match done {
        Ok(()) => Ok(outcome(current.number, current.id, true)),
        Err(error) => Err(Failure { step: None, message: error.to_string(), unchanged: false }),
    }
}

fn put_right(
    node: &mut Node,
    current: &Generation,
    drift: &[Drift],
    tell: Tell,
) -> Result<(), Error> {
    let of = |kinds: &[DriftKind]| drift.iter().any(|one| kinds.contains(&one.kind));
    let mut origin = Origin::load(&node.state)?;
    if of(&[DriftKind::Package, DriftKind::User, DriftKind::Group]) {
        tell(Event::Step { step: Step::Prepare });
        node.system.allocate(&node.state, &current.manifest)?;
        let (known, plan) = ([&current.manifest], UnitPlan::default());
        let change = Change { known: &known, to: current, plan: &plan, way_back: false };
        node.system.prepare(&node.state, &change, &mut origin, tell)?;
    }
    if of(&[DriftKind::File, DriftKind::Program, DriftKind::DropIn]) {
        tell(Event::Step { step: Step::Flip });
        files(node, current, drift, &origin, tell)?;
    }
    tell(Event::Step { step: Step::Activate });
    node.system.repair(&node.state, current, drift, tell)
}

/// Files, links and programs. What somebody made of ours is kept, drop-ins are taken away.
fn files(
    node: &mut Node,
    current: &Generation,
    drift: &[Drift],
    origin: &Origin,
    tell: Tell,
) -> Result<(), Error> {
    let owners = |user: &str, group: &str| node.system.owner(user, group);
    let files = Files { disk: &node.disk, state: &node.state, owners: &owners };
    let paths =
        |kind| drift.iter().filter(move |one| one.kind == kind).map(|one| one.name.as_str());
    for path in paths(DriftKind::File).chain(paths(DriftKind::DropIn)) {
        if let Some(kept) = files.keep(path, current)? {
            let message = format!("{path}: what stood there is kept at {}", kept.display());
            tell(Event::Warning { message });
        }
    }
    let folders: BTreeSet<_> = paths(DriftKind::DropIn)
        .map(|path| node.state.host(path))
        .map(|place| node.disk.remove_file(&place).map(|()| place.parent().map(ToOwned::to_owned)))
        .collect::<Result<_, _>>()?;
    for folder in folders.into_iter().flatten() {
        node.disk.sync_dir(&folder)?;
        node.disk.remove_empty_dir(&folder)?;
    }
    let store = node.state.store()?;
    programs::lay_out(&node.disk, &store, &current.manifest)?;
    recovery::mend(node, current)?;
    let owners = |user: &str, group: &str| node.system.owner(user, group);
    let files = Files { disk: &node.disk, state: &node.state, owners: &owners };
    // What stands there is nobody's original: those were taken when the path was taken over.
    let bare = Origin { folders: origin.folders.clone(), ..Origin::default() };
    files.converge(&[], current, &bare, &BTreeSet::new())
}

fn still_wrong(node: &Node, current: &Generation) -> Result<(), Error> {
    let left = drift::of(node, current)?;
    if left.is_empty() {
        return Ok(());
    }
    let told: Vec<String> = left.iter().map(ToString::to_string).collect();
    Err(Error::refused(format!("not everything could be put right: {}", told.join("; "))))
}
