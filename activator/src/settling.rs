//! The end of a switch: what came with other generations beside files, packages and accounts, goes.
//!
//! By then the host is wholly in its generation, and nothing leads back any more. But a removal may
//! fail: a package's script refuses, the account files are locked. And it may have to wait, as may packages
//! that go back to an older version: dpkg does not run before a boot has come up. Then the journal stays, in
//! [`Phase::Settling`], and every command and every boot tries again until nothing is left. A test puts its own
//! journal there for a while, and what is left into it.

use cairn_generation::diff::UnitPlan;
use cairn_generation::wire::Event;

use crate::error::Error;
use crate::journal::{Journal, Phase};
use crate::node::Node;
use crate::origin::Origin;
use crate::state::Generation;
use crate::system::{Change, Tell};

/// Removes what `to` does not name, and brings packages to its versions. What could not be done is
/// returned, and is to be handed to [`close`].
///
/// # Errors
/// When what was removed cannot be remembered.
pub(crate) fn settle(
    node: &mut Node,
    to: &Generation,
    origin: &mut Origin,
    tell: Tell,
) -> Result<Option<Error>, Error> {
    let (known, plan) = ([&to.manifest], UnitPlan::default());
    let change = Change { known: &known, to, plan: &plan, way_back: true };
    let left = node.system.settle(&node.state, &change, origin, tell).err();
    origin.save(&node.disk, &node.state)?;
    Ok(left)
}

/// Closes the journal of a switch that history has; where something is left, it is written down
/// instead. Durable when it returns.
///
/// # Errors
/// When the file system refuses.
pub(crate) fn close(node: &Node, mut journal: Journal, left: Option<&Error>) -> Result<(), Error> {
    match left {
        None => Journal::close(&node.disk, &node.state)?,
        Some(error) => {
            journal.cause = Some(error.to_string());
            journal.advance(Phase::Settling, &node.disk, &node.state)?;
        }
    }
    node.system.disarm();
    Ok(())
}

/// What an earlier switch left, where a test ends: what the test needs may be among it, and what the
/// confirmed generation needs is. It waits for the end of the test.
pub(crate) fn handed_on(journal: &Journal) -> Option<Error> {
    journal.left.clone().map(Error::refused)
}

/// Tries again what an earlier switch left, unless a test runs.
///
/// # Errors
/// When the state does not read back or cannot be written.
pub(crate) fn again(node: &mut Node, journal: Journal, tell: Tell) -> Result<(), Error> {
    let confirmed = node.state.confirmed()?;
    if node.state.current()?.number != confirmed.number {
        return Ok(());
    }
    let mut origin = Origin::load(&node.state)?;
    let left = settle(node, &confirmed, &mut origin, tell)?;
    close(node, journal, left.as_ref())?;
    warn(left.as_ref(), tell);
    Ok(())
}

/// Says what is left.
pub(crate) fn warn(left: Option<&Error>, tell: Tell) {
    if let Some(error) = left {
        let message = format!(
            "{error}; this is tried again by every command while no test runs, and at the next boot"
        );
        tell(Event::Warning { message });
    }
}
