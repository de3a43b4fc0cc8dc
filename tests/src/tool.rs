//! Other programs, run to their end.

use std::process::{Command, Output, Stdio};

/// Runs `command` and gives what it printed. Panics with its words when it fails.
pub(crate) fn must(command: &mut Command) -> String {
    let output = run(command);
    assert!(
        output.status.success(),
        "{command:?} ended with {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs `command`, whatever comes of it. Panics only when it cannot be started.
pub(crate) fn run(command: &mut Command) -> Output {
    command
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"))
}
