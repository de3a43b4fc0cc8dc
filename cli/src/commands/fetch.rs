//! `cairn fetch`

use clap::Args;
use serde_json::json;

use crate::args::{Global, HostArgs};
use crate::error::CommandError;
use crate::report::{self, plural};
use crate::style::{GOOD, paint};
use crate::ui::Ui;
use crate::{fleets, progress};

/// Bring all that hosts need into this machine's cache, so that building them needs no network
#[derive(Debug, Args)]
#[command(after_help = "\
Without hosts, it is done for all of them.

Examples:
  cairn fetch
  cairn fetch @agents")]
pub(crate) struct FetchArgs {
    #[command(flatten)]
    hosts: HostArgs,
}

pub(crate) fn run(ui: &Ui, global: &Global, args: &FetchArgs) -> Result<(), CommandError> {
    let fleet = fleets::open(ui, global)?;
    let hosts = fleets::all_or(ui, &fleet, &args.hosts.hosts)?;
    let (wanted, warnings) =
        fleet.wanted(&hosts).map_err(|problems| fleets::failed(ui, &problems))?;
    report::show(ui, &warnings.diagnostics, &warnings.sources);
    let cache = fleets::cache()?;
    let missing: Vec<_> =
        wanted.iter().filter(|one| cache.have(&one.sha256).is_none()).cloned().collect();
    let bar = progress::bytes(ui);
    let fetched = cache.fetch_all(&missing, &|count| bar.inc(count));
    bar.finish_and_clear();
    fetched.map_err(|error| CommandError::user(error.to_string()).hint(error.help()))?;
    let (all, new) = (wanted.len(), missing.len());
    ui.object(&json!({ "type": "fetched", "wanted": all, "fetched": new }));
    ui.line(match new {
        0 => format!("nothing to do: {} in the cache", plural(all, "download")),
        new => format!("{} fetched {} of {all}", paint(GOOD, "✓"), plural(new, "download")),
    });
    Ok(())
}
