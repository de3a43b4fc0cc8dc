//! `cairn secrets rekey`

use std::path::PathBuf;

use clap::{Args, ValueHint};
use serde_json::json;

use crate::args::Global;
use crate::error::CommandError;
use crate::fleets;
use crate::secrets::files::Found;
use crate::secrets::inventory::{self, Inventory, Wanted};
use crate::secrets::person::Person;
use crate::secrets::{failed, files, keys, rules};
use crate::style::{BAD, GOOD, STRONG, paint};
use crate::ui::Ui;

/// Encrypt files for those who should read them: those of .sops.yaml, and each host that uses them
#[derive(Debug, Args)]
#[command(after_help = "\
A host is added by its `deployment.hostKey`. Whoever loses a file could have kept its data key, so it
gets a new one and every value is encrypted anew; values that they have read should be changed too.
Nothing is written unless all files could be encrypted.

Examples:
  cairn secrets rekey
  cairn secrets rekey secrets/app.yaml
  cairn secrets rekey --dry-run --format json")]
pub(crate) struct RekeyArgs {
    /// The files [default: all of the fleet]
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    files: Vec<PathBuf>,

    /// Say what would change, and write nothing; no key is needed
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(ui: &Ui, global: &Global, args: &RekeyArgs) -> Result<(), CommandError> {
    let fleet = fleets::open(ui, global)?;
    let folder = fleets::folder(global)?;
    let inventory = Inventory::of(ui, &fleet)?;
    let found = match args.files.as_slice() {
        [] => files::below(&folder)?.into_iter().collect::<Result<Vec<_>, _>>()?,
        named => named.iter().map(|path| files::read(path)).collect::<Result<Vec<_>, _>>()?,
    };
    let mut changes = Vec::new();
    for found in found {
        let name = inventory::name_in(&folder, &found.path);
        let rule = match rules::of(&found.path)? {
            Some(rule) => rule,
            // A file that nobody named may belong to something else.
            None if args.files.is_empty() && inventory.users(&name).next().is_none() => continue,
            None => rules::required(&found.path)?,
        };
        let wanted = inventory.wanted(&name, &rule, &found.file)?;
        if !wanted.same_groups(&found.file) {
            changes.push((found, wanted));
        }
    }
    if changes.is_empty() {
        ui.object(&json!({ "type": "rekeyed", "files": [] }));
        ui.line("nothing to do: every file is encrypted for those who should read it");
        return Ok(());
    }
    for (found, wanted) in &changes {
        tell(ui, &inventory, found, wanted);
    }
    if args.dry_run {
        return Ok(());
    }
    write(ui, changes)
}

/// Says who gains a file, and who loses it.
fn tell(ui: &Ui, inventory: &Inventory, found: &Found, wanted: &Wanted) {
    let (gain, lose) = wanted.against(&found.file);
    let names = |recipients: &[cairn_sops::Recipient]| -> Vec<String> {
        recipients.iter().map(|recipient| inventory.name(recipient)).collect()
    };
    let (gain, lose) = (names(&gain), names(&lose));
    ui.object(&json!({
        "type": "rekey", "file": found.name, "added": gain, "removed": lose,
        "new_key": !lose.is_empty(),
    }));
    ui.line(paint(STRONG, &found.name));
    for name in gain {
        ui.line(format_args!("  {} {name}", paint(GOOD, "+")));
    }
    for name in lose {
        ui.line(format_args!("  {} {name}", paint(BAD, "-")));
    }
}

fn write(ui: &Ui, changes: Vec<(Found, Wanted)>) -> Result<(), CommandError> {
    let mut person = Person::new(ui);
    let identities = keys::own(&mut person)?;
    let mut ready = Vec::new();
    for (found, wanted) in changes {
        let wrong = |error| failed(&found.name, &error);
        let (gain, lose) = wanted.against(&found.file);
        let key = found.file.unlock_with(&identities, &mut person).map_err(wrong)?;
        let plain = found.file.decrypt(&key).map_err(wrong)?;
        let one_group = wanted.groups.len() == 1 && found.file.metadata().groups.len() == 1;
        let new = match one_group && lose.is_empty() {
            true => found.file.add_recipients(&key, &gain, &mut person),
            false => found.file.rekey(&plain, &wanted.groups, wanted.threshold, &mut person),
        };
        let bytes = new.and_then(|file| file.write()).map_err(wrong)?;
        ready.push((found, bytes));
    }
    let mut written = Vec::new();
    for (found, bytes) in ready {
        files::write(&found.path, &bytes)?;
        written.push(found.name);
    }
    ui.object(&json!({ "type": "rekeyed", "files": written }));
    ui.line(format_args!(
        "{} {} encrypted for those who should read it",
        paint(GOOD, "✓"),
        match written.as_slice() {
            [one] => format!("{one} is"),
            many => format!("{} files are", many.len()),
        }
    ));
    Ok(())
}
