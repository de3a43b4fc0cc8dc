//! `cairn check`

use clap::Args;
use serde_json::json;

use crate::args::{Global, HostArgs};
use crate::error::CommandError;
use crate::fleets;
use crate::report::{self, plural};
use crate::style::{GOOD, paint};
use crate::ui::Ui;

/// Say everything that is wrong with a fleet, in one run
#[derive(Debug, Args)]
#[command(after_help = "\
Every file of the fleet is read, and every option of every host computed. Without hosts, all are
checked.

Examples:
  cairn check
  cairn check demo --format json")]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    hosts: HostArgs,
}

pub(crate) fn run(ui: &Ui, global: &Global, args: &CheckArgs) -> Result<(), CommandError> {
    let fleet = fleets::open_to_check(ui, global)?;
    let hosts = match args.hosts.hosts.is_empty() {
        true => fleet.hosts(),
        false => fleets::select(ui, &fleet, &args.hosts.hosts)?,
    };
    let found = fleet.check(&hosts);
    report::show(ui, &found.diagnostics, &found.sources);
    if found.has_errors() {
        return Err(CommandError::told());
    }
    ui.object(&json!({ "type": "checked", "hosts": hosts }));
    let mark = paint(GOOD, "✓");
    ui.line(format_args!("{mark} nothing is wrong with {}", plural(hosts.len(), "host")));
    Ok(())
}
