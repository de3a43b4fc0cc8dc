//! The documentation, run: every code block of README.md and docs/*.md is tried as a reader would.
//!
//! - A `nix` block whose first line is `# path/to/file.nix` is written there, in the page's own folder.
//!   One that ends in `# => value` is an expression that evaluates to that; where every line does, each
//!   is one, with `lib` in scope. Any other is an expression, or definitions of a host that `cairn check` finds nothing wrong with.
//! - A `console` block holds commands behind `$ ` and what they print. A line `…` stands for any
//!   number of lines, and `…` within a line for any text.
//! - A `yaml` block is a pipeline, whose first line is `# path/to/file.yaml`: it is written there, must have
//!   what its system asks for, and its commands are run.
//! - `text` and `json` blocks show something and are not run; no other language may occur.
#![allow(clippy::unwrap_used)] // a test stops by panicking

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};

#[path = "docs/codes.rs"]
mod codes;
#[path = "docs/pipelines.rs"]
mod pipelines;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let repository = repository();
    let mut pages: Vec<PathBuf> = fs::read_dir(repository.join("docs"))
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect();
    pages.push(repository.join("README.md"));
    pages.sort();
    let mut trials: Vec<Trial> = pages
        .into_iter()
        .map(|page| {
            let name = page.strip_prefix(&repository).unwrap_or(&page).display().to_string();
            Trial::test(name, move || run_page(&page))
        })
        .collect();
    trials.push(Trial::test("every diagnostic code has its place", move || {
        codes::compare(&repository)
    }));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// One fenced block.
#[derive(Debug)]
struct Block {
    language: String,
    line: usize,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in page.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(language)) => {
                open = Some(Block {
                    language: language.to_owned(),
                    line: index + 1,
                    text: String::new(),
                });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, None) => {}
        }
    }
    blocks
}

fn run_page(page: &Path) -> Result<(), Failed> {
    let mut text = fs::read_to_string(page)?;
    let folder = tempfile::tempdir()?;
    if page.ends_with("README.md") {
        text = as_if_built(&text, folder.path())?;
    }
    for block in blocks(&text) {
        let outcome = match block.language.as_str() {
            "nix" => run_nix(&block, folder.path()),
            "console" => run_console(&block, folder.path()),
            "yaml" => run_pipeline(&block, folder.path()),
            "text" | "json" => Ok(()),
            other => Err(format!("a block of language `{other}`, which is not run")),
        };
        outcome.map_err(|why| format!("{}:{}: {why}", page.display(), block.line))?;
    }
    Ok(())
}

/// README's commands stand in a clone of the repository and begin with building it: here the sample
/// fleet is at hand, and the command is built already.
fn as_if_built(text: &str, folder: &Path) -> Result<String, Failed> {
    let repository = repository();
    fs::copy(repository.join("cairn.nix"), folder.join("cairn.nix"))?;
    fs::create_dir(folder.join("hosts"))?;
    fs::copy(repository.join("hosts/demo.nix"), folder.join("hosts/demo.nix"))?;
    Ok(text.replace("./build && ", "").replace("target/release/cairn", "cairn"))
}

fn run_nix(block: &Block, folder: &Path) -> Result<(), String> {
    let first = block.text.lines().next().unwrap_or_default();
    if let Some(path) = first.strip_prefix("# ").filter(|path| path.ends_with(".nix")) {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, &block.text).unwrap();
        return Ok(());
    }
    if let Some(lines) = lines_with_values(&block.text) {
        return run_lines(&lines, folder);
    }
    let expected: Vec<&str> =
        block.text.lines().filter_map(|line| line.strip_prefix("# => ")).collect();
    if expected.is_empty() {
        let parsed = succeed(folder, &["eval", "--parse", "--expr", &block.text]);
        return if parsed.is_ok() { Ok(()) } else { check_in_a_host(&block.text, folder) };
    }
    let printed = succeed(folder, &["eval", "--expr", &block.text])?;
    if expected.join("\n") == printed.trim_end() {
        return Ok(());
    }
    Err(format!("gives {printed}where the page says {}", expected.join("\n")))
}

/// The expressions and values of a block whose every line has both.
fn lines_with_values(text: &str) -> Option<Vec<(&str, &str)>> {
    let lines = text.lines().filter(|line| !line.is_empty());
    lines.map(|line| line.split_once("# => ").filter(|(before, _)| !before.is_empty())).collect()
}

fn run_lines(lines: &[(&str, &str)], folder: &Path) -> Result<(), String> {
    let run = |lines: &[(&str, &str)]| {
        let expressions: String = lines.iter().map(|(text, _)| format!("({text})\n")).collect();
        let program = format!("let lib = import <cairn/lib>; in [\n{expressions}]");
        let printed = succeed(folder, &["eval", "--expr", &program])?;
        let expected: String = lines.iter().map(|(_, value)| format!("{value} ")).collect();
        let printed = printed.trim_end();
        if printed == format!("[ {expected}]") {
            return Ok(());
        }
        Err(format!("gives {printed} where the page says [ {expected}]"))
    };
    // All at once; where something is wrong, each by itself.
    run(lines).or_else(|_| lines.chunks(1).try_for_each(run))
}

/// Checks definitions as a host of their own would hold them, beside the page's files.
fn check_in_a_host(definitions: &str, page: &Path) -> Result<(), String> {
    let fleet = tempfile::tempdir().unwrap();
    for entry in
        fs::read_dir(page).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file())
    {
        fs::copy(entry.path(), fleet.path().join(entry.file_name())).unwrap();
    }
    let outputs = "{ outputs = { self, ... }: { hosts.page = ./page.nix; }; }";
    let module = format!("{{ config, lib, pkgs, name, nodes, ... }}:\n{{\n{definitions}\n}}\n");
    fs::write(fleet.path().join("cairn.nix"), outputs).unwrap();
    fs::write(fleet.path().join("page.nix"), module).unwrap();
    succeed(fleet.path(), &["check"]).map(drop)
}

fn succeed(folder: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = Command::new(cairn())
        .args(arguments)
        .current_dir(folder)
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(format!("fails:\n{}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn run_console(block: &Block, folder: &Path) -> Result<(), String> {
    let mut lines = block.text.lines().peekable();
    while let Some(line) = lines.next() {
        let command = line.strip_prefix("$ ").ok_or(format!("`{line}` follows no command"))?;
        let mut expected = Vec::new();
        while let Some(line) = lines.next_if(|line| !line.starts_with("$ ")) {
            expected.push(line);
        }
        let printed = shell(command, folder)?;
        let actual: Vec<&str> = printed.lines().collect();
        if !matches(&expected, &actual) {
            return Err(format!(
                "`{command}` prints\n{printed}\nwhere the page shows\n{}",
                expected.join("\n")
            ));
        }
    }
    Ok(())
}

fn run_pipeline(block: &Block, folder: &Path) -> Result<(), String> {
    let first = block.text.lines().next().unwrap_or_default();
    let path = first.strip_prefix("# ").ok_or("its first line does not say where it belongs")?;
    let file = folder.join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, &block.text).unwrap();
    for script in pipelines::scripts(path, &file)? {
        let printed = shell(&format!("set -e\n{script}\necho 'the script ends'"), folder)?;
        if !printed.ends_with("the script ends\n") {
            return Err(format!("`{script}` fails:\n{printed}"));
        }
    }
    Ok(())
}

/// Standard output and error as a terminal would show them, in order.
fn shell(command: &str, folder: &Path) -> Result<String, String> {
    let binaries = cairn().parent().unwrap().to_owned();
    let path = format!("{}:{}", binaries.display(), std::env::var("PATH").unwrap_or_default());
    let output = Command::new("sh")
        .args(["-c", &format!("exec 2>&1; {command}")])
        .current_dir(folder)
        .envs([("PATH", path.as_str()), ("NO_COLOR", "1"), ("COLUMNS", "100")])
        .env("HOME", folder)
        .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_NAME"), "Ada")))
        .envs(["AUTHOR", "COMMITTER"].map(|who| (format!("GIT_{who}_EMAIL"), "ada@example.org")))
        .output()
        .map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn cairn() -> PathBuf {
    cairn_tests::program()
}

/// Whether lines with `…` in them describe these lines.
fn matches(expected: &[&str], actual: &[&str]) -> bool {
    match (expected, actual) {
        ([], []) => true,
        (["…", rest @ ..], _) => {
            (0..=actual.len()).any(|skipped| matches(rest, &actual[skipped..]))
        }
        ([first, rest @ ..], [line, lines @ ..]) => {
            matches_line(first.trim_end(), line.trim_end()) && matches(rest, lines)
        }
        _ => false,
    }
}

fn matches_line(expected: &str, actual: &str) -> bool {
    let Some((before, after)) = expected.split_once('…') else { return expected == actual };
    let Some(mut rest) = actual.strip_prefix(before) else { return false };
    loop {
        if matches_line(after, rest) {
            return true;
        }
        let mut characters = rest.chars();
        if characters.next().is_none() {
            return false;
        }
        rest = characters.as_str();
    }
}
