//! `cairn drift`

use cairn_deploy::Quiet;
use cairn_generation::wire::Drift;
use clap::Args;
use serde_json::json;

use crate::args::{Global, HostArgs};
use crate::commands::ask;
use crate::error::CommandError;
use crate::fleets;
use crate::outcome::Endings;
use crate::report::plural;
use crate::style::{CHANGED, DIM, STRONG, paint};
use crate::targets::ReachArgs;
use crate::ui::Ui;

/// Say what of hosts is no longer as their generation says
#[derive(Debug, Args)]
#[command(after_help = "\
Without hosts, all are asked. The exit code is 4 when anything drifted, whether or not another host
failed, and 3 when a host failed and nothing drifted.

Examples:
  cairn drift
  cairn drift demo --into /tmp/demo
  cairn drift @agents --format json")]
pub(crate) struct DriftArgs {
    #[command(flatten)]
    hosts: HostArgs,

    #[command(flatten)]
    reach: ReachArgs,
}

pub(crate) fn run(ui: &Ui, global: &Global, args: &DriftArgs) -> Result<(), CommandError> {
    let fleet = fleets::open(ui, global)?;
    let hosts = fleets::all_or(ui, &fleet, &args.hosts.hosts)?;
    let results = match args.reach.folder(&hosts)? {
        Some(folder) => ask::folder(&hosts, folder, |node| node.drift())?,
        None => ask::hosts(ui, &fleet, &args.reach, &hosts, |deployer, target| async move {
            deployer.connect(&target, &Quiet).await?.drift().await
        })?,
    };
    let mut endings = Endings::new(ui);
    let (asked, mut drifted) = (hosts.len(), 0);
    for (host, result) in results {
        match result {
            Ok(drift) => {
                endings.add();
                drifted += usize::from(!drift.is_empty());
                show(ui, &host, &drift);
            }
            Err(failure) => endings.failure(&host, &failure),
        }
    }
    let ended = endings.finish();
    if drifted == 0 {
        return ended;
    }
    if asked > 1 {
        ui.note(format_args!("{drifted} of {asked} hosts drifted"));
    }
    Err(CommandError::host(true))
}

fn show(ui: &Ui, host: &str, drift: &[Drift]) {
    let name = paint(STRONG, host);
    match drift.len() {
        0 => ui.line(format_args!("{name} is as it should be")),
        count => ui.line(format_args!("{name}: {} drifted", plural(count, "thing"))),
    }
    for one in drift {
        object(ui, host, one);
        ui.line(format_args!("  {} {one}", paint(CHANGED, "~")));
    }
    if !drift.is_empty() {
        ui.note(paint(DIM, format_args!("  `cairn repair {host}` puts that right")));
    }
}

/// One thing that drifted, as an object.
pub(crate) fn object(ui: &Ui, host: &str, drift: &Drift) {
    let mut object = json!(drift);
    object["type"] = json!("drift");
    object["host"] = json!(host);
    ui.object(&object);
}
