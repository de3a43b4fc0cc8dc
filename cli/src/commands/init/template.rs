//! `cairn init --template`

use std::env;

use cairn_compiler::{FleetInputs, templates};
use cairn_fetch::input::{InputLock, Inputs, Policy, Reference};
use cairn_lang::did_you_mean;

use super::{NewFile, copied};
use crate::args::Global;
use crate::error::CommandError;
use crate::ui::Ui;
use crate::{fleets, inputs};

/// The name that an input has here which no fleet has.
const ALONE: &str = "template";

/// The files of a template, `INPUT[#NAME]`.
pub(super) fn files(ui: &Ui, global: &Global, wanted: &str) -> Result<Vec<NewFile>, CommandError> {
    let (place, name) = wanted.split_once('#').unwrap_or((wanted, "default"));
    let (inputs, input) = input(ui, global, place)?;
    let all = templates(inputs, &input, global.features())
        .map_err(|problems| fleets::failed(ui, &problems))?;
    let Some(template) = all.get(name) else {
        let error = CommandError::user(format!("{place} has no template `{name}`"));
        return Err(match all.is_empty() {
            true => error.hint("it has none: `outputs.templates.<name> = { path = ./folder; };`"),
            false => error.hint(known(name, &all)),
        });
    };
    let mut files = Vec::new();
    copied(&template.folder, "", &mut files)?;
    Ok(files)
}

/// The nearest template, or all of them.
fn known(
    wanted: &str,
    all: &std::collections::BTreeMap<String, cairn_compiler::Template>,
) -> String {
    did_you_mean(wanted, all.keys().map(String::as_str)).unwrap_or_else(|| {
        let each = all.iter().map(|(name, template)| match &template.description {
            Some(description) => format!("{name} ({description})"),
            None => name.clone(),
        });
        format!("its templates are: {}", each.collect::<Vec<_>>().join(", "))
    })
}

/// The input at a place, or the fleet's of that name; and what it is called among the inputs.
fn input(ui: &Ui, global: &Global, place: &str) -> Result<(Inputs, String), CommandError> {
    if !place.contains([':', '/', '.']) {
        let folder = fleets::folder(global)?;
        let policy = Policy { overrides: global.overrides(), ..Policy::default() };
        let inputs = inputs::resolve(ui, global, &folder, &fleets::lock(&folder)?.inputs, &policy)?;
        let inputs = inputs.inputs;
        let Some(input) = inputs.root.get(place).cloned() else {
            let known: Vec<&str> = inputs.root.keys().map(String::as_str).collect();
            let error = CommandError::user(format!("the fleet has no input `{place}`"));
            return Err(error.hint(format!("its inputs are: {}", known.join(", "))));
        };
        return Ok((inputs, input));
    }
    let reference = Reference::parse(place)
        .map_err(|error| CommandError::user(error.message).hint(error.help))?;
    let declared = FleetInputs::one(ALONE, reference, &env::current_dir()?, global.features());
    let policy = Policy { add: true, overrides: global.overrides(), ..Policy::default() };
    let resolved = inputs::resolve_declared(ui, &declared, &InputLock::new(), &policy)?;
    Ok((resolved.inputs, ALONE.to_owned()))
}
