//! systemd units.

use std::collections::{BTreeMap, BTreeSet};

use cairn_generation::manifest::{Content, File, Method, OnChange, Unit};

use super::{Work, raw};

/// What may stand after the dot.
const KINDS: [&str; 10] = [
    "service",
    "socket",
    "timer",
    "target",
    "path",
    "mount",
    "automount",
    "swap",
    "slice",
    "scope",
];

pub(super) fn add(work: &mut Work<'_>, units: &BTreeMap<String, raw::Unit>) {
    for (name, unit) in units {
        let fields = [("wantedBy", &unit.wanted_by), ("requiredBy", &unit.required_by)];
        let mut fine = check_name(work, &["units", name], name);
        for (field, others) in fields {
            for other in others {
                fine &= check_name(work, &["units", name, field], other);
            }
        }
        if !fine {
            continue;
        }
        if unit.enable {
            let made = convert(work, name, unit);
            work.draft.manifest.units.insert(name.clone(), made);
        } else {
            mask(work, name);
        }
    }
}

fn convert(work: &mut Work<'_>, name: &str, unit: &raw::Unit) -> Unit {
    if let Some(text) = &unit.text {
        work.scan(&["units", name], text);
    }
    Unit {
        text: unit.text.clone(),
        wanted_by: unit.wanted_by.iter().cloned().collect(),
        required_by: unit.required_by.iter().cloned().collect(),
        on_change: on_change(unit),
        keep_on_removal: !unit.stop_on_removal,
        only_manual_start: unit.only_manual_start,
        restart_triggers: unit.restart_triggers.clone(),
        reload_triggers: unit.reload_triggers.clone(),
    }
}

/// In the order in which NixOS asks.
fn on_change(unit: &raw::Unit) -> OnChange {
    if unit.reload_if_changed {
        OnChange::Reload
    } else if !unit.restart_if_changed {
        OnChange::Nothing
    } else if unit.stop_if_changed {
        OnChange::StopStart
    } else {
        OnChange::Restart
    }
}

/// A unit that may not run is a link to nothing, as `systemctl mask` makes it.
fn mask(work: &mut Work<'_>, name: &str) {
    let file = File {
        content: Content::To("/dev/null".to_owned()),
        mode: "0644".to_owned(),
        user: "root".to_owned(),
        group: "root".to_owned(),
        method: Method::Link,
    };
    work.draft.manifest.files.insert(format!("/etc/systemd/system/{name}"), file);
}

fn check_name(work: &mut Work<'_>, at: &[&str], name: &str) -> bool {
    let Some((stem, kind)) = name.rsplit_once('.') else {
        let message = format!("`{name}` does not say what kind of unit it is");
        let help = format!("write the full name, such as `{name}.service`");
        work.fault("unit::bad-name", at, message, &help);
        return false;
    };
    if !KINDS.contains(&kind) {
        let message = format!("`.{kind}` is no kind of unit");
        let help = cairn_lang::did_you_mean(kind, KINDS)
            .unwrap_or_else(|| format!("units end in one of {}", list(&KINDS)));
        work.fault("unit::bad-name", at, message, &help);
        return false;
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || ":-_.\\@".contains(c);
    if stem.is_empty() || name.len() > 255 || !stem.chars().all(allowed) {
        let message = format!("`{name}` is no name of a unit");
        let help = "names hold letters, digits and any of `: - _ . \\ @`; `systemd-escape` writes \
                    others so";
        work.fault("unit::bad-name", at, message, help);
        return false;
    }
    true
}

fn list(names: &[&str]) -> String {
    let names: BTreeSet<_> = names.iter().map(|name| format!("`.{name}`")).collect();
    names.into_iter().collect::<Vec<_>>().join(", ")
}
