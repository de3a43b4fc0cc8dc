//! `cairn vendor`

use cairn_fetch::input::{Policy, VENDOR, vendor};
use clap::Args;
use serde_json::json;

use crate::args::Global;
use crate::error::CommandError;
use crate::style::{GOOD, paint};
use crate::ui::Ui;
use crate::{fleets, inputs};

/// Copy the fleet's inputs into its folder, to be kept with it
///
/// Copies in the folder vendor/ come before the cache and the network, and are verified against the
/// lock each time that they are used.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  cairn vendor && git add vendor")]
pub(crate) struct VendorArgs {}

pub(crate) fn run(ui: &Ui, global: &Global, _: &VendorArgs) -> Result<(), CommandError> {
    let folder = fleets::folder(global)?;
    let folder = folder.canonicalize()?;
    let lock = fleets::lock(&folder)?.inputs;
    let inputs = inputs::resolve(ui, global, &folder, &lock, &Policy::default())?.inputs;
    if inputs.all.is_empty() {
        ui.line("nothing to do: the fleet has no inputs");
        return Ok(());
    }
    for input in inputs.all.values() {
        let place = vendor(&folder, input)
            .map_err(|error| CommandError::user(error.message).hint(error.help))?;
        ui.object(&json!({ "type": "vendored", "name": input.name, "path": place }));
        let name = place.file_name().unwrap_or_default().to_string_lossy();
        ui.line(format_args!("{} {VENDOR}/{name}", paint(GOOD, "✓")));
    }
    Ok(())
}
