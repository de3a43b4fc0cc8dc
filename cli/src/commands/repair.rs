//! `cairn repair`

use cairn_activator::By;
use cairn_generation::wire::Outcome;
use clap::Args;
use serde_json::json;

use crate::args::{Global, HostArgs};
use crate::commands::ask;
use crate::error::CommandError;
use crate::fleets;
use crate::live::{Live, Seen};
use crate::outcome::{self, Endings};
use crate::report::plural;
use crate::style::{DIM, GOOD, STRONG, paint};
use crate::targets::{self, ReachArgs};
use crate::ui::Ui;

/// Make hosts what their generation says again, and touch only what drifted
#[derive(Debug, Args)]
#[command(after_help = "\
What stood at a managed path is kept on the host, in /var/lib/cairn/drift.

Examples:
  cairn repair demo
  cairn repair demo --into /tmp/demo
  cairn repair @agents --format json")]
pub(crate) struct RepairArgs {
    #[command(flatten)]
    hosts: HostArgs,

    #[command(flatten)]
    reach: ReachArgs,
}

pub(crate) fn run(ui: &Ui, global: &Global, args: &RepairArgs) -> Result<(), CommandError> {
    let fleet = fleets::open(ui, global)?;
    let hosts = fleets::select(ui, &fleet, &args.hosts.hosts)?;
    let live = Live::new(ui, &hosts);
    let who = targets::deployer_name();
    let results = match args.reach.folder(&hosts)? {
        Some(folder) => ask::folder(&hosts, folder, |node| {
            let by = By { deployer: who.clone(), login: None };
            node.repair(&by, &mut |event| hosts.iter().for_each(|host| live.wire(host, &event)))
        })?,
        None => ask::hosts(ui, &fleet, &args.reach, &hosts, |deployer, target| {
            let (live, who) = (live.clone(), who.clone());
            async move { deployer.connect(&target, &live).await?.repair(&who, &live).await }
        })?,
    };
    let mut endings = Endings::new(ui);
    for (host, result) in results {
        let seen = live.end(&host);
        match result {
            Ok(outcome) => {
                endings.add();
                show(ui, &host, &outcome, &seen);
            }
            Err(failure) => endings.failure(&host, &failure),
        }
    }
    endings.finish()
}

fn show(ui: &Ui, host: &str, outcome: &Outcome, seen: &Seen) {
    ui.object(&json!({
        "type": "done",
        "host": host,
        "changed": outcome.changed,
        "generation": outcome.generation,
        "id": outcome.id,
    }));
    let name = paint(STRONG, host);
    if !outcome.changed {
        ui.line(format_args!("nothing to do: {name} is as it should be"));
        return;
    }
    for drift in &seen.drift {
        ui.line(format_args!("  {} {drift}", paint(GOOD, "✓")));
    }
    let took = paint(DIM, format_args!("in {}", outcome::seconds(seen.took)));
    let count = plural(seen.drift.len(), "thing");
    ui.line(format_args!("{} {name}: {count} put right {took}", paint(GOOD, "✓")));
}
