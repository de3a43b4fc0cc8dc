//! `cairn secrets rotate`

use std::path::PathBuf;

use clap::{Args, ValueHint};
use serde_json::json;

use crate::error::CommandError;
use crate::secrets::person::Person;
use crate::secrets::{failed, files, keys};
use crate::ui::Ui;

/// Encrypt files anew under new data keys, for the same recipients
#[derive(Debug, Args)]
#[command(after_help = "\
Whoever kept a file's old data key cannot open what is written from now on. What they have read they
have read: change the values themselves too.

Example:
  cairn secrets rotate secrets/app.yaml")]
pub(crate) struct RotateArgs {
    /// The files
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    files: Vec<PathBuf>,
}

pub(crate) fn run(ui: &Ui, args: &RotateArgs) -> Result<(), CommandError> {
    let mut person = Person::new(ui);
    let identities = keys::own(&mut person)?;
    let mut ready = Vec::new();
    for path in &args.files {
        let found = files::read(path)?;
        let wrong = |error| failed(&found.name, &error);
        let key = found.file.unlock_with(&identities, &mut person).map_err(wrong)?;
        let plain = found.file.decrypt(&key).map_err(wrong)?;
        let metadata = found.file.metadata();
        let groups = metadata.groups.iter().map(|group| group.recipients().cloned().collect());
        let groups: Vec<Vec<_>> = groups.collect();
        let new = found.file.rekey(&plain, &groups, metadata.threshold, &mut person);
        let bytes = new.and_then(|file| file.write()).map_err(wrong)?;
        ready.push((found, bytes));
    }
    // All could be made: now they are written.
    for (found, bytes) in ready {
        files::write(&found.path, &bytes)?;
        ui.object(&json!({ "type": "secret-rotated", "file": found.name }));
        ui.line(format_args!("{} has a new data key", found.name));
    }
    Ok(())
}
