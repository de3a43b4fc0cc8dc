//! One module a command.

mod build;
mod check;
mod completions;
mod eval;
mod explain;

use clap::Subcommand;

use crate::args::Cli;
use crate::error::CommandError;
use crate::ui::Ui;

/// The commands, in the order in which people meet them.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Build(build::BuildArgs),
    Check(check::CheckArgs),
    Eval(eval::EvalArgs),
    Explain(explain::ExplainArgs),
    Completions(completions::CompletionsArgs),
}

/// Runs the command that was asked for.
pub(crate) fn run(ui: &Ui, cli: Cli) -> Result<(), CommandError> {
    let global = &cli.global;
    match cli.command {
        Command::Build(args) => build::run(ui, global, &args),
        Command::Check(args) => check::run(ui, global, &args),
        Command::Eval(args) => eval::run(ui, global, &args),
        Command::Explain(args) => explain::run(ui, global, &args),
        Command::Completions(args) => completions::run(ui, &args),
    }
}
