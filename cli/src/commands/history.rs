//! `cairn history`

use cairn_deploy::Quiet;
use cairn_generation::wire::{History, HistoryEntry};
use clap::Args;
use comfy_table::Cell;
use serde_json::json;

use crate::args::Global;
use crate::commands::ask;
use crate::error::CommandError;
use crate::fleets;
use crate::outcome::Endings;
use crate::style::{BAD, CHANGED, DIM, GOOD, STRONG, paint};
use crate::table::{self, cell};
use crate::targets::ReachArgs;
use crate::ui::Ui;

/// List what was tried on a host, the latest last, or show one attempt whole
#[derive(Debug, Args)]
#[command(after_help = "\
Each line of a history carries the hash of the one before it. Where somebody changed, added or
removed one, that is told, and the exit code is 4.

Examples:
  cairn history demo
  cairn history demo 3
  cairn history demo --into /tmp/demo --format json")]
pub(crate) struct HistoryArgs {
    /// The host
    #[arg(value_name = "HOST")]
    host: String,

    /// Number of an attempt, to show it whole
    #[arg(value_name = "N")]
    number: Option<u64>,

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
    let mut broken = false;
    for (host, result) in results {
        match result {
            Ok(history) => {
                broken |= !history.broken.is_empty();
                match args.number {
                    Some(number) => one(ui, &host, &history, number)?,
                    None => all(ui, &host, &history),
                }
                tell_broken(ui, &host, &history);
            }
            Err(failure) => endings.failure(&host, &failure),
        }
    }
    let ended = endings.finish();
    if broken { Err(CommandError::host(true)) } else { ended }
}

fn all(ui: &Ui, host: &str, history: &History) {
    if history.entries.is_empty() {
        ui.line(format_args!("{host} was never switched"));
        return;
    }
    let mut table =
        table::new(&["n", "when (UTC)", "what", "from", "to", "id", "outcome", "took", "who"]);
    for entry in &history.entries {
        object(ui, host, entry);
        let cause = entry.cause.as_ref().and_then(|cause| cause.lines().next());
        let outcome = match cause {
            Some(cause) => format!("{}: {cause}", entry.outcome),
            None => entry.outcome.clone(),
        };
        table.add_row([
            Cell::new(entry.number),
            cell(DIM, moment(&entry.at)),
            Cell::new(&entry.what),
            Cell::new(entry.from),
            Cell::new(entry.to),
            Cell::new(entry.to_id.map_or_else(String::new, |id| id.short())),
            cell(style(entry), outcome),
            Cell::new(format!("{} ms", took(entry))),
            cell(DIM, &entry.deployer),
        ]);
    }
    table::show(ui, &table);
}

fn one(ui: &Ui, host: &str, history: &History, number: u64) -> Result<(), CommandError> {
    let Some(entry) = history.entries.iter().find(|entry| entry.number == number) else {
        let message = format!("{host} has no attempt {number}");
        return Err(CommandError::user(message).hint(format!("`cairn history {host}` lists them")));
    };
    object(ui, host, entry);
    let outcome = paint(style(entry), &entry.outcome);
    ui.line(format_args!("{} {number}: {}, {outcome}", paint(STRONG, host), entry.what));
    let line = |name: &str, value: String| {
        ui.line(format_args!("  {} {value}", paint(DIM, format_args!("{name:<6}"))));
    };
    let id = entry.to_id.map_or_else(String::new, |id| format!(" ({})", id.short()));
    line(
        "way",
        match entry.from == entry.to {
            true => format!("generation {}", entry.from),
            false => format!("from generation {} to {}{id}", entry.from, entry.to),
        },
    );
    line(
        "who",
        match &entry.login {
            Some(login) => format!("{}, as {login}", entry.deployer),
            None => entry.deployer.clone(),
        },
    );
    if !entry.started.is_empty() {
        line("began", format!("{} UTC", moment(&entry.started)));
    }
    line("ended", format!("{} UTC", moment(&entry.at)));
    let steps = entry
        .timings
        .iter()
        .map(|(step, took)| format!("{} {took} ms", json!(step).as_str().unwrap_or_default()));
    let steps: Vec<String> = steps.collect();
    if !steps.is_empty() {
        line("steps", steps.join(", "));
    }
    if let Some(cause) = &entry.cause {
        line("cause", cause.replace('\n', "\n         "));
    }
    for unit in &entry.units {
        line("unit", format!("{} failed ({})", unit.unit, unit.why));
        for said in &unit.journal {
            ui.line(format_args!("           {said}"));
        }
    }
    Ok(())
}

fn tell_broken(ui: &Ui, host: &str, history: &History) {
    for (number, why) in &history.broken {
        ui.object(&json!({ "type": "history-broken", "host": host, "line": number, "why": why }));
        let sign = paint(BAD.bold(), "✗");
        ui.note(format_args!("{sign} {host}: line {number} of its history {why}"));
    }
}

fn object(ui: &Ui, host: &str, entry: &HistoryEntry) {
    let mut object = json!(entry);
    object["type"] = json!("history");
    object["host"] = json!(host);
    ui.object(&object);
}

fn style(entry: &HistoryEntry) -> anstyle::Style {
    match entry.outcome.as_str() {
        "confirmed" | "tested" | "repaired" => GOOD,
        "unchanged" | "next boot" => DIM,
        "rolled back" => CHANGED,
        _ => BAD,
    }
}

fn took(entry: &HistoryEntry) -> u64 {
    entry.timings.values().sum()
}

/// `2026-11-21T08:34:32.044Z` as `2026-11-21 08:34:32`; in UTC, as the host wrote it.
fn moment(at: &str) -> String {
    let at = at.split_once('.').map_or(at, |(at, _)| at);
    at.trim_end_matches('Z').replace('T', " ")
}
