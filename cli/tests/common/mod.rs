//! Runs the built command as a user would.
#![allow(clippy::expect_used, unreachable_pub, dead_code, reason = "a module of test programs")]

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

/// Runs `cairn` in a folder, with an environment in which nothing shines through. The cache is
/// `.cache` in that folder.
pub fn cairn_in(folder: &Path, args: &[&str]) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_cairn"))
        .args(args)
        .current_dir(folder)
        .env_remove("CLICOLOR_FORCE")
        .env("NO_COLOR", "1")
        .env("COLUMNS", "80")
        .env("XDG_CACHE_HOME", folder.join(".cache"))
        .output()
        .expect("the command runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Output {
        code: output.status.code().expect("an exit code"),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// A fleet of these files, in a folder of its own.
pub fn fleet(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        let parent = path.parent().expect("a parent");
        std::fs::create_dir_all(parent).expect("a folder");
        std::fs::write(path, text).expect("written");
    }
    folder
}
