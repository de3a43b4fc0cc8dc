//! `cairn secrets`: one module a subcommand.

mod check;
mod diff;
mod edit;
mod get;
mod host_key;
mod hosts;
mod keygen;
mod rekey;
mod rotate;
mod set;

use clap::{Args, Subcommand};

use crate::args::Global;
use crate::error::CommandError;
use crate::ui::Ui;

/// Work with files of secrets (SOPS), which stay encrypted in the repository
#[derive(Debug, Args)]
#[command(
    subcommand_required = true,
    arg_required_else_help = true,
    disable_help_subcommand = true,
    after_help = "\
Your private keys are looked for where sops does: SOPS_AGE_KEY, SOPS_AGE_KEY_FILE,
~/.config/sops/age/keys.txt, SOPS_AGE_SSH_PRIVATE_KEY_FILE, ~/.ssh/id_ed25519 and ~/.ssh/id_rsa; for
PGP your `gpg` is called. For whom a new file is encrypted says the nearest .sops.yaml.

Examples:
  cairn secrets keygen -o ~/.config/sops/age/keys.txt
  cairn secrets edit secrets/app.yaml
  cairn secrets rekey"
)]
pub(crate) struct SecretsArgs {
    #[command(subcommand)]
    command: SecretsCommand,
}

#[derive(Debug, Subcommand)]
enum SecretsCommand {
    Check(check::CheckArgs),
    Edit(edit::EditArgs),
    Set(set::SetArgs),
    Get(get::GetArgs),
    Rekey(rekey::RekeyArgs),
    Rotate(rotate::RotateArgs),
    Diff(diff::DiffArgs),
    Hosts(hosts::HostsArgs),
    Keygen(keygen::KeygenArgs),
    HostKey(host_key::HostKeyArgs),
}

pub(crate) fn run(ui: &Ui, global: &Global, args: SecretsArgs) -> Result<(), CommandError> {
    match args.command {
        SecretsCommand::Check(args) => check::run(ui, global, &args),
        SecretsCommand::Edit(args) => edit::run(ui, &args),
        SecretsCommand::Set(args) => set::run(ui, &args),
        SecretsCommand::Get(args) => get::run(ui, &args),
        SecretsCommand::Rekey(args) => rekey::run(ui, global, &args),
        SecretsCommand::Rotate(args) => rotate::run(ui, &args),
        SecretsCommand::Diff(args) => diff::run(ui, &args),
        SecretsCommand::Hosts(args) => hosts::run(ui, global, &args),
        SecretsCommand::Keygen(args) => keygen::run(ui, &args),
        SecretsCommand::HostKey(args) => host_key::run(ui, global, &args),
    }
}
