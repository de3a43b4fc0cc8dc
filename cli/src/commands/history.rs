//! `cairn history`

use cairn_deploy::Quiet;
use cairn_generation::wire::HistoryEntry;
use clap::Args;
use comfy_table::Cell;
use serde_json::json;

use crate::args::Global;
use crate::commands::ask;
use crate::error::CommandError;
use crate::fleets;
use crate::outcome::Endings;
use crate::style::{BAD, CHANGED, DIM, GOOD};
use crate::table::{self, cell};
use crate::targets::ReachArgs;
use crate::ui::Ui;

/// List the switches of a host, the latest last
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cairn history demo
  cairn history demo --into /tmp/demo --format json")]
pub(crate) struct HistoryArgs {
    /// The host
    #[arg(value_name = "HOST")]
    host: String,

    #[command(flatten)]
    reach: ReachArgs,
}

pub(crate) fn run(ui: &Ui, global: &Global, args: &HistoryArgs) -> Result<(), CommandError> {
    let fleet = fleets::open(ui, global)?;
    let hosts = [fleets::select_one(ui, &fleet, &args.host)?];
    let results = match args.reach.folder(&hosts)? {
        Some(folder) => ask::folder(&hosts, folder, |node| node.history())?,
        None => ask::hosts(ui, &fleet, &args.reach, &hosts, |deployer, target| async move {
            deployer.connect(&target, &Quiet).await?.history().await
        })?,
    };
    let mut endings = Endings::new(ui);
    for (host, result) in results {
        match result {
            Ok(entries) => show(ui, &host, &entries),
            Err(failure) => endings.failure(&host, &failure),
        }
    }
    endings.finish()
}

fn show(ui: &Ui, host: &str, entries: &[HistoryEntry]) {
    if entries.is_empty() {
        ui.line(format_args!("{host} was never switched"));
        return;
    }
    let mut table =
        table::new(&["when (UTC)", "what", "from", "to", "id", "outcome", "took", "who"]);
    for entry in entries {
        let mut object = json!(entry);
        object["type"] = json!("history");
        object["host"] = json!(host);
        ui.object(&object);
        let style = match entry.outcome.as_str() {
            "confirmed" | "tested" => GOOD,
            "unchanged" => DIM,
            "rolled back" => CHANGED,
            _ => BAD,
        };
        let outcome = match &entry.cause {
            Some(cause) => format!("{}: {cause}", entry.outcome),
            None => entry.outcome.clone(),
        };
        let took: u64 = entry.timings.values().sum();
        table.add_row([
            cell(DIM, moment(&entry.at)),
            Cell::new(&entry.what),
            Cell::new(entry.from),
            Cell::new(entry.to),
            Cell::new(entry.to_id.map_or_else(String::new, |id| id.short())),
            cell(style, outcome),
            Cell::new(format!("{took} ms")),
            cell(DIM, &entry.deployer),
        ]);
    }
    table::show(ui, &table);
}

/// `2026-11-21T08:34:32.044Z` as `2026-11-21 08:34:32`; in UTC, as the host wrote it.
fn moment(at: &str) -> String {
    let at = at.split_once('.').map_or(at, |(at, _)| at);
    at.trim_end_matches('Z').replace('T', " ")
}
