//! /etc/subuid and /etc/subgid: ids that a user may give to what runs in their own namespaces. A user
//! has as many lines there as ranges. Those of users whose ranges no generation says stay as they are.

use std::collections::{BTreeMap, BTreeSet};

use cairn_generation::Manifest;
use cairn_generation::manifest::{IdRange, User};
use cairn_generation::wire::{Drift, DriftKind};

use crate::error::Error;
use crate::host::accounts::database::{Database, Table};
use crate::origin::Origin;

/// The two files, and the ranges of a user in each.
pub(super) const FILES: [&str; 2] = ["subuid", "subgid"];

/// Where the host's own ranges begin (`SUB_UID_MIN` of login.defs), and how long each is.
const FIRST: u32 = 100_000;
const LENGTH: u32 = 65_536;

/// Whether the generation says which ranges the user has in this file.
pub(super) fn decides(user: &User, file: &str) -> bool {
    user.auto_sub_ids || !ranges(user, file).is_empty()
}

fn ranges<'a>(user: &'a User, file: &str) -> &'a [IdRange] {
    if file == "subuid" { &user.sub_uids } else { &user.sub_gids }
}

/// Chooses a range for each user that is to have one of its own, and has none yet: the same in both
/// files, and apart from every other.
pub(super) fn allocate(
    database: &Database,
    to: &Manifest,
    given: &mut BTreeMap<String, u32>,
) -> Result<(), Error> {
    let lines = [&database.subuid, &database.subgid].into_iter().flat_map(Table::lines);
    let mut taken: Vec<(u64, u64)> = lines.filter_map(bounds).collect();
    let said = to.users.values().flat_map(|user| user.sub_uids.iter().chain(&user.sub_gids));
    taken.extend(
        said.map(|range| (range.start.into(), u64::from(range.start) + u64::from(range.count))),
    );
    taken.extend(
        given.values().map(|start| ((*start).into(), u64::from(*start) + u64::from(LENGTH))),
    );
    for name in to.users.iter().filter(|(_, user)| user.auto_sub_ids).map(|(name, _)| name) {
        let has = |table: &Table| table.lines_of(name).next().is_some();
        if given.contains_key(name) || (has(&database.subuid) && has(&database.subgid)) {
            continue;
        }
        let mut starts = (FIRST..=u32::MAX - LENGTH).step_by(LENGTH as usize);
        let free = |start: &u32| {
            let (from, to) = (u64::from(*start), u64::from(*start) + u64::from(LENGTH));
            taken.iter().all(|(low, high)| *high <= from || to <= *low)
        };
        let start = starts.find(free).ok_or_else(|| {
            Error::refused(format!("no range of subordinate ids is free for the user {name}"))
        })?;
        taken.push((start.into(), u64::from(start) + u64::from(LENGTH)));
        given.insert(name.clone(), start);
    }
    Ok(())
}

/// First id and the one after the last of a line `<name>:<start>:<count>`.
fn bounds(line: &str) -> Option<(u64, u64)> {
    let mut fields = line.split(':').skip(1).map(str::parse::<u64>);
    let (start, count) = (fields.next()?.ok()?, fields.next()?.ok()?);
    Some((start, start.saturating_add(count)))
}

/// Puts the ranges of `to` into both files.
pub(super) fn plan(after: &mut Database, to: &Manifest, given: &BTreeMap<String, u32>) {
    for (name, user) in &to.users {
        for file in FILES.into_iter().filter(|file| decides(user, file)) {
            let line = |start: u32, count: u32| format!("{name}:{start}:{count}");
            let mut lines: Vec<String> =
                ranges(user, file).iter().map(|range| line(range.start, range.count)).collect();
            if user.auto_sub_ids {
                match given.get(name) {
                    Some(start) => lines.push(line(*start, LENGTH)),
                    // The host had given one before.
                    None => lines.extend(after.table(file).lines_of(name).map(str::to_owned)),
                }
            }
            lines.dedup();
            after.table(file).set_all(name, &lines);
        }
    }
}

/// Adds to generation 0 the lines of users whose ranges are about to be managed.
pub(super) fn capture(database: &mut Database, to: &Manifest, origin: &mut Origin) {
    for (name, user) in &to.users {
        for file in FILES.into_iter().filter(|file| decides(user, file)) {
            let key = format!("{file}:{name}");
            let lines: Vec<&str> = database.table(file).lines_of(name).collect();
            if !lines.is_empty() && !origin.made.contains(&key) {
                origin.accounts.entry(key).or_insert(lines.join("\n"));
            }
        }
    }
}

/// What of these files is about to be made.
pub(super) fn made(database: &mut Database, to: &Manifest, made: &mut BTreeSet<String>) {
    for (name, user) in &to.users {
        for file in FILES.into_iter().filter(|file| decides(user, file)) {
            let table = database.table(file);
            if !table.exists {
                made.insert(format!("file:{file}"));
            }
            if table.lines_of(name).next().is_none() {
                made.insert(format!("{file}:{name}"));
            }
        }
    }
}

/// Ranges that are not as they should be.
pub(super) fn drift(database: &Database, should: &Database, to: &Manifest) -> Vec<Drift> {
    let mut drift = Vec::new();
    for (name, user) in &to.users {
        for (file, found, expected) in [
            ("subuid", &database.subuid, &should.subuid),
            ("subgid", &database.subgid, &should.subgid),
        ] {
            let lines = |table: &Table| {
                let lines: Vec<&str> = table.lines_of(name).collect();
                if lines.is_empty() { "none".to_owned() } else { lines.join(", ") }
            };
            let (found, expected) = (lines(found), lines(expected));
            if decides(user, file) && found != expected {
                let wrong =
                    Drift::new(DriftKind::User, name, format!("has other ranges in /etc/{file}"));
                drift.push(wrong.between(expected, found));
            }
        }
    }
    drift
}
