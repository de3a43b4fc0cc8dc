//! One question to each of several hosts, or to the folder in the place of one.

use std::path::Path;

use cairn_activator::Node;
use cairn_compiler::Fleet;
use cairn_deploy::{Deployer, Error, Target};

use crate::error::CommandError;
use crate::fleets;
use crate::outcome::Failure;
use crate::targets::{self, ReachArgs};
use crate::ui::Ui;

/// What each host answered.
pub(crate) type Answers<R> = Vec<(String, Result<R, Failure>)>;

/// Asks the folder that stands for the only one of `hosts`.
pub(crate) fn folder<R, E: Into<Failure>>(
    hosts: &[String],
    folder: &Path,
    question: impl Fn(&mut Node) -> Result<R, E>,
) -> Result<Answers<R>, CommandError> {
    let mut node = targets::existing_node(folder)?;
    let mut ask = |host: &String| (host.clone(), question(&mut node).map_err(Into::into));
    Ok(hosts.iter().map(&mut ask).collect())
}

/// Asks hosts over SSH; only their `deployment` options are evaluated.
pub(crate) fn hosts<R, F>(
    ui: &Ui,
    fleet: &Fleet,
    reach: &ReachArgs,
    hosts: &[String],
    question: impl Fn(Deployer, Target) -> F,
) -> Result<Answers<R>, CommandError>
where
    R: Send + 'static,
    F: Future<Output = Result<R, Error>> + Send + 'static,
{
    let deployments = fleet.deployments(hosts).map_err(|problems| fleets::failed(ui, &problems))?;
    let targets = deployments.iter().map(|(host, one)| (targets::target(host, one), ()));
    let deployer = reach.deployer()?;
    let results = reach.each(targets.collect(), |target, ()| question(deployer.clone(), target))?;
    let results = results.into_iter().map(|(host, result)| (host, result.map_err(Into::into)));
    Ok(results.collect())
}
