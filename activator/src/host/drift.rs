//! What of a host, beside its files, is not as its generation says.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use cairn_generation::Manifest;
use cairn_generation::diff::wanted;
use cairn_generation::wire::{Drift, DriftKind};

use crate::error::Error;
use crate::host::units::Condition;
use crate::host::{Host, apt, kernel, nft};
use crate::origin::Origin;
use crate::state::{Generation, State};

/// # Errors
/// When the host cannot be asked.
pub(crate) fn of(
    host: &Host,
    state: &State,
    current: &Generation,
    origin: &Origin,
) -> Result<Vec<Drift>, Error> {
    let manifest = &current.manifest;
    let mut drift = kernel::drift(&manifest.kernel);
    drift.extend(host.secrets_drift(state, current)?);
    drift.extend(host.accounts.drift(&host.with_passwords(state, current), origin)?);
    drift.extend(directories(host, manifest));
    drift.extend(nft::drift(manifest)?);
    drift.extend(apt::drift(manifest, origin)?);
    if !host.early {
        drift.extend(units(&host.manager.condition(&looked_at(manifest))?, current));
    }
    Ok(drift)
}

/// The units that can be looked at: a template has no state.
pub(crate) fn looked_at(manifest: &Manifest) -> BTreeSet<String> {
    manifest.units.keys().filter(|name| !name.contains("@.")).cloned().collect()
}

fn units(conditions: &[Condition], current: &Generation) -> Vec<Drift> {
    let wanted = wanted(&current.manifest);
    let mut drift = Vec::new();
    for condition in conditions {
        let wrong = |what: &str| Drift::new(DriftKind::Unit, &condition.unit, what);
        drift.extend(
            foreign(condition, current).map(|path| {
                Drift::new(DriftKind::DropIn, path, format!("alters {}", condition.unit))
            }),
        );
        if condition.load == "masked" {
            drift.push(wrong("is masked"));
        } else if wanted.contains(&condition.unit) && condition.is_down() {
            drift.push(match condition.load.as_str() {
                "loaded" | "" if !condition.is_failed() => wrong("is stopped"),
                "loaded" | "" => Drift { found: Some(condition.result.clone()), ..wrong("failed") },
                load => wrong(&format!("cannot be loaded ({load})")),
            });
        }
    }
    drift
}

/// Drop-ins of a unit of ours that are not ours. What packages bring lies under /usr, and what is
/// meant for all units of a kind is no alteration of one.
pub(crate) fn foreign<'a>(
    condition: &'a Condition,
    current: &'a Generation,
) -> impl Iterator<Item = &'a String> {
    let ours = current.manifest.units.get(&condition.unit).is_some_and(|unit| unit.text.is_some());
    let of_one = |path: &str| {
        let folder = Path::new(path).parent().and_then(Path::file_name);
        let folder = folder.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        folder.trim_end_matches(".d").contains('.')
    };
    condition.drop_ins.iter().filter(move |path| {
        ours && (path.starts_with("/etc/") || path.starts_with("/run/"))
            && of_one(path)
            && !current.layout.paths().any(|managed| managed == path.as_str())
    })
}

/// Folders of tmpfiles rules; what a rule leaves open is not compared.
fn directories(host: &Host, manifest: &Manifest) -> Vec<Drift> {
    let lines = manifest.directories.iter();
    lines.filter_map(|line| directory(host, crate::files::folder_of(line)?, line)).collect()
}

fn directory(host: &Host, path: &str, line: &str) -> Option<Drift> {
    let wrong = |what| Drift::new(DriftKind::Directory, path, what);
    let Ok(found) = fs::metadata(path) else { return Some(wrong("is gone")) };
    if !found.is_dir() {
        return Some(wrong("is no folder"));
    }
    let mut words = line.split_whitespace().skip(2);
    let mode = words.next().filter(|word| word.bytes().all(|c| c.is_ascii_digit()));
    if let Some(mode) = mode.and_then(|word| u32::from_str_radix(word, 8).ok()) {
        let there = found.permissions().mode() & 0o7777;
        if there != mode {
            let values = (format!("{mode:04o}"), format!("{there:04o}"));
            return Some(wrong("has another mode").between(values.0, values.1));
        }
    }
    let named = |word: Option<&str>| word.filter(|word| *word != "-").map(str::to_owned);
    let (user, group) = (named(words.next()), named(words.next()));
    let ids = host
        .accounts
        .owner(user.as_deref().unwrap_or("root"), group.as_deref().unwrap_or("root"))
        .ok()?;
    let other =
        (user.is_some() && ids.0 != found.uid()) || (group.is_some() && ids.1 != found.gid());
    other.then(|| wrong("has another owner"))
}

#[cfg(test)]
mod tests {
    use cairn_generation::manifest::Unit;

    use super::*;

    fn told(units: &[(&str, &str)], conditions: &[Condition]) -> Vec<String> {
        let mut manifest = Manifest::empty("demo");
        for (name, text) in units {
            let text = (!text.is_empty()).then(|| (*text).to_owned());
            let wanted_by = BTreeSet::from(["multi-user.target".to_owned()]);
            manifest.units.insert((*name).to_owned(), Unit { text, wanted_by, ..Unit::default() });
        }
        let text = manifest.encode().unwrap().1;
        let current = Generation::decode(1, &text).unwrap();
        super::units(conditions, &current).iter().map(ToString::to_string).collect()
    }

    fn condition(unit: &str, active: &str) -> Condition {
        Condition {
            unit: unit.to_owned(),
            load: "loaded".to_owned(),
            active: active.to_owned(),
            result: "success".to_owned(),
            ..Condition::default()
        }
    }

    #[test]
    fn a_unit_that_is_down_drifted_unless_that_is_its_way() {
        let units = [("a.service", "[Service]\n"), ("ssh.service", "")];
        let down = condition("a.service", "inactive");
        let oneshot = Condition { kind: "oneshot".to_owned(), ..down.clone() };
        let remains = Condition { remains: true, ..oneshot.clone() };
        let unmet = Condition { unmet: true, ..down.clone() };
        let failed =
            Condition { result: "exit-code".to_owned(), ..condition("a.service", "failed") };
        let masked =
            Condition { load: "masked".to_owned(), ..condition("ssh.service", "inactive") };
        for (one, said) in [
            (condition("a.service", "active"), None),
            (down, Some("a.service is stopped")),
            (oneshot, None),
            (remains, Some("a.service is stopped")),
            (unmet, None),
            (failed, Some("a.service failed: exit-code")),
            (masked, Some("ssh.service is masked")),
        ] {
            assert_eq!(told(&units, &[one]).first().map(String::as_str), said);
        }
    }

    #[test]
    fn a_drop_in_of_somebody_drifted() {
        let units = [("a.service", "[Service]\n"), ("ssh.service", "")];
        let with = |unit: &str, paths: &[&str]| Condition {
            drop_ins: paths.iter().map(|path| (*path).to_owned()).collect(),
            ..condition(unit, "active")
        };
        let paths = [
            "/usr/lib/systemd/system/service.d/10-all.conf",
            "/run/systemd/system/service.d/zzz.conf",
            "/etc/systemd/system/a.service.d/override.conf",
            "/run/systemd/system.control/a.service.d/50-CPUQuota.conf",
        ];
        insta::assert_debug_snapshot!(told(&units, &[with("a.service", &paths), with("ssh.service", &paths)]), @r#"
        [
            "/etc/systemd/system/a.service.d/override.conf alters a.service",
            "/run/systemd/system.control/a.service.d/50-CPUQuota.conf alters a.service",
        ]
        "#);
    }
}
