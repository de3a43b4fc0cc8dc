//! `cairn secrets get`

use std::io::{IsTerminal, Write};
use std::path::PathBuf;

use cairn_sops::SecretBytes;
use clap::{Args, ValueHint};
use serde_json::json;

use crate::error::CommandError;
use crate::secrets::person::Person;
use crate::secrets::{failed, files, keys};
use crate::ui::Ui;

/// Print a value, or a whole file, in plain text
#[derive(Debug, Args)]
#[command(after_help = "\
The file is verified as a whole before anything is printed. A value is printed as it is, without a
line break after it, unless standard output is a terminal.

Examples:
  cairn secrets get secrets/app.yaml database/password
  cairn secrets get secrets/app.yaml")]
pub(crate) struct GetArgs {
    /// The file
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: PathBuf,

    /// Keys on the way to the value, with `/` between them [default: the whole file]
    #[arg(value_name = "KEY")]
    key: Option<String>,
}

pub(crate) fn run(ui: &Ui, args: &GetArgs) -> Result<(), CommandError> {
    let found = files::read(&args.file)?;
    let mut person = Person::new(ui);
    let identities = keys::own(&mut person)?;
    let wrong = |error| failed(&found.name, &error);
    let key = found.file.unlock_with(&identities, &mut person).map_err(wrong)?;
    let plain = found.file.decrypt(&key).map_err(wrong)?;
    let value = match &args.key {
        Some(path) => {
            let path: Vec<&str> = path.split('/').collect();
            plain.value(&path).map_err(wrong)?.clone()
        }
        None => plain.whole().map_err(wrong)?,
    };
    show(ui, args, &found.name, &value)
}

fn show(ui: &Ui, args: &GetArgs, name: &str, value: &SecretBytes) -> Result<(), CommandError> {
    if ui.is_json() {
        let text = value.expose_str().ok_or_else(|| {
            CommandError::user(format!("what {name} holds is no text"))
                .hint("without `--format json` its bytes are printed as they are")
        })?;
        ui.object(&json!({ "type": "secret", "file": name, "key": args.key, "value": text }));
        return Ok(());
    }
    let mut out = std::io::stdout().lock();
    out.write_all(value.expose())?;
    if out.is_terminal() && !value.expose().ends_with(b"\n") {
        out.write_all(b"\n")?;
    }
    out.flush()?;
    Ok(())
}
