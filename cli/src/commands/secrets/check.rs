//! `cairn secrets check`

use std::path::PathBuf;

use cairn_sops::State;
use clap::{Args, ValueHint};
use serde_json::json;

use crate::args::Global;
use crate::error::CommandError;
use crate::fleets;
use crate::report::plural;
use crate::secrets::files::Found;
use crate::secrets::inventory::{self, Inventory};
use crate::secrets::person::Person;
use crate::secrets::{files, keys, rules};
use crate::style::{BAD, CHANGED, GOOD, paint};
use crate::ui::Ui;

/// Say what is wrong with files of secrets: values in plain text, recipients that should be others
#[derive(Debug, Args)]
#[command(after_help = "\
No key is needed, so that it can run anywhere. With --verify each file is opened besides, and its
message authentication code compared: that shows values that were changed, moved or removed.

Examples:
  cairn secrets check
  cairn secrets check secrets/app.yaml --verify")]
pub(crate) struct CheckArgs {
    /// The files [default: all of the fleet]
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    files: Vec<PathBuf>,

    /// Open the files with your own keys
    #[arg(long)]
    verify: bool,
}

/// What is said of files.
struct Findings<'u> {
    ui: &'u Ui,
    errors: usize,
    warnings: usize,
}

impl Findings<'_> {
    fn error(&mut self, file: &str, message: &str) {
        self.errors += 1;
        self.say("error", file, message);
    }

    fn warning(&mut self, file: &str, message: &str) {
        self.warnings += 1;
        self.say("warning", file, message);
    }

    fn say(&self, severity: &str, file: &str, message: &str) {
        self.ui.object(&json!({
            "type": "secret-finding", "severity": severity, "file": file, "message": message,
        }));
        let mark = match severity {
            "error" => paint(BAD.bold(), "error:").to_string(),
            _ => paint(CHANGED.bold(), "warning:").to_string(),
        };
        self.ui.note(format_args!("{mark} {file}: {message}"));
    }
}

pub(crate) fn run(ui: &Ui, global: &Global, args: &CheckArgs) -> Result<(), CommandError> {
    let fleet = fleets::open(ui, global)?;
    let folder = fleets::folder(global)?;
    let inventory = Inventory::of(ui, &fleet)?;
    let found = match args.files.as_slice() {
        [] => files::below(&folder)?,
        named => named.iter().map(|path| files::read(path)).collect(),
    };
    let mut findings = Findings { ui, errors: 0, warnings: 0 };
    let mut opener = match args.verify {
        true => {
            let mut person = Person::new(ui);
            Some((keys::own(&mut person)?, person))
        }
        false => None,
    };
    let count = found.len();
    for found in found {
        match found {
            Ok(found) => {
                values(&mut findings, &found);
                let name = inventory::name_in(&folder, &found.path);
                recipients(&mut findings, &inventory, &found, &name)?;
                if let Some((identities, person)) = &mut opener {
                    let key = found.file.unlock_with(identities, person);
                    if let Err(error) = key.and_then(|key| found.file.decrypt(&key)) {
                        findings.error(&found.name, &error.to_string());
                    }
                }
            }
            Err(error) => {
                findings.errors += 1;
                ui.error(&error);
            }
        }
    }
    if findings.errors > 0 {
        return Err(CommandError::told());
    }
    ui.object(&json!({
        "type": "secrets-checked", "files": count, "warnings": findings.warnings,
        "verified": args.verify,
    }));
    let mark = paint(GOOD, "✓");
    let warnings = match findings.warnings {
        0 => String::new(),
        some => format!(", with {}", plural(some, "warning")),
    };
    ui.line(format_args!("{mark} {} checked{warnings}", plural(count, "file")));
    Ok(())
}

fn values(findings: &mut Findings<'_>, found: &Found) {
    for leaf in found.file.leaves() {
        if leaf.state == State::NotCiphertext {
            let path = leaf.path.join("/");
            let message = format!("`{path}` should be encrypted by this file's rule, and is not");
            findings.error(&found.name, &message);
        }
    }
    if found.file.metadata().mac.is_none() {
        findings.error(&found.name, "there is no message authentication code");
    }
}

fn recipients(
    findings: &mut Findings<'_>,
    inventory: &Inventory,
    found: &Found,
    name: &str,
) -> Result<(), CommandError> {
    for host in inventory.users(name) {
        let forms = inventory.forms.get(host).map(Vec::as_slice).unwrap_or_default();
        if forms.is_empty() {
            let message = format!("`{host}` uses it, and its `deployment.hostKey` is not known");
            findings.warning(&found.name, &message);
        } else if !found.file.recipients().any(|recipient| forms.contains(recipient)) {
            let message =
                format!("`{host}` uses it and cannot read it: `cairn secrets rekey` adds the host");
            findings.error(&found.name, &message);
        }
    }
    let Some(rule) = rules::of(&found.path)? else { return Ok(()) };
    let Ok(wanted) = inventory.wanted(name, &rule, &found.file) else { return Ok(()) };
    let (gain, lose) = wanted.against(&found.file);
    for recipient in gain {
        let who = inventory.name(&recipient);
        findings.warning(&found.name, &format!("{who} should be able to read it, and cannot"));
    }
    for recipient in lose {
        let who = inventory.name(&recipient);
        findings.warning(&found.name, &format!("{who} can read it, and should not"));
    }
    Ok(())
}
