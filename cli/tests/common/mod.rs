//! Runs the built command as a user would.

use std::path::Path;
use std::process::Command;

/// What a command said, and how it ended.
#[derive(Debug)]
pub struct Output {
    /// Its exit code.
    pub code: i32,
    /// Its results.
    pub stdout: String,
    /// Its words.
    pub stderr: String,
}

/// Runs `cairn` with these arguments.
pub fn cairn(args: &[&str]) -> Output {
    cairn_in(Path::new("."), args)
}

/// Runs `cairn` in a folder, with an environment in which nothing shines through.
pub fn cairn_in(folder: &Path, args: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_cairn"))
        .args(args)
        .current_dir(folder)
        .env_remove("CLICOLOR_FORCE")
        .env("NO_COLOR", "1")
        .env("COLUMNS", "100")
        .output()
        .expect("the command runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Output {
        code: output.status.code().expect("an exit code"),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}
