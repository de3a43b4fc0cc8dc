//! Users and groups.

use std::collections::BTreeMap;

use cairn_generation::manifest::{Group, IdRange, User};

use super::{Work, raw};

/// Groups that every Debian host has (base-passwd), and those of systemd.
pub(super) const BASE_GROUPS: [&str; 46] = [
    "adm",
    "audio",
    "avahi",
    "backup",
    "bin",
    "cdrom",
    "crontab",
    "daemon",
    "dialout",
    "dip",
    "disk",
    "fax",
    "floppy",
    "games",
    "input",
    "irc",
    "kmem",
    "kvm",
    "list",
    "lp",
    "mail",
    "man",
    "messagebus",
    "netdev",
    "news",
    "nogroup",
    "operator",
    "plugdev",
    "proxy",
    "render",
    "root",
    "sasl",
    "shadow",
    "src",
    "staff",
    "sudo",
    "sys",
    "systemd-journal",
    "systemd-network",
    "tape",
    "tty",
    "users",
    "utmp",
    "uucp",
    "video",
    "voice",
];

/// Users that every Debian host has, and those of systemd, dbus and OpenSSH.
pub(super) const BASE_USERS: [&str; 25] = [
    "_apt",
    "backup",
    "bin",
    "daemon",
    "games",
    "gnats",
    "irc",
    "list",
    "lp",
    "mail",
    "man",
    "messagebus",
    "news",
    "nobody",
    "proxy",
    "root",
    "sshd",
    "sync",
    "sys",
    "systemd-coredump",
    "systemd-network",
    "systemd-resolve",
    "systemd-timesync",
    "uucp",
    "www-data",
];

pub(super) fn add(work: &mut Work<'_>, raw: &raw::Resources) {
    let mut gids = BTreeMap::new();
    for (name, group) in &raw.groups {
        let at = ["groups", name.as_str()];
        let fine = check_name(work, &at, name);
        let gid = id(work, &["groups", name, "gid"], group.gid, &mut gids, name);
        if fine {
            let members = group.members.iter().cloned().collect();
            let group = Group { gid, members, is_system: group.is_system };
            work.draft.manifest.groups.insert(name.clone(), group);
        }
    }
    let mut uids = BTreeMap::new();
    for (name, user) in &raw.users {
        let at = ["users", name.as_str()];
        let mut fine = check_name(work, &at, name);
        let uid = id(work, &["users", name, "uid"], user.uid, &mut uids, name);
        fine &= check_groups(work, raw, name, user);
        fine &= check_fields(work, name, user);
        if fine {
            let mut made = convert(user, uid);
            made.sub_uids = id_ranges(work, &["users", name, "subUids"], &user.sub_uids);
            made.sub_gids = id_ranges(work, &["users", name, "subGids"], &user.sub_gids);
            work.draft.manifest.users.insert(name.clone(), made);
        }
    }
}

fn convert(user: &raw::User, uid: Option<u32>) -> User {
    User {
        uid,
        group: user.group.clone(),
        home: user.home.clone(),
        shell: user.shell.clone(),
        description: user.description.clone(),
        is_system: user.is_system,
        create_home: user.create_home,
        hashed_password: user.hashed_password.clone(),
        password_secret: user.password_secret.clone(),
        extra_groups: user.extra_groups.iter().cloned().collect(),
        sub_uids: Vec::new(),
        sub_gids: Vec::new(),
        auto_sub_ids: user.auto_sub_ids,
    }
}

fn id_ranges(work: &mut Work<'_>, at: &[&str; 3], ranges: &[raw::IdRange]) -> Vec<IdRange> {
    let mut valid = Vec::new();
    for range in ranges {
        let start = u32::try_from(range.start).ok().filter(|start| *start > 0);
        let count = u32::try_from(range.count).ok().filter(|count| *count > 0);
        match (start, count) {
            // The very last number means "no id" to system calls.
            (Some(start), Some(count)) if start.checked_add(count).is_some() => {
                valid.push(IdRange { start, count });
            }
            _ => {
                let message = format!("{} ids from {} on are no range", range.count, range.start);
                let help = "a range has at least one id, and its ids are between 1 and 4294967294";
                work.fault("user::bad-id", at, message, help);
            }
        }
    }
    valid
}

/// A number that fits the kernel and that nobody else has.
fn id<'r>(
    work: &mut Work<'_>,
    at: &[&str; 3],
    id: Option<i64>,
    taken: &mut BTreeMap<u32, &'r str>,
    name: &'r str,
) -> Option<u32> {
    let [kind, _, field] = *at;
    let number = id?;
    // The last two mean "no id" to system calls.
    let Some(valid) = u32::try_from(number).ok().filter(|id| *id < u32::MAX - 1) else {
        let message = format!("`{number}` is no {field}");
        work.fault("user::bad-id", at, message, "ids are between 0 and 4294967293");
        return None;
    };
    if let Some(other) = taken.insert(valid, name) {
        let message = format!("`{name}` and `{other}` both have the {field} {valid}");
        let help = "give one of them another number, or none: the host then chooses one";
        work.clash("user::duplicate-id", at, message, &[kind, other, field], help);
    }
    Some(valid)
}

fn check_name(work: &mut Work<'_>, at: &[&str; 2], name: &str) -> bool {
    let [kind, _] = *at;
    let mut bytes = name.bytes();
    let first = bytes.next().is_some_and(|b| b.is_ascii_lowercase() || b == b'_');
    let rest = bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-.".contains(&b));
    if first && rest && name.len() <= 32 {
        return true;
    }
    let message = format!("`{name}` is no name that {kind} can have");
    let help = "names start with a lower-case letter or `_`, go on with letters, digits, `_`, `-` \
                and `.`, and are at most 32 characters long";
    work.fault("user::bad-name", at, message, help);
    false
}

fn check_groups(work: &mut Work<'_>, raw: &raw::Resources, name: &str, user: &raw::User) -> bool {
    let primary = std::iter::once(("group", &user.group));
    let others = user.extra_groups.iter().map(|group| ("extraGroups", group));
    let mut fine = true;
    for (field, group) in primary.chain(others) {
        let known = raw.groups.contains_key(group) || BASE_GROUPS.contains(&group.as_str());
        if known || work.partial.contains("groups") {
            continue;
        }
        fine = false;
        let declared = raw.groups.keys().map(String::as_str);
        let near = cairn_lang::did_you_mean(group, declared.chain(BASE_GROUPS));
        let help = near.unwrap_or_else(|| format!("declare it: `users.groups.{group} = {{ }};`"));
        let message = format!("the user `{name}` is in the group `{group}`, which does not exist");
        work.fault("user::unknown-group", &["users", name, field], message, &help);
    }
    fine
}

fn check_fields(work: &mut Work<'_>, name: &str, user: &raw::User) -> bool {
    let mut fine = true;
    for (field, path) in [("home", &user.home), ("shell", &user.shell)] {
        if !path.starts_with('/') || path.contains([':', '\n']) {
            fine = false;
            let message = format!("the {field} of `{name}`, `{path}`, is no absolute path");
            work.fault("user::bad-path", &["users", name, field], message, "start it with `/`");
        }
    }
    let password = user.hashed_password.as_deref().unwrap_or_default();
    for (field, text) in [("description", user.description.as_str()), ("hashedPassword", password)]
    {
        if text.contains([':', '\n']) {
            fine = false;
            // The text itself may be a password: it is not repeated.
            let message = format!("`{field}` of `{name}` holds a colon or a line break");
            let help = "/etc/passwd cannot hold either: leave them out";
            work.fault("user::bad-field", &["users", name, field], message, help);
        }
    }
    fine
}
