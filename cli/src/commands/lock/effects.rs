//! What other inputs change for a fleet: its options, and the generations of its hosts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cairn_compiler::{Fleet, FleetFiles, FleetInputs, Report};
use cairn_fetch::Cache;
use cairn_fetch::input::{InputLock, Inputs, Policy};
use cairn_generation::GenerationId;
use cairn_lang::{Diagnostic, DiskFs, Sources, Span};
use serde_json::json;

use crate::args::Global;
use crate::error::CommandError;
use crate::fleets;
use crate::style::{BAD, CHANGED, GOOD, STRONG, paint};
use crate::ui::Ui;

/// What can be compared of an option: its type, and its default as it is written.
type Traits = (String, Option<String>);

/// A fleet as it is with some inputs.
struct State {
    options: BTreeMap<String, Traits>,
    ids: BTreeMap<String, GenerationId>,
}

/// Shows what changes between the inputs of `old` and `new`.
pub(super) fn show(
    ui: &Ui,
    global: &Global,
    folder: &Path,
    old: &InputLock,
    new: Inputs,
) -> Result<(), CommandError> {
    let cache = fleets::cache()?;
    let new = state(global, folder, new, &cache).map_err(|problems| {
        ui.note("with these inputs the fleet has errors; the old lock is in version control");
        fleets::failed(ui, &problems)
    })?;
    let overrides = global.overrides();
    let policy = Policy { as_locked: true, overrides, ..Policy::default() };
    let before = FleetInputs::read(folder, global.features())
        .and_then(|declared| declared.resolve(cache.folder(), old, &policy, &|_| {}))
        .and_then(|resolved| state(global, folder, resolved.inputs, &cache));
    let Ok(old) = before else {
        ui.note("the fleet as it was cannot be had any more: what changes for it cannot be told");
        return Ok(());
    };
    options(ui, &old.options, &new.options);
    hosts(ui, &old.ids, &new.ids);
    Ok(())
}

fn state(global: &Global, folder: &Path, inputs: Inputs, cache: &Cache) -> Result<State, Report> {
    let unreadable = |error: &dyn std::fmt::Display| {
        let error = Diagnostic::error("file::unreadable", Span::NONE, error.to_string());
        Report::new(vec![error], Sources::new())
    };
    let files = DiskFs::new(folder).map_err(|error| unreadable(&error))?;
    let files = FleetFiles::from(files).with_inputs(inputs).map_err(|error| unreadable(&error))?;
    let fleet = Fleet::load(files, &global.set, global.features())?;
    let (options, _) = fleet.options();
    let listed = options.into_iter().filter(|option| option.doc.is_listed()).map(|option| {
        let default = option.doc.default.map(|default| default.text().to_owned());
        (option.doc.path, (option.doc.type_description, default))
    });
    let store = cache.store().map_err(|error| unreadable(&error))?;
    let (built, _) = fleet.build(&fleet.hosts(), cache, &store)?;
    let ids = built.into_iter().map(|one| (one.host, one.id)).collect();
    Ok(State { options: listed.collect(), ids })
}

fn options(ui: &Ui, old: &BTreeMap<String, Traits>, new: &BTreeMap<String, Traits>) {
    let paths: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for path in paths {
        let (before, after) = (old.get(path), new.get(path));
        if before == after {
            continue;
        }
        let traits = |traits: Option<&Traits>| {
            traits.map(|(kind, default)| json!({ "type": kind, "default": default }))
        };
        ui.object(&json!({
            "type": "option", "option": path, "from": traits(before), "to": traits(after),
        }));
        ui.line(match (before, after) {
            (None, Some((kind, _))) => format!("{} option {path}: {kind}", paint(GOOD, "+")),
            (Some(_), None) => format!("{} option {path} is gone", paint(BAD, "-")),
            (Some((before, _)), Some((after, _))) if before != after => {
                format!("{} option {path}: {before} → {after}", paint(CHANGED, "~"))
            }
            (Some((_, before)), Some((_, after))) => {
                let shown = |default: &Option<String>| default.clone().unwrap_or("none".to_owned());
                let mark = paint(CHANGED, "~");
                format!("{mark} option {path}: its default {} → {}", shown(before), shown(after))
            }
            (None, None) => continue,
        });
    }
}

fn hosts(ui: &Ui, old: &BTreeMap<String, GenerationId>, new: &BTreeMap<String, GenerationId>) {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let moved = names.into_iter().filter(|host| old.get(*host) != new.get(*host));
    let mut count = 0;
    for host in moved {
        count += 1;
        let (before, after) = (old.get(host), new.get(host));
        ui.object(&json!({ "type": "host", "host": host, "from": before, "to": after }));
        let name = paint(STRONG, host);
        ui.line(match (before, after) {
            (Some(before), Some(after)) => {
                format!("{} host {name}: {before} → {after}", paint(CHANGED, "~"))
            }
            (None, Some(after)) => format!("{} host {name}: {after}", paint(GOOD, "+")),
            (_, None) => format!("{} host {name} is gone", paint(BAD, "-")),
        });
    }
    if count == 0 {
        ui.line("no host's generation is another");
    }
}
