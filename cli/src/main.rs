//! The `cairn` command: arguments in, words and colours out, no logic of its own.

mod args;
mod changes;
mod commands;
mod error;
mod fleets;
mod format;
mod git;
mod inputs;
mod live;
mod outcome;
mod progress;
mod reference;
mod repl;
mod report;
mod secrets;
mod style;
mod table;
mod targets;
mod texts;
mod ui;
mod worlds;

use std::panic;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use clap::Parser;
use clap::error::ErrorKind;

use crate::args::Cli;
use crate::error::CommandError;
use crate::ui::Ui;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error),
    };
    let ui = Ui::new(&cli.global);
    let done = guarded(|| commands::run(&ui, cli));
    let code = match done.and_then(|()| ui.finish()) {
        Ok(()) => 0,
        Err(error) => {
            ui.error(&error);
            error.exit_code()
        }
    };
    ExitCode::from(code)
}

/// Arguments that clap refuses, and `--help`, which it answers.
fn refuse(error: &clap::Error) -> ExitCode {
    // Nobody is left to tell when this cannot be written.
    let _ = error.print();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => ExitCode::SUCCESS,
        _ => ExitCode::from(error::USAGE),
    }
}

/// Where the last panic came from, for the message that people see instead of it.
static PANIC: Mutex<Option<String>> = Mutex::new(None);

/// Turns a panic, which is always a bug of ours, into an error like any other.
fn guarded(run: impl FnOnce() -> Result<(), CommandError>) -> Result<(), CommandError> {
    panic::set_hook(Box::new(|info| {
        let place = info.location().map(|at| format!("{}:{}", at.file(), at.line()));
        let said = info.payload_as_str().unwrap_or("no message");
        let told = format!("{said} ({})", place.unwrap_or_default());
        *PANIC.lock().unwrap_or_else(PoisonError::into_inner) = Some(told);
    }));
    // What the closure borrows is only written to afterwards, whole lines at a time.
    panic::catch_unwind(panic::AssertUnwindSafe(run)).unwrap_or_else(|_| {
        let told = PANIC.lock().unwrap_or_else(PoisonError::into_inner).take();
        Err(CommandError::internal(told.unwrap_or_default()))
    })
}
