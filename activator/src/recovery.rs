//! The way back, and the only one: after a failed step, a kill, the watchdog's alarm or a power cut.
//!
//! Recovery does not replay: it compares the host with the generation that `confirmed` names, and
//! does what is missing. So it does not matter where the switch was cut off, nor where an earlier
//! recovery was.

use std::collections::BTreeSet;

use cairn_generation::diff::{Running, unit_plan};
use cairn_generation::wire::{Event, FailedUnit, Mode, Outcome, Step};

use crate::boot;
use crate::error::{Error, Failure};
use crate::files::Files;
use crate::history;
use crate::journal::{Journal, Phase};
use crate::node::{Node, outcome};
use crate::origin::Origin;
use crate::programs;
use crate::settling;
use crate::state::Generation;
use crate::system::{Change, Tell};
use crate::tree;

/// Where a recovery led.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Direction {
    /// To the generation that was confirmed before.
    Back {
        /// What did not come up there as it was.
        trouble: Option<String>,
    },
    /// To the new one: the switch had been committed.
    Forward,
}

/// Ends the switch that a journal tells of, if there is one.
///
/// # Errors
/// When the host could not be brought to its confirmed generation: the journal stays, and the next
/// recovery tries again.
pub(crate) fn recover(node: &mut Node, tell: Tell) -> Result<Option<Outcome>, Error> {
    let Some(journal) = Journal::load(&node.state)? else { return Ok(None) };
    if journal.phase == Phase::Settling {
        settling::again(node, journal, tell)?;
        return Ok(None);
    }
    if journal.mode == Mode::Boot
        && journal.phase == Phase::Activated
        && journal.boot_id == node.system.boot_id()
    {
        boot::settle(node, journal, tell)?;
    } else {
        tell(Event::Step { step: Step::RollBack });
        let direction = back(node, journal, tell)?;
        if let Direction::Back { trouble: Some(message) } = direction {
            tell(Event::Warning { message });
        }
    }
    let current = node.state.current()?;
    Ok(Some(outcome(current.number, current.id, true)))
}

/// A failed recovery, for whoever asked for something else.
pub(crate) fn failure(error: Error) -> Failure {
    Failure {
        step: Some(Step::RollBack),
        message: format!("a switch was cut off, and ending it failed: {error}"),
        unchanged: false,
    }
}

/// Brings the host to where the switch in `journal` ends, and closes the journal.
pub(crate) fn back(node: &mut Node, journal: Journal, tell: Tell) -> Result<Direction, Error> {
    let confirmed = node.state.confirmed()?;
    let tested = journal.phase == Phase::Tested && journal.boot_id == node.system.boot_id();
    let committed = confirmed.number == journal.to && journal.confirmed != journal.to;
    let (forward, target) = match journal.mode {
        Mode::Test if tested => (true, node.state.load(journal.to)?),
        Mode::Test => (false, confirmed),
        _ => (committed, confirmed),
    };
    let units = match forward {
        true => Vec::new(),
        false => post_mortem(node, &journal),
    };
    let mut origin = Origin::load(&node.state)?;
    // Whatever the phase: even one that did nothing may have put our own units in their place, and a
    // boot has emptied kernel and firewall.
    let others = others(node, &journal, &target);
    let trouble = bring(node, Some(&journal), &others, &target, &mut origin, tell)?;
    let left = match (forward, journal.mode) {
        // What the confirmed generation needs stays until another is confirmed.
        (true, Mode::Test) => settling::handed_on(&journal),
        _ => settling::settle(node, &target, &mut origin, tell)?,
    };
    let (said, cause) = match (forward, journal.mode) {
        (true, Mode::Test) => ("tested", None),
        (true, _) => ("confirmed", left.as_ref().map(ToString::to_string)),
        (false, _) => {
            let cause = journal.cause.clone();
            ("rolled back", Some(cause.unwrap_or_else(|| "the switch was cut off".to_owned())))
        }
    };
    if journal.mode == Mode::Boot
        && node.state.number_at(&node.state.next_link()) == Some(journal.to)
    {
        // It was tried once.
        node.disk.remove_file(&node.state.next_link())?;
    }
    history::append(&node.disk, &node.state, &journal, said, cause, units)?;
    settling::close(node, journal, left.as_ref())?;
    settling::warn(left.as_ref(), tell);
    let trouble = trouble.or(left).map(|trouble| trouble.to_string());
    Ok(if forward { Direction::Forward } else { Direction::Back { trouble } })
}

/// What the units of the new generation say, before anything else is done to them.
fn post_mortem(node: &Node, journal: &Journal) -> Vec<FailedUnit> {
    if journal.phase < Phase::Activated || journal.boot_id != node.system.boot_id() {
        return Vec::new();
    }
    let to = node.state.load(journal.to);
    to.map(|to| node.system.post_mortem(&to.manifest)).unwrap_or_default()
}

/// The generations that may have left traces. One that does not read back any more left none that
/// the others do not know: its tree was checked when it was staged.
fn others(node: &Node, journal: &Journal, target: &Generation) -> Vec<Generation> {
    let confirmed = node.state.number_at(&node.state.confirmed_link());
    let numbers = [Some(journal.to), Some(journal.from), confirmed];
    let mut others: Vec<Generation> = Vec::new();
    for number in numbers.into_iter().flatten().filter(|number| *number != target.number) {
        if !others.iter().any(|other| other.number == number)
            && let Ok(generation) = node.state.load(number)
        {
            others.push(generation);
        }
    }
    others
}

/// Brings the host to `target`, whatever `others` left of themselves. What beside files did not
/// come to be as it was is returned.
///
/// # Errors
/// When files cannot be brought there; the next try goes on.
pub(crate) fn bring(
    node: &mut Node,
    journal: Option<&Journal>,
    others: &[Generation],
    target: &Generation,
    origin: &mut Origin,
    tell: Tell,
) -> Result<Option<Error>, Error> {
    mend(node, target)?;
    let manifests: Vec<_> = others.iter().chain([target]).map(|other| &other.manifest).collect();
    let mut plan = cairn_generation::diff::UnitPlan::default();
    let secrets = node.system.open_secrets(&node.state, target, true)?;
    if let Some(active) = node.system.running()? {
        let flipped = journal.is_none_or(|journal| journal.phase > Phase::Prepared);
        if let Some(left) = others.first().filter(|_| flipped) {
            plan = unit_plan(&left.manifest, &target.manifest, Running::Active(&active));
        }
        let ran = journal.into_iter().flat_map(|journal| journal.active.difference(&active));
        plan.start.extend(ran.filter(|unit| target.manifest.units.contains_key(*unit)).cloned());
        plan.touch(&secrets.restart, &secrets.reload, &active);
    }
    secrets.warnings.into_iter().for_each(|message| tell(Event::Warning { message }));
    origin.give_back_units(&target.manifest, &mut plan);
    let change = Change { known: &manifests, to: target, plan: &plan, way_back: true };
    let mut trouble = node.system.prepare(&node.state, &change, origin, tell).err();
    let owners = |user: &str, group: &str| node.system.owner(user, group);
    let files = Files { disk: &node.disk, state: &node.state, owners: &owners };
    let known: Vec<&Generation> = others.iter().collect();
    files.converge(&known, target, origin, &BTreeSet::new())?;
    // Files and links stand: what does not come up now would not the next time either.
    trouble = trouble.or(node.system.activate(&node.state, &change, origin, tell).err());
    origin.save(&node.disk, &node.state)?;
    Ok(trouble)
}

/// A damaged tree is laid out again from the store before anything leads to it.
pub(crate) fn mend(node: &mut Node, target: &Generation) -> Result<(), Error> {
    node.system.allocate(&node.state, &target.manifest)?;
    let owners = |user: &str, group: &str| node.system.owner(user, group);
    let Some(why) = tree::verify(&node.state, target, &owners) else { return Ok(()) };
    let store = node.state.store()?;
    programs::lay_out(&node.disk, &store, &target.manifest)?;
    tree::stage(&node.disk, &node.state, &store, target, &owners).map_err(|error| match target.id {
        Some(id) => Error::Damaged { number: target.number, id, why: format!("{why}; {error}") },
        None => error,
    })
}
