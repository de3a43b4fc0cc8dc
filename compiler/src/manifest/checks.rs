//! Health checks.

use std::collections::BTreeMap;

use cairn_generation::manifest::{Check, Probe};

use super::raw::CheckKind;
use super::{Work, raw};

pub(super) fn add(work: &mut Work<'_>, checks: &BTreeMap<String, raw::Check>) {
    for (name, check) in checks {
        if let Some(probe) = probe(work, name, check) {
            let (interval, retries) = (check.interval, check.retries);
            let check = Check { probe, interval, retries, deadline: check.deadline };
            work.draft.manifest.checks.insert(name.clone(), check);
        }
    }
}

fn probe(work: &mut Work<'_>, name: &str, check: &raw::Check) -> Option<Probe> {
    Some(match check.kind {
        CheckKind::Unit => {
            let unit = needed(work, name, "unit", check.unit.as_ref())?.clone();
            if !unit.contains('.') {
                let message = format!("`{unit}` does not say what kind of unit it is");
                let help = format!("write `{unit}.service`");
                work.fault("check::bad-unit", &["checks", name, "unit"], message, &help);
                return None;
            }
            Probe::Unit { unit }
        }
        CheckKind::Tcp => Probe::Tcp {
            host: needed(work, name, "host", check.host.as_ref())?.clone(),
            port: *needed(work, name, "port", check.port.as_ref())?,
        },
        CheckKind::Http => {
            let url = needed(work, name, "url", check.url.as_ref())?.clone();
            if !url.starts_with("http://") {
                let message = format!("`{url}` cannot be asked by a health check");
                let help = "checks speak plain HTTP, from the host itself: `http://…`";
                work.fault("check::bad-url", &["checks", name, "url"], message, help);
                return None;
            }
            Probe::Http { url }
        }
        CheckKind::Command => {
            let command = needed(work, name, "command", check.command.as_ref())?.clone();
            work.scan(&["checks", name, "command"], &command);
            Probe::Command { command }
        }
    })
}

fn needed<'r, T>(
    work: &mut Work<'_>,
    name: &str,
    field: &str,
    value: Option<&'r T>,
) -> Option<&'r T> {
    if value.is_none() {
        let message = format!("the health check `{name}` does not say its `{field}`");
        let help = format!("set `{field}`");
        work.fault("check::incomplete", &["checks", name], message, &help);
    }
    value
}
