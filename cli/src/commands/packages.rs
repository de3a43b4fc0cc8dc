//! `cairn packages`

use cairn_compiler::{Offer, Origin};
use cairn_lang::did_you_mean;
use clap::Args;
use comfy_table::Cell;
use serde_json::json;

use crate::args::Global;
use crate::error::CommandError;
use crate::fleets;
use crate::style::{DIM, STRONG};
use crate::table::{self, cell};
use crate::ui::Ui;

/// So many versions of a package are shown; the others are counted.
const SHOWN: usize = 3;

/// Look packages up: the fleet's own, the catalogue's, and those of Debian that cairn.lock has
#[derive(Debug, Args)]
#[command(after_help = "\
PATTERN is a part of a name, a program or a description. Any other name in `pkgs` is Debian's.

Examples:
  cairn packages
  cairn packages helm
  cairn packages kube --format json")]
pub(crate) struct PackagesArgs {
    /// A part of a name, a program or a description
    #[arg(value_name = "PATTERN")]
    pattern: Option<String>,
}

pub(crate) fn run(ui: &Ui, global: &Global, args: &PackagesArgs) -> Result<(), CommandError> {
    let fleet = fleets::open_or_standard(ui, global)?;
    let all = fleet.offers().map_err(|problems| fleets::failed(ui, &problems))?;
    let pattern = args.pattern.as_deref().unwrap_or_default().to_lowercase();
    let found: Vec<&Offer> = all.iter().filter(|offer| fits(offer, &pattern)).collect();
    if found.is_empty() && !pattern.is_empty() {
        let names = all.iter().map(|offer| offer.name.as_str());
        let help = did_you_mean(&pattern, names)
            .unwrap_or_else(|| format!("if Debian has it, it is `pkgs.{pattern}`"));
        return Err(CommandError::user(format!("no package has `{pattern}` in it")).hint(help));
    }
    let mut table = table::new(&["package", "versions", "source", "licence", "is"]);
    for offer in found {
        ui.object(&json!({
            "type": "package",
            "name": offer.name,
            "versions": offer.versions,
            "source": source(offer),
            "programs": offer.programs,
            "urls": offer.urls,
            "description": offer.description,
            "homepage": offer.homepage,
            "licence": offer.licence,
        }));
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        table.add_row([
            cell(STRONG, &offer.name),
            Cell::new(versions(offer)),
            cell(DIM, source(offer)),
            cell(DIM, text(&offer.licence)),
            cell(DIM, text(&offer.description)),
        ]);
    }
    table::show(ui, &table);
    Ok(())
}

fn fits(offer: &Offer, pattern: &str) -> bool {
    let texts = [Some(&offer.name), offer.description.as_ref()].into_iter().flatten();
    let mut texts = texts.chain(&offer.programs);
    texts.any(|text| text.to_lowercase().contains(pattern))
}

fn versions(offer: &Offer) -> String {
    let shown = offer.versions.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(" ");
    match offer.versions.len().checked_sub(SHOWN) {
        None | Some(0) => shown,
        Some(more) => format!("{shown} +{more}"),
    }
}

fn source(offer: &Offer) -> String {
    match &offer.origin {
        Origin::Fleet => "fleet".to_owned(),
        Origin::Catalogue => "catalogue".to_owned(),
        Origin::Debian(part) => part.clone(),
    }
}
