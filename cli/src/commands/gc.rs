//! `cairn gc`

use cairn_generation::wire::Outcome;
use clap::Args;
use serde_json::json;

use crate::args::{Global, HostArgs};
use crate::commands::ask;
use crate::error::CommandError;
use crate::fleets;
use crate::live::Live;
use crate::outcome::Endings;
use crate::style::{STRONG, paint};
use crate::targets::ReachArgs;
use crate::ui::Ui;

/// Remove old generations from hosts, and blobs that none of those left needs
#[derive(Debug, Args)]
#[command(after_help = "\
The current, the confirmed and pinned generations always stay.

Examples:
  cairn gc demo --keep 3
  cairn gc demo --into /tmp/demo")]
pub(crate) struct GcArgs {
    #[command(flatten)]
    hosts: HostArgs,

    /// How many of the latest generations stay
    #[arg(long, value_name = "N", default_value_t = 10)]
    keep: u32,

    #[command(flatten)]
    reach: ReachArgs,
}

pub(crate) fn run(ui: &Ui, global: &Global, args: &GcArgs) -> Result<(), CommandError> {
    let fleet = fleets::open(ui, global)?;
    let hosts = fleets::select(ui, &fleet, &args.hosts.hosts)?;
    let live = Live::new(ui, &hosts);
    let keep = args.keep;
    let results = match args.reach.folder(&hosts)? {
        Some(folder) => ask::folder(&hosts, folder, |node| {
            node.gc(keep, &mut |event| hosts.iter().for_each(|host| live.wire(host, &event)))
        })?,
        None => ask::hosts(ui, &fleet, &args.reach, &hosts, |deployer, target| {
            let live = live.clone();
            async move { deployer.connect(&target, &live).await?.gc(keep, &live).await }
        })?,
    };
    let mut endings = Endings::new(ui);
    for (host, result) in results {
        live.end(&host);
        match result {
            Ok(outcome) => show(ui, &host, &outcome),
            Err(failure) => endings.failure(&host, &failure),
        }
    }
    endings.finish()
}

fn show(ui: &Ui, host: &str, outcome: &Outcome) {
    ui.object(&json!({ "type": "gc", "host": host, "changed": outcome.changed }));
    let host = paint(STRONG, host);
    ui.line(match outcome.changed {
        true => format!("{host}: old generations, and what only they needed, are gone"),
        false => format!("nothing to do: {host} has nothing to spare"),
    });
}
