//! `cairn lock`

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cairn_fetch::Lock;
use cairn_fetch::input::{Entry, InputLock, Locked, Policy, Reference, Update, log, of_flake_lock};
use cairn_fetch::lock::{self, name_of};
use cairn_lang::did_you_mean;
use clap::{Args, ValueHint};
use serde_json::json;

mod effects;
mod packages;

use crate::args::Global;
use crate::error::CommandError;
use crate::style::{BAD, CHANGED, DIM, GOOD, STRONG, paint};
use crate::ui::Ui;
use crate::{fleets, inputs};
use packages::Packages;

/// Pin what the fleet takes from elsewhere, in cairn.lock
#[derive(Debug, Args)]
#[command(after_help = "\
Without options, what the lock lacks is added, and nothing that it has moves: inputs, and for hosts with
a `debian.mirror` their Debian packages, with all that these depend on.

Examples:
  cairn lock
  cairn lock --update
  cairn lock --update common --format json
  cairn lock --update curl openssl
  cairn lock --from-flake-lock ../nixos/flake.lock")]
pub(crate) struct LockArgs {
    /// Move inputs and packages to what is there now: those that are named, or all
    #[arg(long, value_name = "NAME", num_args = 0..)]
    update: Option<Vec<String>>,

    /// Write nothing, and fail where the lock does not cover the fleet
    #[arg(long, conflicts_with_all = ["update", "from_flake_lock"])]
    check: bool,

    /// Take over what a lock of Nix's flakes pins, for inputs of the same URL
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    from_flake_lock: Option<PathBuf>,
}

pub(crate) fn run(ui: &Ui, global: &Global, args: &LockArgs) -> Result<(), CommandError> {
    let folder = fleets::folder(global)?;
    let old = fleets::lock(&folder)?;
    let known = known(&old, args.from_flake_lock.as_deref())?;
    let names = Names::of(args, &known, &old)?;
    let (update, overrides) = (names.inputs, global.overrides());
    let policy = Policy { add: !args.check, update, overrides, ..Policy::default() };
    let resolved = inputs::resolve(ui, global, &folder, &known, &policy)?;
    let moves = moves(&old.inputs, &resolved.lock);
    let packages = Packages::of(ui, global, &folder, resolved.inputs.clone());
    if args.check {
        return check(ui, &moves, &packages?);
    }
    let mut new = old.clone();
    new.inputs.clone_from(&resolved.lock);
    // Inputs are pinned whatever is wrong with hosts: they may be what mends it.
    write(&folder, &old, &new)?;
    for one in &moves {
        show(ui, one, &folder);
    }
    let (locked, moved) = packages?.lock(ui, &new, &names.packages)?;
    write(&folder, &new, &locked)?;
    moved.iter().for_each(|one| packages::show(ui, one));
    let changed = locked != old;
    ui.object(&json!({ "type": "locked", "changed": changed }));
    if !changed {
        ui.line("nothing to do: cairn.lock covers the fleet");
    } else if locked != new {
        ui.line(format_args!("{} cairn.lock has {}", paint(GOOD, "✓"), packages::count(&locked)));
    }
    if args.update.is_some() && !old.inputs.is_empty() && !moves.is_empty() {
        effects::show(ui, global, &folder, &old.inputs, resolved.inputs)?;
    }
    Ok(())
}

fn write(folder: &Path, old: &Lock, new: &Lock) -> Result<(), CommandError> {
    if new == old {
        return Ok(());
    }
    new.write(folder).map_err(|error| CommandError::user(error.to_string()).hint(error.help()))
}

/// What is pinned already: by the fleet's lock, and by a lock of flakes where that has nothing.
fn known(old: &Lock, flake_lock: Option<&Path>) -> Result<InputLock, CommandError> {
    let mut known = old.inputs.clone();
    if let Some(path) = flake_lock {
        let text = fs::read_to_string(path).map_err(|error| {
            CommandError::user(format!("{} cannot be read: {error}", path.display()))
        })?;
        let theirs = of_flake_lock(&text)
            .map_err(|error| CommandError::user(error.message).hint(error.help))?;
        for (name, entry) in theirs {
            known.entry(name).or_insert(entry);
        }
    }
    Ok(known)
}

/// What may move.
struct Names {
    inputs: Update,
    packages: lock::Update,
}

impl Names {
    fn of(args: &LockArgs, known: &InputLock, old: &Lock) -> Result<Names, CommandError> {
        let Some(names) = &args.update else {
            return Ok(Names { inputs: Update::None, packages: lock::Update::Missing });
        };
        if names.is_empty() {
            return Ok(Names { inputs: Update::All, packages: lock::Update::All });
        }
        let parts = old.debian.values().flat_map(|part| part.packages.keys());
        let locked: BTreeSet<&str> = parts.map(|key| name_of(key)).collect();
        let (inputs, packages): (Vec<String>, Vec<String>) =
            names.iter().cloned().partition(|name| known.contains_key(name));
        if let Some(unknown) = packages.iter().find(|name| !locked.contains(name.as_str())) {
            let names = known.keys().map(String::as_str).chain(locked.iter().copied());
            let help = did_you_mean(unknown, names)
                .unwrap_or_else(|| "name what cairn.lock has".to_owned());
            let message = format!("cairn.lock has no input and no package `{unknown}`");
            return Err(CommandError::user(message).hint(help));
        }
        let inputs = if inputs.is_empty() { Update::None } else { Update::These(inputs) };
        let packages = match packages.is_empty() {
            true => lock::Update::Missing,
            false => lock::Update::Names(packages.into_iter().collect()),
        };
        Ok(Names { inputs, packages })
    }
}

fn check(ui: &Ui, moves: &[Move<'_>], packages: &Packages) -> Result<(), CommandError> {
    if let Some(first) = moves.first() {
        ui.object(&json!({ "type": "locked", "changed": true }));
        // What the lock lacks has been told already: only what it has too much of is left.
        let message =
            format!("cairn.lock has the input `{}`, which the fleet does not name", first.name);
        return Err(CommandError::user(message).hint("write it anew with `cairn lock`"));
    }
    packages.check(ui)?;
    ui.object(&json!({ "type": "locked", "changed": false }));
    ui.line("cairn.lock covers the fleet");
    Ok(())
}

/// An input whose pin is another.
struct Move<'m> {
    name: &'m str,
    from: Option<&'m Entry>,
    to: Option<&'m Entry>,
}

fn moves<'m>(old: &'m InputLock, new: &'m InputLock) -> Vec<Move<'m>> {
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let all = names.into_iter().map(|name| Move { name, from: old.get(name), to: new.get(name) });
    all.filter(|one| one.from != one.to).collect()
}

fn show(ui: &Ui, one: &Move<'_>, folder: &Path) {
    let commits = commits(one, folder);
    ui.object(&json!({
        "type": "input", "name": one.name, "from": one.from, "to": one.to, "log": commits,
    }));
    let name = paint(STRONG, one.name);
    match (one.from, one.to) {
        (None, Some(to)) => ui.line(format_args!("{} {name}  {}", paint(GOOD, "+"), said(to))),
        (Some(from), None) => ui.line(format_args!("{} {name}  {}", paint(BAD, "-"), said(from))),
        (Some(from), Some(to)) => {
            let mark = paint(CHANGED, "~");
            ui.line(format_args!("{mark} {name}  {} → {}", said(from), said(to)));
        }
        (None, None) => {}
    }
    for commit in commits {
        ui.line(format_args!("    {}", paint(DIM, commit)));
    }
}

/// What was committed between the two, where both are revisions of one repository.
fn commits(one: &Move<'_>, folder: &Path) -> Vec<String> {
    let (Some(Entry::Locked(from)), Some(Entry::Locked(to))) = (one.from, one.to) else {
        return Vec::new();
    };
    match (&from.rev, &to.rev, Reference::parse(&to.url)) {
        (Some(old), Some(new), Ok(reference)) if old != new => log(&reference, old, new, folder),
        _ => Vec::new(),
    }
}

fn said(entry: &Entry) -> String {
    match entry {
        Entry::Follows(entry) => format!("follows {}", entry.follows),
        Entry::Locked(locked) => self::locked(locked),
    }
}

/// `2026-11-20 1a2b3c4 github:owner/repo`
pub(crate) fn locked(locked: &Locked) -> String {
    let date = locked.day();
    // What has no revisions is told apart by its content.
    let name = locked.rev.as_deref().or(locked.hash.strip_prefix("sha256-"));
    let rev = name.map(|name| name.get(..7).unwrap_or(name).to_owned());
    let words = [date, rev, Some(paint(DIM, &locked.url))];
    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
}
