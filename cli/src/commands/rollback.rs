//! `cairn rollback`

use std::path::Path;

use cairn_compiler::Deployment;
use cairn_deploy::{Quiet, Switch};
use cairn_generation::wire::{HostStatus, Mode, SwitchOptions};
use clap::Args;
use serde_json::json;

use crate::args::Global;
use crate::error::CommandError;
use crate::fleets;
use crate::live::Live;
use crate::outcome::{Asked, Endings, Failure};
use crate::style::{DIM, GOOD, paint};
use crate::targets::{self, ReachArgs};
use crate::ui::Ui;

/// Switch a host back to a generation that it keeps
#[derive(Debug, Args)]
#[command(after_help = "\
Generation 0 is the host as it was found.

Examples:
  cairn rollback demo
  cairn rollback demo 3
  cairn rollback demo --list
  cairn rollback demo --into /tmp/demo")]
pub(crate) struct RollbackArgs {
    /// The host
    #[arg(value_name = "HOST")]
    host: String,

    /// Number of a generation, or its id or the first digits of it [default: the one before]
    #[arg(value_name = "GENERATION")]
    to: Option<String>,

    /// List the generations that are kept
    #[arg(long, conflicts_with = "to")]
    list: bool,

    #[command(flatten)]
    reach: ReachArgs,
}

pub(crate) fn run(ui: &Ui, global: &Global, args: &RollbackArgs) -> Result<(), CommandError> {
    let fleet = fleets::open(ui, global)?;
    let host = fleets::select_one(ui, &fleet, &args.host)?;
    let hosts = [host.clone()];
    let deployments =
        fleet.deployments(&hosts).map_err(|problems| fleets::failed(ui, &problems))?;
    let deployment = deployments.get(&host).cloned().unwrap_or_default();
    match (args.reach.folder(&hosts)?, args.list) {
        (Some(folder), true) => {
            let status = targets::node(folder)?.status().map_err(Failure::from);
            list(ui, &host, status)
        }
        (None, true) => {
            let status = status_over_ssh(args, &host, &deployment)?;
            list(ui, &host, status)
        }
        (Some(folder), false) => into(ui, args, folder, &host),
        (None, false) => over_ssh(ui, args, &host, &deployment),
    }
}

fn into(ui: &Ui, args: &RollbackArgs, folder: &Path, host: &str) -> Result<(), CommandError> {
    let mut node = targets::node(folder)?;
    let live = Live::new(ui, &[host.to_owned()]);
    let options = SwitchOptions {
        mode: Mode::Switch,
        nonce: None,
        confirm_timeout: 0,
        adopt: Default::default(),
        deployer: targets::deployer_name(),
        login: None,
        port: None,
        allow_lockout: false,
    };
    let mut tell = |event| live.wire(host, &event);
    let result = node.rollback(args.to.as_deref(), &options, &mut tell);
    let seen = live.end(host);
    let mut endings = Endings::new(ui);
    endings.switch(host, Asked::Rollback(Mode::Switch), &seen, &result.map_err(Into::into));
    endings.finish()
}

fn over_ssh(
    ui: &Ui,
    args: &RollbackArgs,
    host: &str,
    deployment: &Deployment,
) -> Result<(), CommandError> {
    let how = Switch {
        mode: Mode::Switch,
        confirm_timeout: deployment.confirm_timeout,
        adopt: Default::default(),
        allow_lockout: deployment.allow_lockout,
    };
    let deployer = args.reach.deployer()?;
    let live = Live::new(ui, &[host.to_owned()]);
    let hosts = vec![(targets::target(host, deployment), (args.to.clone(), how))];
    let results = args.reach.each(hosts, |target, (to, how)| {
        let (deployer, live) = (deployer.clone(), live.clone());
        async move { deployer.rollback(&target, to, &how, &live).await }
    })?;
    let mut endings = Endings::new(ui);
    for (host, result) in results {
        let seen = live.end(&host);
        let asked = Asked::Rollback(Mode::Switch);
        endings.switch(&host, asked, &seen, &result.map_err(Into::into));
    }
    endings.finish()
}

fn status_over_ssh(
    args: &RollbackArgs,
    host: &str,
    deployment: &Deployment,
) -> Result<Result<HostStatus, Failure>, CommandError> {
    let deployer = args.reach.deployer()?;
    let hosts = vec![(targets::target(host, deployment), ())];
    let results = args.reach.each(hosts, |target, ()| {
        let deployer = deployer.clone();
        async move { deployer.connect(&target, &Quiet).await?.status().await }
    })?;
    let result = results.into_iter().next().map(|(_, result)| result.map_err(Failure::from));
    result.ok_or_else(|| CommandError::internal("no host answered"))
}

fn list(ui: &Ui, host: &str, status: Result<HostStatus, Failure>) -> Result<(), CommandError> {
    let mut endings = Endings::new(ui);
    match status {
        Err(failure) => endings.failure(host, &failure),
        Ok(status) => {
            let zero = "the host as found".to_owned();
            let kept = status.kept.iter().map(|(number, id)| (*number, id.short()));
            for (number, id) in std::iter::once((0, zero)).chain(kept) {
                let current = number == status.generation;
                let mark = if current { paint(GOOD, "→") } else { " ".to_owned() };
                let pinned = if status.pinned.contains(&number) { "  pinned" } else { "" };
                let note = match (current, number == status.confirmed) {
                    (true, false) => "  current, not confirmed",
                    (true, true) => "  current",
                    (false, true) => "  confirmed: comes up at the next boot",
                    (false, false) => "",
                };
                ui.line(format_args!(
                    "{mark} {number:>4}  {id}{}{}",
                    paint(DIM, note),
                    paint(DIM, pinned)
                ));
            }
            for (number, id) in &status.kept {
                ui.object(&json!({
                    "type": "generation", "host": host, "generation": number, "id": id,
                    "current": *number == status.generation,
                    "confirmed": *number == status.confirmed,
                    "pinned": status.pinned.contains(number),
                }));
            }
        }
    }
    endings.finish()
}
