//! `cairn diff --between`: two hosts or groups of one fleet, option by option.

use std::collections::{BTreeMap, BTreeSet};

use cairn_compiler::{Fleet, OptionValue, OptionValues};
use serde_json::{Value as Json, json};

use crate::args::Global;
use crate::error::CommandError;
use crate::fleets;
use crate::style::{BAD, DIM, GOOD, STRONG, paint};
use crate::texts;
use crate::ui::Ui;

/// What the hosts of one side have for an option.
#[derive(Clone, Debug, PartialEq)]
enum Common {
    /// All of them the same.
    Same(OptionValue),
    /// Not all of them the same.
    Varies,
}

/// One side: the options of a host, or what those of a group's hosts have in common.
type Side = BTreeMap<String, Common>;

pub(super) fn run(ui: &Ui, global: &Global, one: &str, other: &str) -> Result<(), CommandError> {
    let fleet = fleets::open(ui, global)?;
    let (left, right) = (side(ui, &fleet, one)?, side(ui, &fleet, other)?);
    let paths: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    let mut count = 0;
    for path in paths {
        let (before, after) = (left.get(path), right.get(path));
        // Hosts of one group differ by nature, in their names for example.
        if before == after {
            continue;
        }
        count += 1;
        ui.object(&json!({
            "type": "difference", "option": path, "one": shown(before), "other": shown(after),
        }));
        if let (Some(before), Some(after)) = (text(before), text(after)) {
            let bytes = |text: &str| Some(text.as_bytes().to_vec());
            ui.line(texts::coloured(path, &bytes(before), &bytes(after)));
            continue;
        }
        ui.line(paint(STRONG, path));
        for (mark, style, name, value) in [("-", BAD, one, before), ("+", GOOD, other, after)] {
            let text = match value {
                None => paint(DIM, "nothing"),
                Some(Common::Varies) => paint(DIM, "differs between its hosts"),
                Some(Common::Same(value)) => value.text.clone(),
            };
            ui.line(format_args!("  {} {name}: {text}", paint(style, mark)));
        }
    }
    if count == 0 {
        let (one, other) = (paint(STRONG, one), paint(STRONG, other));
        ui.line(format_args!("{one} and {other} do not differ"));
    }
    Ok(())
}

fn side(ui: &Ui, fleet: &Fleet, name: &str) -> Result<Side, CommandError> {
    // A group may be written with or without its `@`: no host has the name of one by accident.
    let is_host = fleet.hosts().iter().any(|host| host == name);
    let wanted = match is_host || name.starts_with('@') {
        true => name.to_owned(),
        false => format!("@{name}"),
    };
    let hosts = fleets::select(ui, fleet, &[wanted])?;
    let all = fleet.values(&hosts).map_err(|problems| fleets::failed(ui, &problems))?;
    Ok(common(all))
}

fn common(all: Vec<OptionValues>) -> Side {
    let paths: BTreeSet<&String> = all.iter().flat_map(OptionValues::keys).collect();
    let of_path = |path: &String| {
        let mut values = all.iter().map(|values| values.get(path));
        let first = values.next().flatten();
        match first {
            Some(first) if values.all(|value| value == Some(first)) => Common::Same(first.clone()),
            _ => Common::Varies,
        }
    };
    paths.into_iter().map(|path| (path.clone(), of_path(path))).collect()
}

/// A text of several lines, such as a file.
fn text(value: Option<&Common>) -> Option<&str> {
    match value? {
        Common::Same(value) => value.json.as_str().filter(|text| text.trim_end().contains('\n')),
        Common::Varies => None,
    }
}

fn shown(value: Option<&Common>) -> Json {
    match value {
        None => json!({ "defined": false }),
        Some(Common::Varies) => json!({ "varies": true }),
        Some(Common::Same(value)) => json!({ "value": value.json }),
    }
}
