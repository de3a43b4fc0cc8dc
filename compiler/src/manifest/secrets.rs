//! Secrets: everything about them that shows without a key.

mod file;
mod placeholder;
mod recipients;

pub use recipients::SecretFile;
pub(crate) use recipients::opens;

use std::collections::{BTreeMap, BTreeSet};

use cairn_generation::layout::template_of;
use cairn_generation::manifest::STATE_DIR;
use cairn_generation::secrets::{Access, RENDERED, SECRETS_DIR, Secret, Template};
use cairn_lang::{Data, VirtualPath};

use super::users::{BASE_GROUPS, BASE_USERS};
use super::{Work, raw};
use file::Files;

/// Reads a file of the fleet, or of whatever else evaluation may read.
pub trait ReadFile {
    /// Its bytes; none where there is no such file.
    fn read(&self, file: &VirtualPath) -> Option<Vec<u8>>;
}

pub(super) fn add(work: &mut Work<'_>, resources: &Data, raw: &raw::Resources) {
    placeholder::refuse_outside(work, resources);
    let secrets = &raw.secrets;
    if secrets.values.is_empty() && secrets.templates.is_empty() {
        return;
    }
    check_places(work, secrets);
    if let Some(file) = &secrets.key_file {
        check_key_file(work, file);
    }
    let mut files = Files::default();
    for (name, secret) in &secrets.values {
        let at = ["secrets", "values", name.as_str()];
        let access = access(work, raw, &at, Wanted::of_secret(secret));
        let found = file::value(work, &mut files, name, secret);
        if let (Some(access), Some(found)) = (access, found) {
            let secret = Secret {
                file: found.file,
                source: found.source,
                format: secret.format,
                key: secret.key.clone(),
                ciphertext: found.ciphertext,
                optional: !secret.required,
                access,
            };
            work.draft.manifest.secrets.values.insert(name.clone(), secret);
        }
    }
    let names: BTreeMap<String, &String> =
        secrets.values.keys().map(|name| (placeholder::of(name), name)).collect();
    for (name, template) in &secrets.templates {
        let at = ["secrets", "templates", name.as_str()];
        let access = access(work, raw, &at, Wanted::of_template(template));
        let used = placeholder::used(work, &at, &template.content, &names);
        if let (Some(access), Some(placeholders)) = (access, used) {
            let content = work.blob(&template.content);
            let template = Template { content, placeholders, escape: template.escape, access };
            work.draft.manifest.secrets.templates.insert(name.clone(), template);
        }
    }
    work.draft.manifest.secrets.key_file.clone_from(&secrets.key_file);
    work.draft.manifest.secrets.ssh_key_paths.clone_from(&secrets.ssh_key_paths);
    recipients::check(work, &files, secrets);
}

/// What a secret and a template say of those who read it.
struct Wanted<'r> {
    mode: &'r str,
    owner: &'r str,
    group: &'r str,
    restart_units: &'r [String],
    reload_units: &'r [String],
}

impl<'r> Wanted<'r> {
    fn of_secret(secret: &'r raw::Secret) -> Self {
        Self {
            mode: &secret.mode,
            owner: &secret.owner,
            group: &secret.group,
            restart_units: &secret.restart_units,
            reload_units: &secret.reload_units,
        }
    }

    fn of_template(template: &'r raw::Template) -> Self {
        Self {
            mode: &template.mode,
            owner: &template.owner,
            group: &template.group,
            restart_units: &template.restart_units,
            reload_units: &template.reload_units,
        }
    }
}

/// Owners, mode and units, where all of them are right.
fn access(
    work: &mut Work<'_>,
    raw: &raw::Resources,
    at: &[&str; 3],
    wanted: Wanted<'_>,
) -> Option<Access> {
    let owner = known(work, at, "owner", wanted.owner, raw);
    let group = known(work, at, "group", wanted.group, raw);
    let restart = units(work, at, "restartUnits", wanted.restart_units, raw);
    let reload = units(work, at, "reloadUnits", wanted.reload_units, raw);
    (owner && group && restart && reload).then(|| Access {
        mode: format!("{:0>4}", wanted.mode),
        user: wanted.owner.to_owned(),
        group: wanted.group.to_owned(),
        restart_units: wanted.restart_units.iter().cloned().collect(),
        reload_units: wanted.reload_units.iter().cloned().collect(),
    })
}

/// Whether an owner or group exists, or is a number.
fn known(
    work: &mut Work<'_>,
    [kind, set, entry]: &[&str; 3],
    field: &str,
    name: &str,
    raw: &raw::Resources,
) -> bool {
    let (partial, declared, base, option): (_, Vec<&String>, &[&str], _) = match field {
        "owner" => ("users", raw.users.keys().collect(), &BASE_USERS, "users.users"),
        _ => ("groups", raw.groups.keys().collect(), &BASE_GROUPS, "users.groups"),
    };
    let is_number = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    if is_number
        || base.contains(&name)
        || declared.iter().any(|known| *known == name)
        || work.partial.contains(partial)
    {
        return true;
    }
    let what = if field == "owner" { "user" } else { "group" };
    let message = format!("`{entry}` belongs to the {what} `{name}`, which does not exist");
    let names = declared.into_iter().map(String::as_str).chain(base.iter().copied());
    let help = cairn_lang::did_you_mean(name, names).unwrap_or_else(|| {
        format!("declare it in `{option}`, where the host has it already too; a number is taken as it is")
    });
    work.fault("secret::unknown-owner", &[kind, set, entry, field], message, &help);
    false
}

/// Whether units exist that are to hear of a change.
fn units(
    work: &mut Work<'_>,
    [kind, set, entry]: &[&str; 3],
    field: &str,
    units: &[String],
    raw: &raw::Resources,
) -> bool {
    if work.partial.contains("units") {
        return true;
    }
    let mut fine = true;
    for unit in units {
        let template = template_of(unit);
        if raw.units.contains_key(unit)
            || template.is_some_and(|unit| raw.units.contains_key(&unit))
        {
            continue;
        }
        fine = false;
        let message = format!("`{entry}` is read by the unit `{unit}`, which does not exist");
        let known = raw.units.keys().map(String::as_str);
        let full = format!("{unit}.service");
        let help = if raw.units.contains_key(&full) {
            format!("write the full name: `{full}`")
        } else {
            cairn_lang::did_you_mean(unit, known).unwrap_or_else(|| {
                format!("one that the host brings is declared without a text: `systemd.units.\"{unit}\" = {{ }};`")
            })
        };
        work.fault("secret::unknown-unit", &[kind, set, entry, field], message, &help);
    }
    fine
}

/// No two on one path, and no name that is none.
fn check_places(work: &mut Work<'_>, secrets: &raw::Secrets) {
    let values = secrets.values.keys().map(|name| (name.clone(), ["secrets", "values", name]));
    let templates = secrets
        .templates
        .keys()
        .map(|name| (format!("{RENDERED}/{name}"), ["secrets", "templates", name]));
    let mut places: BTreeMap<String, [&str; 3]> = BTreeMap::new();
    let mut clashes = Vec::new();
    for (place, at) in values.chain(templates) {
        let odd = |part: &str| matches!(part, "" | "." | "..");
        if place.split('/').any(odd) || place.contains(char::is_control) {
            let message = format!("`{}` is no name that a file of a secret can have", at[2]);
            let help = "names are paths without `.`, `..`, doubled or trailing slashes";
            work.fault("secret::bad-name", &at, message, help);
        } else if let Some(other) = places.insert(place.clone(), at) {
            clashes.push((place, at, other));
        }
    }
    for (place, at) in &places {
        let parents = place.match_indices('/').filter_map(|(end, _)| place.get(..end));
        if let Some(other) = parents.filter_map(|parent| places.get(parent)).next() {
            clashes.push((place.clone(), *at, *other));
        }
    }
    for (place, at, other) in clashes {
        let message =
            format!("`{}` and `{}` want the same place, {SECRETS_DIR}/{place}", at[2], other[2]);
        let help = "a path is a file or a folder, and one secret's: rename one of them";
        work.clash("secret::collision", &at, message, &other, help);
    }
}

/// A private key must not travel with what it opens.
fn check_key_file(work: &mut Work<'_>, file: &str) {
    let at = ["secrets", "keyFile"];
    if file.starts_with(STATE_DIR) {
        let message =
            "the private key of `sops.age.keyFile` would stand in the fleet's files".to_owned();
        let help = "write the path that it has on the host, as a string";
        work.fault("secret::key-in-fleet", &at, message, help);
    } else if !file.starts_with('/') {
        let message = format!("`{file}` is no absolute path of a file on the host");
        work.fault("secret::key-in-fleet", &at, message, "start it with `/`");
    }
}

/// Names for a message: `a`, `b` and `c`.
fn listed(names: &BTreeSet<String>) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
