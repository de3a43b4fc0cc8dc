//! The same programs under Cairn and under the real `nix-instantiate`: what it prints, we print;
//! where it fails, we fail.

#![allow(clippy::expect_used, clippy::print_stderr)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cairn_lang::{DiskFs, EvalOptions, Mode, Root, Roots, VirtualPath, World};

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

fn world() -> World {
    let disk = DiskFs::new(&cases()).expect("the folder of cases");
    World::new(Roots::new().with(Root::Fleet, disk), Mode::Eval)
}

fn root() -> VirtualPath {
    VirtualPath::new(Root::Fleet, "").expect("a path")
}

/// What `nix-instantiate` prints, or nothing where it fails.
fn nix(args: &[&str]) -> Option<String> {
    let mut command = Command::new("nix-instantiate");
    command.args(["--eval", "--strict"]).args(args).current_dir(cases());
    command.env("NIX_PATH", "").stderr(Stdio::null());
    let output = command.output().expect("nix-instantiate runs");
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

fn has_nix() -> bool {
    let found = Command::new("nix-instantiate").arg("--version").output().is_ok();
    if !found {
        eprintln!("LEFT OUT: there is no nix-instantiate to compare with (Debian: nix-bin)");
    }
    found
}

#[test]
fn prints_what_nix_prints() {
    if !has_nix() {
        return;
    }
    let mut names: Vec<_> = std::fs::read_dir(cases())
        .expect("the folder of cases")
        .filter_map(|entry| entry.expect("an entry").file_name().into_string().ok())
        .filter(|name| name.ends_with(".nix"))
        .collect();
    names.sort();
    assert!(names.len() >= 14, "the cases are there");
    let world = world();
    for name in names {
        let path = VirtualPath::new(Root::Fleet, &name).expect("a path");
        let ours = cairn_lang::eval_file(&world, &path, &EvalOptions::default());
        let ours = ours.unwrap_or_else(|errors| panic!("{name} fails: {errors:#?}"));
        let theirs = nix(&[&name]).unwrap_or_else(|| panic!("{name} fails under Nix"));
        let by_word = |text: &str| text.replace(' ', "\n");
        assert_eq!(by_word(&ours), by_word(&theirs), "{name}");
    }
}

#[test]
fn fails_where_nix_fails() {
    let compare = has_nix();
    let text = std::fs::read_to_string(cases().join("failing.txt")).expect("the failing cases");
    let mut wrong = Vec::new();
    for line in text.lines() {
        match cairn_lang::eval_expr(&world(), line, Some(&root()), &EvalOptions::default()) {
            Ok(value) => wrong.push(format!("{line}\n  gives {value}")),
            Err(errors) if errors.is_empty() => wrong.push(format!("{line}\n  says nothing")),
            Err(errors) => wrong.extend(
                errors
                    .iter()
                    .filter(|error| error.span.is_none())
                    .map(|error| format!("{line}\n  has no place: {}", error.message)),
            ),
        }
        if let Some(value) = compare.then(|| nix(&["-E", line])).flatten() {
            wrong.push(format!("{line}\n  gives {value} under Nix"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
