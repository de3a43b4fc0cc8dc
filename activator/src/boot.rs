//! Which generation a boot comes up in: decided before any unit that Cairn manages can start.
//!
//! It is the confirmed one. Only `next`, left by `boot`, is tried once: the trial is journalled like
//! a switch, the host comes up in it, and `confirmed` moves when it proved healthy.

use cairn_generation::wire::{Event, Mode, Step};

use crate::error::Error;
use crate::history;
use crate::journal::{Journal, Phase};
use crate::lock::Lock;
use crate::node::Node;
use crate::origin::Origin;
use crate::recovery::{self, Direction};
use crate::settling;
use crate::state::Generation;
use crate::system::Tell;

/// Brings files and kernel to the generation of this boot. A journal that is there afterwards is of
/// a trial, or of something that is left to remove: recovery ends it once units are started.
///
/// # Errors
/// When the host could not be brought there.
pub(crate) fn come_up(node: &mut Node, tell: Tell) -> Result<(), Error> {
    let _lock = Lock::take(&node.state, "the boot")?;
    let cut_off = Journal::under_way(&node.state)?;
    let current = node.state.current()?;
    match cut_off {
        Some(journal) => {
            let direction = recovery::back(node, journal, tell)?;
            if let Direction::Back { trouble: Some(message) } = direction {
                tell(Event::Warning { message });
            }
        }
        None => {
            if let Some(next) = node.state.number_at(&node.state.next_link()) {
                return begin_trial(node, next, tell);
            }
            let confirmed = node.state.confirmed()?;
            if let Some(trouble) = bring(node, std::slice::from_ref(&current), &confirmed, tell)? {
                tell(Event::Warning { message: trouble.to_string() });
            }
            // A test may have left something, or an earlier switch.
            let mut origin = Origin::load(&node.state)?;
            if let Some(left) = settling::settle(node, &confirmed, &mut origin, tell)? {
                let journal = journal(node, &current, &confirmed, Phase::Settling);
                settling::close(node, journal, Some(&left))?;
                settling::warn(Some(&left), tell);
            } else if Journal::load(&node.state)?.is_some() {
                Journal::close(&node.disk, &node.state)?;
            }
        }
    }
    Ok(())
}

/// The journal of what this boot does.
fn journal(node: &Node, from: &Generation, to: &Generation, phase: Phase) -> Journal {
    Journal {
        phase,
        mode: Mode::Boot,
        what: "boot".to_owned(),
        from: from.number,
        to: to.number,
        to_id: to.id,
        confirmed: node.state.number_at(&node.state.confirmed_link()).unwrap_or(0),
        deployer: "boot".to_owned(),
        login: None,
        nonce: None,
        confirm_timeout: 0,
        boot_id: node.system.boot_id(),
        started: jiff::Timestamp::now().to_string(),
        history_length: history::length(&node.state),
        active: Default::default(),
        timings: Default::default(),
        cause: None,
        left: None,
    }
}

fn begin_trial(node: &mut Node, next: u64, tell: Tell) -> Result<(), Error> {
    let to = node.state.load(next)?;
    let confirmed = node.state.confirmed()?;
    let mut journal = journal(node, &confirmed, &to, Phase::Flipping);
    // In this order: a boot that is cut off in between finds a journal, and goes back.
    journal.save(&node.disk, &node.state)?;
    node.disk.remove_file(&node.state.next_link())?;
    let current = node.state.current()?;
    match bring(node, &[confirmed, current], &to, tell) {
        Ok(None) => journal.advance(Phase::Activated, &node.disk, &node.state),
        Ok(Some(error)) | Err(error) => {
            journal.cause = Some(error.to_string());
            recovery::back(node, journal, tell).map(drop)
        }
    }
}

fn bring(
    node: &mut Node,
    others: &[Generation],
    to: &Generation,
    tell: Tell,
) -> Result<Option<Error>, Error> {
    let mut origin = Origin::load(&node.state)?;
    recovery::bring(node, None, others, to, &mut origin, tell)
}

/// The units of a trial were started: it is confirmed if the host is healthy, else taken back.
///
/// # Errors
/// When the host could not be brought back.
pub(crate) fn settle(node: &mut Node, mut journal: Journal, tell: Tell) -> Result<(), Error> {
    let to = node.state.load(journal.to)?;
    tell(Event::Step { step: Step::Check });
    if let Err(error) = node.system.check_boot(&to.manifest) {
        journal.cause = Some(error.to_string());
        recovery::back(node, journal, tell)?;
        return Ok(());
    }
    let target = format!("generations/{}", to.folder());
    node.disk.replace_link(&node.state.confirmed_link(), &target)?;
    node.disk.sync_dir(node.state.folder())?;
    // From here on recovery leads forward: the same path cleans up.
    recovery::back(node, journal, tell)?;
    Ok(())
}
