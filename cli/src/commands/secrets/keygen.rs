//! `cairn secrets keygen`

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

use cairn_sops::NewKey;
use clap::{Args, ValueHint};
use serde_json::json;

use crate::error::CommandError;
use crate::style::{STRONG, paint};
use crate::ui::Ui;

/// Make a key of your own, as age-keygen does
#[derive(Debug, Args)]
#[command(after_help = "\
The public key goes into .sops.yaml; the private one stays with you. A file that is there already is
never replaced.

Examples:
  cairn secrets keygen -o ~/.config/sops/age/keys.txt
  cairn secrets keygen -o ./admin.txt --format json")]
pub(crate) struct KeygenArgs {
    /// The file to write the private key to, of mode 0600 [default: standard output]
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
}

pub(crate) fn run(ui: &Ui, args: &KeygenArgs) -> Result<(), CommandError> {
    let key = NewKey::generate();
    let public = key.public();
    let Some(path) = &args.output else {
        if ui.is_json() {
            let private = key.private();
            ui.object(&json!({ "type": "key", "public": public, "private": private.expose_str() }));
        } else {
            ui.raw(key.file().expose_str().unwrap_or_default());
            ui.note(format_args!("public key: {public}"));
        }
        return Ok(());
    };
    let write = || -> std::io::Result<()> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(key.file().expose())?;
        file.sync_all()
    };
    write().map_err(|error| {
        let failed = CommandError::user(format!("{}: {error}", path.display()));
        match error.kind() {
            std::io::ErrorKind::AlreadyExists => {
                failed.hint("a key that is there is never replaced: choose another file")
            }
            _ => failed,
        }
    })?;
    ui.object(&json!({ "type": "key", "public": public, "path": path }));
    ui.line(format_args!("{} is the public key of {}", paint(STRONG, &public), path.display()));
    Ok(())
}
