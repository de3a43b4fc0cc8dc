//! `cairn status`

use anstyle::Style;
use cairn_deploy::Quiet;
use cairn_generation::wire::{Drift, DriftKind, HostStatus};
use clap::Args;
use comfy_table::{Cell, Table};
use serde_json::json;

use crate::args::{Global, HostArgs};
use crate::commands::ask;
use crate::error::CommandError;
use crate::fleets;
use crate::outcome::Endings;
use crate::report::plural;
use crate::style::{BAD, CHANGED, DIM, GOOD, STRONG, paint};
use crate::table::{self, cell};
use crate::targets::ReachArgs;
use crate::ui::Ui;

/// Say in which generation hosts are, and whether they still are what it says
#[derive(Debug, Args)]
#[command(after_help = "\
Without hosts, all are asked.

Examples:
  cairn status
  cairn status demo --into /tmp/demo
  cairn status @agents --format json")]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    hosts: HostArgs,

    #[command(flatten)]
    reach: ReachArgs,
}

pub(crate) fn run(ui: &Ui, global: &Global, args: &StatusArgs) -> Result<(), CommandError> {
    let fleet = fleets::open(ui, global)?;
    let hosts = fleets::all_or(ui, &fleet, &args.hosts.hosts)?;
    let results = match args.reach.folder(&hosts)? {
        Some(folder) => ask::folder(&hosts, folder, |node| node.status())?,
        None => ask::hosts(ui, &fleet, &args.reach, &hosts, |deployer, target| async move {
            deployer.connect(&target, &Quiet).await?.status().await
        })?,
    };
    let mut endings = Endings::new(ui);
    let mut table = table::new(&["host", "generation", "id", "state"]);
    let mut details = Vec::new();
    for (host, result) in results {
        match result {
            Ok(status) => add(ui, &mut table, &mut details, &host, &status),
            Err(failure) => endings.failure(&host, &failure),
        }
    }
    table::show(ui, &table);
    details.iter().for_each(|line| ui.line(line));
    endings.finish()
}

fn add(ui: &Ui, table: &mut Table, details: &mut Vec<String>, host: &str, status: &HostStatus) {
    let mut object = json!(status);
    object["type"] = json!("status");
    object["host"] = json!(host);
    ui.object(&object);
    let id = match &status.id {
        Some(id) => Cell::new(id.short()),
        None => cell(DIM, "as found"),
    };
    let (style, words) = state(status);
    let generation = Cell::new(status.generation);
    table.add_row([cell(STRONG, host), generation, id, cell(style, words)]);
    for drift in drifted(status) {
        details.push(format!("  {host}  {} {drift}", paint(CHANGED, "drift")));
    }
    if let Some(why) = &status.unsettled {
        details.push(format!("  {host}  {} {why}", paint(CHANGED, "left")));
    }
    for unit in &status.failed_units {
        details.push(format!("  {host}  {} {unit} is not active", paint(BAD, "unit")));
    }
}

/// Units that are down are told as such.
fn drifted(status: &HostStatus) -> impl Iterator<Item = &Drift> {
    let is_down =
        |one: &Drift| one.kind == DriftKind::Unit && status.failed_units.contains(&one.name);
    status.drift.iter().filter(move |one| !is_down(one))
}

fn state(status: &HostStatus) -> (Style, String) {
    let mut state = Vec::new();
    let mut style = CHANGED;
    if status.switching {
        state.push("a switch is under way".to_owned());
    }
    if status.unsettled.is_some() {
        state.push("not all of another generation is removed".to_owned());
    }
    let boots = status.next.unwrap_or(status.confirmed);
    if boots != status.generation {
        state.push(format!("boots into {boots}"));
    }
    let drifted = drifted(status).count();
    if drifted > 0 {
        state.push(format!("{} drifted", plural(drifted, "thing")));
    }
    if !status.failed_units.is_empty() {
        style = BAD;
        state.push(format!("{} not active", plural(status.failed_units.len(), "unit")));
    }
    match state.is_empty() {
        true => (GOOD, "as it should be".to_owned()),
        false => (style, state.join(", ")),
    }
}
