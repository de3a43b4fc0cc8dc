//! How a node differs from the generation that it should be in.

use cairn_generation::wire::{Drift, DriftKind};

use crate::error::Error;
use crate::files::Files;
use crate::node::Node;
use crate::origin::Origin;
use crate::programs;
use crate::state::Generation;

/// Everything that is not as `current` says, sorted.
///
/// # Errors
/// When the host cannot be asked.
pub(crate) fn of(node: &Node, current: &Generation) -> Result<Vec<Drift>, Error> {
    let owners = |user: &str, group: &str| node.system.owner(user, group);
    let files = Files { disk: &node.disk, state: &node.state, owners: &owners };
    let mut drift = files.drift(current)?;
    let damaged = programs::drift(&node.state.store_folder(), &current.manifest);
    drift.extend(
        damaged.into_iter().map(|path| Drift::new(DriftKind::Program, path, "is damaged or gone")),
    );
    drift.extend(node.system.drift(&node.state, current, &Origin::load(&node.state)?)?);
    drift.sort();
    Ok(drift)
}
