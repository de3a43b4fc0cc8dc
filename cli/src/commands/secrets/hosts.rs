//! `cairn secrets hosts`

use std::collections::BTreeSet;

use clap::Args;
use serde_json::json;

use crate::args::{Global, HostArgs};
use crate::error::CommandError;
use crate::fleets;
use crate::secrets::files;
use crate::secrets::inventory::Inventory;
use crate::style::{CHANGED, DIM, STRONG, paint};
use crate::ui::Ui;

/// Say which hosts read which files
#[derive(Debug, Args)]
#[command(after_help = "\
A file that a host uses and cannot read, or can read and does not use, is marked. No key is needed.

Examples:
  cairn secrets hosts
  cairn secrets hosts demo --format json")]
pub(crate) struct HostsArgs {
    #[command(flatten)]
    hosts: HostArgs,
}

pub(crate) fn run(ui: &Ui, global: &Global, args: &HostsArgs) -> Result<(), CommandError> {
    let fleet = fleets::open(ui, global)?;
    let hosts = fleets::all_or(ui, &fleet, &args.hosts.hosts)?;
    let inventory = Inventory::of(ui, &fleet)?;
    let found = files::below(&fleets::folder(global)?)?;
    let found: Vec<_> = found.into_iter().filter_map(Result::ok).collect();
    for host in hosts {
        let forms = inventory.forms.get(&host).map(Vec::as_slice).unwrap_or_default();
        let readable = found
            .iter()
            .filter(|found| found.file.recipients().any(|recipient| forms.contains(recipient)));
        let readable: BTreeSet<&str> = readable.map(|found| found.name.as_str()).collect();
        let used = inventory.users.iter().filter(|(_, hosts)| hosts.contains(&host));
        let used: BTreeSet<&str> = used.map(|(name, _)| name.as_str()).collect();
        let fingerprints: Vec<String> = forms.iter().map(|form| form.fingerprint()).collect();
        ui.object(&json!({
            "type": "secret-host", "host": host, "keys": fingerprints,
            "reads": readable, "uses": used,
        }));
        let key = match fingerprints.first() {
            Some(key) => paint(DIM, key).to_string(),
            None => paint(CHANGED, "no `deployment.hostKey`").to_string(),
        };
        ui.line(format_args!("{}  {key}", paint(STRONG, &host)));
        for name in readable.union(&used) {
            let mark = match (readable.contains(name), used.contains(name)) {
                (true, false) => paint(CHANGED, "  (not used)").to_string(),
                (false, _) => paint(CHANGED, "  (cannot be read)").to_string(),
                (true, true) => String::new(),
            };
            ui.line(format_args!("  {name}{mark}"));
        }
    }
    Ok(())
}
