//! One module a command.

mod completions;

use clap::Subcommand;

use crate::args::Cli;
use crate::error::CommandError;
use crate::ui::Ui;

/// The commands, in the order in which people meet them.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Completions(completions::CompletionsArgs),
}

/// Runs the command that was asked for.
pub(crate) fn run(ui: &Ui, cli: Cli) -> Result<(), CommandError> {
    match cli.command {
        Command::Completions(args) => completions::run(ui, &args),
    }
}
