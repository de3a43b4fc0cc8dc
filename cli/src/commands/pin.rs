//! `cairn pin`

use cairn_generation::wire::Outcome;
use clap::Args;
use serde_json::json;

use crate::args::Global;
use crate::commands::ask;
use crate::error::CommandError;
use crate::fleets;
use crate::outcome::Endings;
use crate::style::{STRONG, paint};
use crate::targets::ReachArgs;
use crate::ui::Ui;

/// Keep a generation of a host whatever `gc` removes
#[derive(Debug, Args)]
#[command(after_help = "\
`cairn rollback HOST --list` shows which generations are kept, and which of them are pinned.

Examples:
  cairn pin demo 3
  cairn pin demo 3 --remove
  cairn pin demo 3 --into /tmp/demo")]
pub(crate) struct PinArgs {
    /// The host
    #[arg(value_name = "HOST")]
    host: String,

    /// Number of a generation, or its id or the first digits of it
    #[arg(value_name = "GENERATION")]
    generation: String,

    /// Let it go again
    #[arg(long)]
    remove: bool,

    #[command(flatten)]
    reach: ReachArgs,
}

pub(crate) fn run(ui: &Ui, global: &Global, args: &PinArgs) -> Result<(), CommandError> {
    let fleet = fleets::open(ui, global)?;
    let hosts = [fleets::select_one(ui, &fleet, &args.host)?];
    let (wanted, remove) = (args.generation.as_str(), args.remove);
    let results = match args.reach.folder(&hosts)? {
        Some(folder) => ask::folder(&hosts, folder, |node| node.pin(wanted, remove))?,
        None => ask::hosts(ui, &fleet, &args.reach, &hosts, |deployer, target| {
            let wanted = wanted.to_owned();
            async move {
                deployer.connect(&target, &cairn_deploy::Quiet).await?.pin(&wanted, remove).await
            }
        })?,
    };
    let mut endings = Endings::new(ui);
    for (host, result) in results {
        match result {
            Ok(outcome) => show(ui, &host, remove, &outcome),
            Err(failure) => endings.failure(&host, &failure),
        }
    }
    endings.finish()
}

fn show(ui: &Ui, host: &str, remove: bool, outcome: &Outcome) {
    ui.object(&json!({
        "type": "pin", "host": host, "generation": outcome.generation, "id": outcome.id,
        "pinned": !remove, "changed": outcome.changed,
    }));
    let (host, number) = (paint(STRONG, host), outcome.generation);
    ui.line(match (remove, outcome.changed) {
        (false, true) => format!("{host}: generation {number} is pinned"),
        (false, false) => format!("nothing to do: generation {number} of {host} is pinned"),
        (true, true) => format!("{host}: generation {number} is not pinned any more"),
        (true, false) => format!("nothing to do: generation {number} of {host} is not pinned"),
    });
}
