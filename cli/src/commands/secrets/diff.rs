//! `cairn secrets diff`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use cairn_sops::{File, Format, Plain};
use clap::{Args, ValueHint};
use serde_json::json;

use crate::error::CommandError;
use crate::secrets::keys;
use crate::secrets::person::Person;
use crate::secrets::{failed, files};
use crate::style::{BAD, CHANGED, GOOD, paint};
use crate::ui::Ui;

/// Say which values of a file changed, without showing them
#[derive(Debug, Args)]
#[command(after_help = "\
With one file, it is compared with what git has of it at --rev. Both are opened, so that a value that
was only encrypted anew is none that changed.

Examples:
  cairn secrets diff secrets/app.yaml
  cairn secrets diff old.yaml new.yaml --format json")]
pub(crate) struct DiffArgs {
    /// The file, or the older one
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,

    /// The newer one
    #[arg(value_name = "NEW", value_hint = ValueHint::FilePath)]
    new: Option<PathBuf>,

    /// What git calls the older version
    #[arg(long, value_name = "REV", default_value = "HEAD", conflicts_with = "new")]
    rev: String,
}

pub(crate) fn run(ui: &Ui, args: &DiffArgs) -> Result<(), CommandError> {
    let (old_name, old, new) = match &args.new {
        Some(new) => {
            let found = files::read(&args.file)?;
            (found.name, found.file, files::read(new)?)
        }
        None => {
            let name = format!("{} at {}", args.file.display(), args.rev);
            let file = File::parse(&of_git(&args.file, &args.rev)?, Format::of_path(&args.file));
            (name.clone(), file.map_err(|error| failed(&name, &error))?, files::read(&args.file)?)
        }
    };
    let mut person = Person::new(ui);
    let identities = keys::own(&mut person)?;
    let mut open = |file: &File, name: &str| {
        let key = file.unlock_with(&identities, &mut person);
        key.and_then(|key| file.decrypt(&key)).map_err(|error| failed(name, &error))
    };
    let before = open(&old, &old_name)?;
    let after = open(&new.file, &new.name)?;
    compare(ui, &new.name, &before, &after);
    recipients(ui, &new.name, &old, &new.file);
    Ok(())
}

fn of_git(path: &Path, rev: &str) -> Result<Vec<u8>, CommandError> {
    let path = std::path::absolute(path)?;
    let folder = path.parent().unwrap_or(Path::new("/"));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["show", &format!("{rev}:./{name}")])
        .output()
        .map_err(|error| CommandError::user(format!("git cannot be run: {error}")))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let message = format!("git has no {} at {rev}: {}", path.display(), said.trim());
    Err(CommandError::user(message).hint("name the other version as a second file"))
}

fn compare(ui: &Ui, name: &str, before: &Plain, after: &Plain) {
    let before: BTreeMap<String, &cairn_sops::SecretBytes> = before.values().collect();
    let after: BTreeMap<String, &cairn_sops::SecretBytes> = after.values().collect();
    let tell = |what: &str, key: &str| {
        ui.object(&json!({ "type": "secret-diff", "file": name, "key": key, "change": what }));
        ui.line(match what {
            "added" => format!("{} {key}", paint(GOOD, "+")),
            "removed" => format!("{} {key}", paint(BAD, "-")),
            _ => format!("{} {key}", paint(CHANGED, "~")),
        });
    };
    for key in before.keys().filter(|key| !after.contains_key(*key)) {
        tell("removed", key);
    }
    for (key, value) in &after {
        match before.get(key) {
            None => tell("added", key),
            Some(old) if old != value => tell("changed", key),
            Some(_) => {}
        }
    }
}

fn recipients(ui: &Ui, name: &str, old: &File, new: &File) {
    let (before, after): (Vec<_>, Vec<_>) =
        (old.recipients().collect(), new.recipients().collect());
    let tell = |what: &str, sign: String, recipient: &cairn_sops::Recipient| {
        let recipient = recipient.fingerprint();
        ui.object(&json!({
            "type": "secret-diff", "file": name, "recipient": recipient, "change": what,
        }));
        ui.line(format_args!("{sign} recipient {recipient}"));
    };
    for recipient in before.iter().filter(|one| !after.contains(one)) {
        tell("removed", paint(BAD, "-").to_string(), recipient);
    }
    for recipient in after.iter().filter(|one| !before.contains(one)) {
        tell("added", paint(GOOD, "+").to_string(), recipient);
    }
}
