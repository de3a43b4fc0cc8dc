//! `cairn build`

use cairn_compiler::Built;
use clap::Args;
use serde_json::json;

use crate::args::{Global, HostArgs};
use crate::error::CommandError;
use crate::fleets;
use crate::style::{DIM, STRONG, paint};
use crate::ui::Ui;

/// Build generations, and print their ids and where they are
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  cairn build demo
  cairn build @agents --format json
  ls $(cairn build demo --format json | jq -r .path)/etc")]
pub(crate) struct BuildArgs {
    #[command(flatten)]
    hosts: HostArgs,
}

pub(crate) fn run(ui: &Ui, global: &Global, args: &BuildArgs) -> Result<(), CommandError> {
    let fleet = fleets::open(ui, global)?;
    let hosts = fleets::select(ui, &fleet, &args.hosts.hosts)?;
    let cache = fleets::cache()?;
    let built = fleets::build(ui, &fleet, &cache, &hosts)?;
    let width = built.iter().map(|one| one.host.len()).max().unwrap_or(0);
    for one in &built {
        show(ui, one, &cache, width)?;
    }
    Ok(())
}

fn show(
    ui: &Ui,
    built: &Built,
    cache: &cairn_fetch::Cache,
    width: usize,
) -> Result<(), CommandError> {
    let path = cairn_compiler::lay_out(cache, built).map_err(|error| {
        CommandError::user(format!("the generation cannot be laid out: {error}"))
    })?;
    let (host, path) = (&built.host, path.display().to_string());
    ui.object(&json!({ "type": "built", "host": host, "id": built.id, "path": path }));
    let host = paint(STRONG, format_args!("{host:<width$}"));
    ui.line(format_args!("{host}  {}  {}", built.id, paint(DIM, path)));
    Ok(())
}
