//! A fleet's inputs, from what it says to their trees, with words on the way.

use std::path::{Path, PathBuf};

use cairn_compiler::FleetInputs;
use cairn_fetch::input::{InputLock, Inputs, Policy, Resolved};
use indicatif::ProgressBar;

use crate::args::Global;
use crate::error::CommandError;
use crate::fleets;
use crate::ui::Ui;

/// Finds the inputs of the fleet in `folder`.
pub(crate) fn resolve(
    ui: &Ui,
    global: &Global,
    folder: &Path,
    lock: &InputLock,
    policy: &Policy,
) -> Result<Resolved, CommandError> {
    let declared = FleetInputs::read(folder, global.features())
        .map_err(|report| fleets::failed(ui, &report))?;
    resolve_declared(ui, &declared, lock, policy)
}

/// Finds the inputs that a fleet says it has.
pub(crate) fn resolve_declared(
    ui: &Ui,
    declared: &FleetInputs,
    lock: &InputLock,
    policy: &Policy,
) -> Result<Resolved, CommandError> {
    if declared.is_empty() && policy.overrides.is_empty() {
        let (inputs, lock, notes) = (Inputs::default(), InputLock::new(), Vec::new());
        return Ok(Resolved { inputs, lock, notes });
    }
    let bar = ui.progress().add(ProgressBar::new_spinner());
    let progress = |input: &str| {
        bar.set_message(format!("fetching the input {input}"));
        bar.tick();
    };
    let resolved = declared.resolve(&cache()?, lock, policy, &progress);
    bar.finish_and_clear();
    let resolved = resolved.map_err(|report| fleets::failed(ui, &report))?;
    for note in &resolved.notes {
        ui.note(format_args!("the input {}: {}; {}", note.input, note.message, note.help));
    }
    Ok(resolved)
}

fn cache() -> Result<PathBuf, CommandError> {
    Ok(fleets::cache()?.folder().to_owned())
}
