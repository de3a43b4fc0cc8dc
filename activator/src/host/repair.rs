//! Putting right what drifted of a host beside its files, and bringing units to what they had to do
//! with.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use cairn_generation::BlobId;
use cairn_generation::diff::{UnitPlan, wanted};
use cairn_generation::layout::{UNIT_DIR, template_of};
use cairn_generation::manifest::{OnChange, Unit};
use cairn_generation::wire::{Drift, DriftKind, Event};
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::host::drift::{foreign, looked_at};
use crate::host::units::{self, Condition};
use crate::host::{Attempts, CALM, Host, PATIENCE, create_directories, kernel, nft};
use crate::origin::Origin;
use crate::secrets::SecretEffects;
use crate::state::{Generation, State};
use crate::system::{Change, Tell};

/// # Errors
/// When something could not be put right; the rest is.
pub(crate) fn repair(
    host: &mut Host,
    state: &State,
    current: &Generation,
    drift: &[Drift],
    tell: Tell,
) -> Result<(), Error> {
    let manifest = &current.manifest;
    let has = |kind| drift.iter().any(|one| one.kind == kind);
    let mut attempts = Attempts { way_back: true, failed: Vec::new() };
    if has(DriftKind::Directory) {
        attempts.take(create_directories(state))?;
    }
    if has(DriftKind::Sysctl) || has(DriftKind::Hostname) {
        let mut warn = |message| tell(Event::Warning { message });
        let set = kernel::converge(&[], &manifest.kernel, &Origin::default(), &mut warn);
        attempts.take(set)?;
    }
    let mut secrets = SecretEffects::default();
    if has(DriftKind::Secret) {
        secrets = host.look_at_secrets(state, current, true)?;
        attempts.take(host.stage_secrets(state, current, tell))?;
        attempts.take(host.flip_secrets(state, current))?;
    }
    let tables = drift.iter().filter(|one| one.kind == DriftKind::Nftables);
    attempts.take(nft::write(manifest, &tables.map(|one| one.name.as_str()).collect()))?;
    if host.early {
        return attempts.end();
    }
    // As the manager read them: drop-ins that are gone from the disk are still named.
    let conditions = host.manager.condition(&looked_at(manifest))?;
    let unmasked = unmask(host, state, drift)?;
    let of_systemd = |one: &Drift| {
        one.kind == DriftKind::DropIn
            || (one.kind == DriftKind::File && one.name.starts_with("/etc/systemd/"))
    };
    if unmasked || drift.iter().any(of_systemd) {
        attempts.take(host.manager.reload_definitions())?;
    }
    let active = host.manager.active()?;
    let mut plan = plan(state, current, drift, &conditions, &active);
    plan.touch(&secrets.restart, &secrets.reload, &active);
    let touched = plan.restart.union(&plan.start).cloned().collect();
    let known = [manifest];
    let change = Change { known: &known, to: current, plan: &plan, way_back: true };
    attempts.take(host.bring_units(&change))?;
    attempts.take(units::settle(&*host.manager, &touched, CALM, PATIENCE))?;
    if has(DriftKind::Secret) {
        attempts.take(host.secrets_are_read())?;
        attempts.take(host.forget_secrets())?;
    }
    attempts.end()
}

/// Removes what masks units that drifted. Whether anything did.
fn unmask(host: &Host, state: &State, drift: &[Drift]) -> Result<bool, Error> {
    let mut unmasked = false;
    for unit in drift.iter().filter(|one| one.kind == DriftKind::Unit) {
        for folder in [UNIT_DIR, "/run/systemd/system"] {
            let path = state.host(&format!("{folder}/{}", unit.name));
            if fs::read_link(&path).is_ok_and(|to| to == Path::new("/dev/null")) {
                host.disk.remove_file(&path)?;
                host.disk.sync_parent(&path)?;
                unmasked = true;
            }
        }
    }
    Ok(unmasked)
}

/// What happens to units: those that are down come up, those whose definition or files drifted come
/// to what stands there now, and no other is touched.
fn plan(
    state: &State,
    current: &Generation,
    drift: &[Drift],
    conditions: &[Condition],
    active: &BTreeSet<String>,
) -> UnitPlan {
    let manifest = &current.manifest;
    let (wanted, contents) = (wanted(manifest), contents(state, drift));
    let defined_otherwise = |name: &str| {
        let altered =
            conditions.iter().any(|one| one.unit == name && foreign(one, current).next().is_some());
        altered || drift.iter().any(|one| one.kind == DriftKind::File && defines(&one.name, name))
    };
    let names = |triggers: &[String]| {
        triggers.iter().any(|trigger| contents.iter().any(|hash| trigger.contains(hash.as_str())))
    };
    let mut plan = UnitPlan::default();
    for (name, unit) in &manifest.units {
        let instances = active.iter().filter(|one| template_of(one).as_ref() == Some(name));
        let running: Vec<&String> = active.get(name).into_iter().chain(instances).collect();
        let restarts = defined_otherwise(name) || names(&unit.restart_triggers);
        for running in running {
            bring(running, unit, restarts, names(&unit.reload_triggers), &mut plan);
        }
        let down = conditions.iter().any(|one| {
            one.unit == *name && (one.is_down() || one.load == "masked") && !active.contains(name)
        });
        if down && wanted.contains(name) {
            plan.start.insert(name.clone());
        }
    }
    plan
}

fn bring(name: &str, unit: &Unit, restarts: bool, reloads: bool, plan: &mut UnitPlan) {
    match (restarts && !unit.only_manual_start, unit.on_change) {
        (true, OnChange::StopStart | OnChange::Restart) => {
            plan.restart.insert(name.to_owned());
        }
        (true, OnChange::Reload) => drop(plan.reload.insert(name.to_owned())),
        (false, _) if reloads => drop(plan.reload.insert(name.to_owned())),
        _ => {}
    }
}

/// Whether the file at `path` is part of the definition of `unit`.
fn defines(path: &str, unit: &str) -> bool {
    let inside = path.strip_prefix(UNIT_DIR).and_then(|rest| rest.strip_prefix('/'));
    inside.is_some_and(|inside| {
        inside == unit || inside.strip_prefix(unit).is_some_and(|rest| rest.starts_with(".d/"))
    })
}

/// The hashes of what stands now at files that drifted, in the spellings that triggers use: a file's
/// place in the store, or the SHA-256 that the language gives.
fn contents(state: &State, drift: &[Drift]) -> Vec<String> {
    let paths = drift.iter().filter(|one| one.kind == DriftKind::File).map(|one| &one.name);
    let content = paths.filter_map(|path| fs::read(state.host(path)).ok());
    content
        .flat_map(|content| {
            let sha256 = Sha256::digest(&content);
            let hex = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
            [BlobId::of(&content).to_string(), hex]
        })
        .collect()
}
