//! `cairn check`

use cairn_compiler::Fleet;
use cairn_sops::File;
use clap::Args;
use serde_json::json;

use crate::args::{Global, HostArgs};
use crate::error::CommandError;
use crate::fleets;
use crate::git::{self, Staged};
use crate::report::{self, plural};
use crate::secrets::keys;
use crate::secrets::person::Person;
use crate::style::{GOOD, paint};
use crate::ui::Ui;

/// Say everything that is wrong with a fleet, in one run
#[derive(Debug, Args)]
#[command(after_help = "\
Every file of the fleet is read, and every option of every host computed. Without hosts, all are
checked. A file that git does not have is a warning.

Examples:
  cairn check
  cairn check demo --format json
  cairn check --staged
  cairn check --verify")]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    hosts: HostArgs,
    /// Decrypt files of secrets besides, with a key of yours, and verify the code over each
    #[arg(long)]
    verify: bool,
    /// Check what git's index holds, which is what a commit will have, whatever lies in the folder
    #[arg(long)]
    staged: bool,
}

pub(crate) fn run(ui: &Ui, global: &Global, args: &CheckArgs) -> Result<(), CommandError> {
    let staged = match args.staged {
        true => Some(Staged::around(&fleets::folder(global)?)?),
        false => None,
    };
    let fleet = match &staged {
        Some(staged) => fleets::open_staged(ui, global, staged)?,
        None => fleets::open_to_check(ui, global)?,
    };
    let hosts = match args.hosts.hosts.is_empty() {
        true => fleet.hosts(),
        false => fleets::select(ui, &fleet, &args.hosts.hosts)?,
    };
    let found = fleet.check(&hosts);
    report::show(ui, &found.diagnostics, &found.sources);
    if staged.is_none() {
        let untracked = git::untracked(&fleet);
        report::show(ui, &untracked.diagnostics, &untracked.sources);
    }
    if found.has_errors() {
        return Err(CommandError::told());
    }
    if args.verify {
        verify(ui, &fleet, &hosts)?;
    }
    ui.object(&json!({ "type": "checked", "hosts": hosts }));
    let mark = paint(GOOD, "✓");
    ui.line(format_args!("{mark} nothing is wrong with {}", plural(hosts.len(), "host")));
    Ok(())
}

/// Opens the files of secrets that these hosts use.
fn verify(ui: &Ui, fleet: &Fleet, hosts: &[String]) -> Result<(), CommandError> {
    let mut person = Person::new(ui);
    let identities = keys::own(&mut person)?;
    let mut unlock = |file: &File| file.unlock_with(&identities, &mut person);
    let (found, right) = fleet.verify_secrets(hosts, &mut unlock);
    report::show(ui, &found.diagnostics, &found.sources);
    if found.has_errors() {
        return Err(CommandError::told());
    }
    ui.object(&json!({ "type": "verified", "files": right }));
    let mark = paint(GOOD, "✓");
    ui.line(format_args!("{mark} {} of secrets verified", plural(right, "file")));
    Ok(())
}
