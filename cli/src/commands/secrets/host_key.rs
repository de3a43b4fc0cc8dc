//! `cairn secrets host-key`

use cairn_deploy::{Activators, Settings};
use cairn_sops::Recipient;
use clap::Args;
use serde_json::json;
use tokio::runtime::Runtime;

use crate::args::Global;
use crate::error::CommandError;
use crate::fleets;
use crate::style::{CHANGED, DIM, GOOD, paint};
use crate::targets;
use crate::ui::Ui;

/// Fetch a host's public key, in both forms that files may name it by
#[derive(Debug, Args)]
#[command(after_help = "\
The host is reached as a switch reaches it; nobody logs in there. A key that neither the fleet nor
your known_hosts knows may be anybody's: compare its fingerprint with what the host says of itself
(`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`).

Examples:
  cairn secrets host-key demo
  cairn secrets host-key demo --format json")]
pub(crate) struct HostKeyArgs {
    /// The host
    #[arg(value_name = "HOST")]
    host: String,
}

pub(crate) fn run(ui: &Ui, global: &Global, args: &HostKeyArgs) -> Result<(), CommandError> {
    let fleet = fleets::open(ui, global)?;
    let host = fleets::select_one(ui, &fleet, &args.host)?;
    let mut deployments = fleet
        .deployments(std::slice::from_ref(&host))
        .map_err(|problems| fleets::failed(ui, &problems))?;
    let deployment = deployments.remove(&host).unwrap_or_default();
    let target = targets::target(&host, &deployment);
    let settings = Settings::from_environment(Activators::none());
    let shown = Runtime::new()?.block_on(cairn_deploy::host_key(settings, &target));
    let shown = shown.map_err(|error| {
        let failed = CommandError::user(format!("{host}: {}", error.message()));
        match error.help() {
            Some(help) => failed.hint(help),
            None => failed,
        }
    })?;
    let forms = Recipient::forms_of_host_key(&shown.key)
        .map_err(|error| CommandError::user(format!("{host}: {error}")))?;
    let texts: Vec<String> = forms.iter().map(ToString::to_string).collect();
    let fingerprint = forms.first().map(Recipient::fingerprint).unwrap_or_default();
    ui.object(&json!({
        "type": "host-key", "host": host, "ssh": texts.first(), "age": texts.get(1),
        "fingerprint": fingerprint, "trusted": shown.trusted,
    }));
    for text in &texts {
        ui.line(text);
    }
    ui.note(paint(DIM, &fingerprint));
    ui.note(match shown.trusted {
        true => format!("{} it is the key that is known of this host", paint(GOOD, "✓")),
        false => format!(
            "{} this key is not known yet: compare it with the host's own before you use it",
            paint(CHANGED, "!")
        ),
    });
    Ok(())
}
