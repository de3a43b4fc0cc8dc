//! Accounts that somebody changed: field by field, and never a password's hash.

use cairn_generation::Manifest;
use cairn_generation::wire::{Drift, DriftKind};

use crate::host::accounts::database::Database;
use crate::host::accounts::{Given, members, plan, subordinate};
use crate::origin::Origin;

/// Fields of /etc/passwd that a generation decides, by their place.
const PASSWD: [(usize, &str); 5] = [
    (1, "has its password outside of /etc/shadow"),
    (3, "has another primary group"),
    (4, "has another description"),
    (5, "has another home"),
    (6, "has another shell"),
];

/// Users and groups that are not as `manifest` says.
pub(crate) fn of(
    database: &Database,
    manifest: &Manifest,
    given: &Given,
    origin: &Origin,
) -> Vec<Drift> {
    let mut drift = Vec::new();
    for name in manifest.groups.keys().filter(|name| database.group.line(name).is_none()) {
        drift.push(Drift::new(DriftKind::Group, name, "is gone"));
    }
    for (name, user) in &manifest.users {
        let wrong = |what: String| Drift::new(DriftKind::User, name, what);
        if database.passwd.line(name).is_none() {
            drift.push(wrong("is gone".to_owned()));
            continue;
        }
        let elsewhere = |group: &&String| !manifest.groups.contains_key(*group);
        for group in user.extra_groups.iter().filter(elsewhere) {
            if !members(database, group).contains(name) {
                drift.push(wrong(format!("is not in the group {group}")));
            }
        }
    }
    // A user whose group is gone has no line to compare with.
    let Ok(should) = plan(database, manifest, given, origin) else { return drift };
    for name in manifest.groups.keys() {
        let field = |database: &Database| Some(database.group.fields(name)?.get(3)?.clone());
        if let (Some(found), Some(expected)) = (field(database), field(&should))
            && found != expected
        {
            let wrong = Drift::new(DriftKind::Group, name, "has other members");
            drift.push(wrong.between(list(&expected), list(&found)));
        }
    }
    for name in manifest.users.keys() {
        let (Some(found), Some(expected)) =
            (database.passwd.fields(name), should.passwd.fields(name))
        else {
            continue;
        };
        for (at, what) in PASSWD {
            if let (Some(found), Some(expected)) = (found.get(at), expected.get(at))
                && found != expected
            {
                let wrong = Drift::new(DriftKind::User, name, what);
                drift.push(if at == 1 {
                    wrong
                } else {
                    wrong.between(list(expected), list(found))
                });
            }
        }
        if database.shadow.line(name) != should.shadow.line(name) {
            drift.push(Drift::new(DriftKind::User, name, "has another password"));
        }
    }
    drift.extend(subordinate::drift(database, &should, manifest));
    drift
}

/// An empty field as something that can be read.
fn list(field: &str) -> &str {
    if field.is_empty() { "none" } else { field }
}
