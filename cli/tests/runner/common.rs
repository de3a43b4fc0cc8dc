//! Runs the built command as a user would.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// What a command said, and how it ended.
#[derive(Debug)]
pub(crate) struct Output {
    /// Its exit code.
    pub(crate) code: i32,
    /// Its results.
    pub(crate) stdout: String,
    /// Its words.
    pub(crate) stderr: String,
}

/// Runs `cairn` with these arguments.
pub(crate) fn cairn(args: &[&str]) -> Output {
    cairn_in(Path::new("."), args)
}

/// Runs `cairn` in a folder, with an environment in which nothing shines through. The cache is
/// `.cache` in that folder.
pub(crate) fn cairn_in(folder: &Path, args: &[&str]) -> Output {
    cairn_with_input(folder, args, "")
}

/// Runs `cairn` in a folder, with this on its standard input.
pub(crate) fn cairn_with_input(folder: &Path, args: &[&str], input: &str) -> Output {
    let mut child = command(folder)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_owned();
    // One that ends without reading all of it has said enough.
    let writer = std::thread::spawn(move || drop(stdin.write_all(input.as_bytes())));
    let output = child.wait_with_output().expect("the command ends");
    writer.join().expect("written");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Output {
        code: output.status.code().expect("an exit code"),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// The command in a folder, with an environment in which nothing shines through.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cairn"));
    command
        .current_dir(folder)
        .env_remove("CLICOLOR_FORCE")
        .env("NO_COLOR", "1")
        .env("COLUMNS", "80")
        .env("XDG_CACHE_HOME", folder.join(".cache"))
        .env("XDG_STATE_HOME", folder.join(".state"));
    command
}

/// A fleet of these files, in a folder of its own.
pub(crate) fn fleet(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        let parent = path.parent().expect("a parent");
        std::fs::create_dir_all(parent).expect("a folder");
        std::fs::write(path, text).expect("written");
    }
    folder
}

/// A fleet with one small host, `demo`.
pub(crate) fn small() -> tempfile::TempDir {
    fleet(&[
        ("cairn.nix", "{ outputs = { self, ... }: { hosts.demo = ./demo.nix; }; }\n"),
        (
            "demo.nix",
            "{ lib, ... }:\n{\n  networking.hostName = \"demo\";\n  environment.etc.motd.text = lib.mkDefault \"hello\\n\";\n  \
             systemd.services.hello = {\n    script = \"exec sleep infinity\";\n    wantedBy = [ \"multi-user.target\" ];\n  };\n}\n",
        ),
    ])
}

/// Runs git in a repository, as nobody in particular and at a time that stands still.
pub(crate) fn git(place: &Path, repository: &str, words: &[&str]) {
    let output = Command::new("git")
        .current_dir(place.join(repository))
        .args(["-c", "user.name=t", "-c", "user.email=t@t", "-c", "init.defaultBranch=main"])
        .args(words)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_COMMITTER_DATE", "2026-01-02T03:04:05Z")
        .output()
        .expect("git runs");
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Commits everything in a repository.
pub(crate) fn commit(place: &Path, repository: &str, message: &str) {
    git(place, repository, &["add", "-A"]);
    git(place, repository, &["commit", "-q", "-m", message]);
}

impl Output {
    /// The objects on standard output; everything there must be one.
    pub(crate) fn objects(&self) -> Vec<serde_json::Value> {
        let parse = |line| serde_json::from_str(line).expect("a line of JSON");
        let objects: Vec<serde_json::Value> = self.stdout.lines().map(parse).collect();
        assert!(objects.iter().all(|object| object["type"].is_string()), "{}", self.stdout);
        objects
    }

    /// Standard output with what differs from run to run, or with the standard modules, taken out:
    /// durations and ids.
    pub(crate) fn steady(&self) -> String {
        let lines = self.stdout.lines().map(|line| {
            let line = match line.split_once(" in 0.") {
                Some((before, _)) => format!("{before} in …"),
                None => line.to_owned(),
            };
            match (line.find('('), line.find(')')) {
                (Some(start), Some(end)) if end - start == 13 => {
                    format!("{}(…){}", &line[..start], &line[end + 1..])
                }
                _ => line,
            }
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}
