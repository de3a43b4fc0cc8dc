//! One module a command.

mod ask;
mod build;
mod bundle;
mod check;
mod completions;
mod diff;
mod drift;
mod eval;
mod explain;
mod fetch;
mod fmt;
mod gc;
mod history;
mod init;
mod inputs;
mod lock;
mod lsp;
mod options;
mod packages;
mod pin;
mod repair;
mod repl;
mod rollback;
mod secrets;
mod status;
mod switch;
mod vendor;
mod why;

use cairn_generation::wire::Mode;
use clap::Subcommand;

use crate::args::Cli;
use crate::error::CommandError;
use crate::ui::Ui;
use switch::SwitchArgs;

/// The commands, in the order in which people meet them.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Init(init::InitArgs),
    Check(check::CheckArgs),
    Fetch(fetch::FetchArgs),
    Build(build::BuildArgs),
    Bundle(bundle::BundleArgs),
    Diff(diff::DiffArgs),
    /// Switch hosts to the generations that the fleet describes
    ///
    /// All hosts are built before any is touched. A host that fails, or that cannot be reached
    /// afterwards, goes back by itself to the generation that it was in.
    #[command(after_help = "\
Examples:
  cairn switch demo --into /tmp/demo
  cairn switch board0 board1
  cairn switch @agents --format json")]
    Switch(SwitchArgs),
    /// Switch hosts until their next boot
    #[command(after_help = "Example:\n  cairn test demo")]
    Test(SwitchArgs),
    /// Switch hosts at their next boot
    #[command(after_help = "Example:\n  cairn boot demo")]
    Boot(SwitchArgs),
    /// Say what a switch would do on hosts, after trying everything that can fail
    #[command(after_help = "Example:\n  cairn dry-activate demo --into /tmp/demo")]
    DryActivate(SwitchArgs),
    Rollback(rollback::RollbackArgs),
    Status(status::StatusArgs),
    Drift(drift::DriftArgs),
    Repair(repair::RepairArgs),
    History(history::HistoryArgs),
    Pin(pin::PinArgs),
    Gc(gc::GcArgs),
    Secrets(secrets::SecretsArgs),
    Eval(eval::EvalArgs),
    Repl(repl::ReplArgs),
    Explain(explain::ExplainArgs),
    Options(options::OptionsArgs),
    Packages(packages::PackagesArgs),
    Why(why::WhyArgs),
    Lock(lock::LockArgs),
    Inputs(inputs::InputsArgs),
    Vendor(vendor::VendorArgs),
    Fmt(fmt::FmtArgs),
    Lsp(lsp::LspArgs),
    Completions(completions::CompletionsArgs),
}

/// Runs the command that was asked for.
pub(crate) fn run(ui: &Ui, cli: Cli) -> Result<(), CommandError> {
    let global = &cli.global;
    match cli.command {
        Command::Init(args) => init::run(ui, global, &args),
        Command::Check(args) => check::run(ui, global, &args),
        Command::Fetch(args) => fetch::run(ui, global, &args),
        Command::Build(args) => build::run(ui, global, &args),
        Command::Bundle(args) => bundle::run(ui, global, &args),
        Command::Switch(args) => switch::run(ui, global, &args, Mode::Switch),
        Command::Test(args) => switch::run(ui, global, &args, Mode::Test),
        Command::Boot(args) => switch::run(ui, global, &args, Mode::Boot),
        Command::DryActivate(args) => switch::run(ui, global, &args, Mode::DryActivate),
        Command::Diff(args) => diff::run(ui, global, &args),
        Command::Rollback(args) => rollback::run(ui, global, &args),
        Command::Status(args) => status::run(ui, global, &args),
        Command::Drift(args) => drift::run(ui, global, &args),
        Command::Repair(args) => repair::run(ui, global, &args),
        Command::History(args) => history::run(ui, global, &args),
        Command::Pin(args) => pin::run(ui, global, &args),
        Command::Gc(args) => gc::run(ui, global, &args),
        Command::Secrets(args) => secrets::run(ui, global, args),
        Command::Eval(args) => eval::run(ui, global, &args),
        Command::Repl(args) => repl::run(ui, global, &args),
        Command::Explain(args) => explain::run(ui, global, &args),
        Command::Options(args) => options::run(ui, global, &args),
        Command::Packages(args) => packages::run(ui, global, &args),
        Command::Why(args) => why::run(ui, global, &args),
        Command::Lock(args) => lock::run(ui, global, &args),
        Command::Inputs(args) => inputs::run(ui, global, &args),
        Command::Vendor(args) => vendor::run(ui, global, &args),
        Command::Fmt(args) => fmt::run(ui, global, &args),
        Command::Lsp(args) => lsp::run(global, &args),
        Command::Completions(args) => completions::run(ui, &args),
    }
}
