//! `cairn why`

use cairn_compiler::{Chain, Fleet, Source};
use clap::Args;
use serde_json::{Value as Json, json};

use super::explain;
use crate::args::Global;
use crate::error::CommandError;
use crate::fleets;
use crate::style::{DIM, STRONG, paint};
use crate::ui::Ui;

/// Say why a host has a package: which definitions ask for it, and what needs it
#[derive(Debug, Args)]
#[command(after_help = "\
PACKAGE is a package's name, or that of one of its programs. Dependencies of Debian packages are known
where the host's packages are locked (`debian.mirror`).

Examples:
  cairn why demo k3s
  cairn why demo libssl3 --format json")]
pub(crate) struct WhyArgs {
    /// The host
    #[arg(value_name = "HOST")]
    host: String,

    /// The package
    #[arg(value_name = "PACKAGE")]
    package: String,
}

pub(crate) fn run(ui: &Ui, global: &Global, args: &WhyArgs) -> Result<(), CommandError> {
    let fleet = fleets::open(ui, global)?;
    let host = fleets::select_one(ui, &fleet, &args.host)?;
    let why = fleet.why(&host, &args.package).map_err(|problems| fleets::failed(ui, &problems))?;
    let chains: Vec<Json> = why.chains.iter().map(|chain| object(&fleet, chain)).collect();
    let (source, checked) = match &why.source {
        Source::Fetched { url, checked } => (url.clone(), checked.clone()),
        Source::Debian(Some((part, file))) => (format!("{part}: {file}"), None),
        Source::Debian(None) => ("the host's own apt sources".to_owned(), None),
    };
    ui.object(&json!({
        "type": "why", "host": host, "package": why.name, "version": why.version, "source": source,
        "checked": checked, "chains": chains,
    }));
    let version = why.version.as_deref().unwrap_or_default();
    ui.line(format_args!("{} {version}", paint(STRONG, &why.name)).to_string().trim_end());
    ui.line(format_args!("  from {}", paint(DIM, source)));
    if let Some(checked) = checked {
        ui.line(format_args!("  checked against {}", paint(DIM, checked)));
    }
    for chain in &why.chains {
        ui.line("");
        ui.line(format_args!("  {}", chain.packages.join(" → ")));
        for (option, one) in &chain.asked {
            let at = paint(DIM, explain::whence(&fleet, one));
            ui.line(format_args!("    {option}  {at}"));
            explain::conditions(ui, &fleet, one);
        }
    }
    Ok(())
}

fn object(fleet: &Fleet, chain: &Chain) -> Json {
    let asked = chain.asked.iter().map(|(option, one)| {
        let mut asked = explain::definition_object(fleet, one);
        if let Some(asked) = asked.as_object_mut() {
            asked.insert("option".to_owned(), json!(option));
        }
        asked
    });
    json!({ "packages": chain.packages, "asked": asked.collect::<Vec<_>>() })
}
