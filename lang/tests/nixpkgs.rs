//! Nixpkgs' own `lib` under Cairn and under the real `nix-instantiate`, and Cairn's `lib` beside it.
//!
//! `tests/nixpkgs/calls.txt` has calls of functions and what Nix gives for them with nixpkgs' `lib`, as
//! JSON; Cairn must give the same with that `lib`, and with its own. `only-nixpkgs.txt` has calls of
//! what Cairn's `lib` has not, or words otherwise. `cases/` has whole configurations.
//!
//! The copy of nixpkgs' `lib` is the folder that `CAIRN_NIXPKGS_LIB` names, or else one that cargo fetches
//! (`tests/nixpkgs/Cargo.toml`). Where there is none, Cairn's own `lib` is compared with what is recorded, and
//! the rest is left out, loudly; with `CAIRN_REQUIRE_HOSTS=1` that is a failure. `CAIRN_RECORD=1` writes
//! the recorded values anew.

#![allow(clippy::expect_used, clippy::print_stderr, clippy::panic)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cairn_lang::check::{Checker, Shape};
use cairn_lang::{
    Arena, DiskFs, EvalOptions, Evaluator, Format, Mode, Root, Roots, Severity, VirtualPath, World,
};

/// What every expression is put into: a test that an expression fails, without saying how.
const PRELUDE: &str = "fails = value: !(builtins.tryEval (builtins.deepSeq value value)).success;";
const NIXPKGS: &str = "import ./lib";
const OWN: &str = "import <cairn/lib>";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nixpkgs")
}

/// Where nixpkgs' `lib` is, and whether it is the one whose values are recorded.
fn nixpkgs() -> Result<(PathBuf, bool), String> {
    if let Some(named) = std::env::var_os("CAIRN_NIXPKGS_LIB") {
        return Ok((PathBuf::from(named), false));
    }
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["metadata", "--format-version=1", "--locked", "--manifest-path"]);
    let output =
        cargo.arg(folder().join("Cargo.toml")).output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let manifest = packages
        .filter(|package| package["name"] == "nixdoc")
        .find_map(|package| package["manifest_path"].as_str())
        .ok_or("cargo does not name the package")?;
    Ok((Path::new(manifest).with_file_name("src/tests/fixtures"), true))
}

/// A folder with a copy of nixpkgs' `lib`, the cases and the files that they read.
struct Copy {
    folder: tempfile::TempDir,
    recorded: bool,
}

/// The copy, or nothing where it or Nix cannot be had.
fn copy() -> Option<Copy> {
    let nix = Command::new("nix-instantiate").arg("--version").output();
    let nix = nix.map_err(|_| "there is no nix-instantiate (Debian: nix-bin)".to_owned());
    let (from, recorded) = match nix.and_then(|_| nixpkgs()) {
        Ok(found) => found,
        Err(why) => {
            assert!(
                std::env::var_os("CAIRN_REQUIRE_HOSTS").is_none(),
                "nixpkgs' lib cannot be compared with: {why}"
            );
            eprintln!("LEFT OUT, nixpkgs' lib (CAIRN_NIXPKGS_LIB can name a copy): {why}");
            return None;
        }
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    copy_tree(&from, &folder.path().join("lib"));
    copy_tree(&self::folder().join("cases"), &folder.path().join("cases"));
    copy_tree(&self::folder().join("data"), &folder.path().join("data"));
    let version = std::fs::read(from.join("../.version")).unwrap_or_else(|_| b"24.05".to_vec());
    std::fs::write(folder.path().join(".version"), version).expect("a file");
    Some(Copy { folder, recorded })
}

fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder to copy") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy_tree(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).expect("a file to copy");
        }
    }
}

fn cairn(folder: &Path, text: &str) -> Result<String, String> {
    let disk = DiskFs::new(folder).expect("the folder");
    let world = World::new(Roots::new().with(Root::Fleet, disk), Mode::Eval);
    let root = VirtualPath::new(Root::Fleet, "").expect("a path");
    let options = EvalOptions { format: Format::Json, ..EvalOptions::default() };
    cairn_lang::eval_expr(&world, text, Some(&root), &options).map_err(|errors| {
        let messages: Vec<_> = errors.into_iter().map(|error| error.message).collect();
        messages.join("; ")
    })
}

fn nix(folder: &Path, text: &str) -> Result<String, String> {
    let mut command = Command::new("nix-instantiate");
    command.args(["--eval", "--strict", "--json", "-E", text]).current_dir(folder);
    let output = command.env("NIX_PATH", "").stdin(Stdio::null()).output().expect("Nix runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

fn parsed(json: &str) -> serde_json::Value {
    serde_json::from_str(json).expect("JSON")
}

/// The values of all expressions, each as JSON in a string, asked for in one run.
fn all(
    lib: &str,
    calls: &[Call],
    run: impl Fn(&str) -> Result<String, String>,
) -> Vec<Result<String, String>> {
    let program = |calls: &[Call]| {
        let mut text = format!("let lib = {lib}; {PRELUDE} in [\n");
        for call in calls {
            let _ = writeln!(text, "(builtins.toJSON ({}))", call.expression);
        }
        text + "]"
    };
    let values = |text: String| -> Vec<String> { serde_json::from_str(&text).expect("strings") };
    match run(&program(calls)) {
        Ok(text) => values(text).into_iter().map(Ok).collect(),
        // One of them fails: each by itself.
        Err(_) => calls
            .iter()
            .map(|call| {
                let one = run(&program(std::slice::from_ref(call)))?;
                Ok(values(one).pop().unwrap_or_default())
            })
            .collect(),
    }
}

/// An expression and what it gives, as JSON.
struct Call {
    expression: String,
    value: String,
}

/// Expressions, each with a line `= VALUE` after it; `#` begins a remark.
fn calls(file: &str) -> Vec<Call> {
    let text = std::fs::read_to_string(folder().join(file)).expect("the file of calls");
    let mut calls: Vec<Call> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match (line.strip_prefix("= "), calls.last_mut()) {
            (Some(value), Some(call)) => value.clone_into(&mut call.value),
            _ => calls.push(Call { expression: line.to_owned(), value: String::new() }),
        }
    }
    calls
}

fn record(file: &str, values: &[Result<String, String>]) {
    let text = std::fs::read_to_string(folder().join(file)).expect("the file of calls");
    let mut values = values.iter();
    let mut out = String::new();
    for line in text.lines().filter(|line| !line.starts_with("= ")) {
        let _ = writeln!(out, "{line}");
        if !line.is_empty() && !line.starts_with('#') {
            let value = values.next().and_then(|value| value.as_ref().ok());
            let _ = writeln!(out, "= {}", value.expect("Nix evaluates it"));
        }
    }
    std::fs::write(folder().join(file), out).expect("the file is written");
}

/// What differs, one paragraph each.
fn differences(
    calls: &[Call],
    wanted: impl Fn(usize) -> String,
    found: &[Result<String, String>],
) -> String {
    let mut out = String::new();
    for (index, (call, found)) in calls.iter().zip(found).enumerate() {
        let wanted = wanted(index);
        let same = found.as_ref().is_ok_and(|found| parsed(found) == parsed(&wanted));
        if !same {
            let _ = writeln!(out, "{}\n  wanted {wanted}\n  found  {found:?}", call.expression);
        }
    }
    out
}

fn nixpkgs_gives(file: &str) {
    let Some(copy) = copy() else { return };
    let folder = copy.folder.path();
    let calls = calls(file);
    let theirs = all(NIXPKGS, &calls, |text| nix(folder, text));
    for (call, value) in calls.iter().zip(&theirs) {
        assert!(value.is_ok(), "Nix cannot evaluate {}: {value:?}", call.expression);
    }
    if std::env::var_os("CAIRN_RECORD").is_some() {
        return record(file, &theirs);
    }
    let live = |index: usize| theirs[index].clone().unwrap_or_default();
    let ours = all(NIXPKGS, &calls, |text| cairn(folder, text));
    let wrong = differences(&calls, live, &ours);
    assert!(wrong.is_empty(), "Cairn with nixpkgs' lib:\n{wrong}");
    if copy.recorded {
        let wrong = differences(&calls, |index| calls[index].value.clone(), &theirs);
        assert!(wrong.is_empty(), "what is recorded (CAIRN_RECORD=1 writes it anew):\n{wrong}");
    }
}

#[test]
fn calls_of_nixpkgs_lib_give_what_nix_gives() {
    nixpkgs_gives("calls.txt");
}

#[test]
fn calls_of_what_only_nixpkgs_has_give_what_nix_gives() {
    nixpkgs_gives("only-nixpkgs.txt");
}

#[test]
fn own_lib_gives_what_nixpkgs_lib_gives() {
    let calls = calls("calls.txt");
    assert!(calls.len() >= 380, "the calls are there");
    let ours = all(OWN, &calls, |text| cairn(&folder(), text));
    let wrong = differences(&calls, |index| calls[index].value.clone(), &ours);
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn configurations_come_out_as_under_nix() {
    let Some(copy) = copy() else { return };
    let folder = copy.folder.path();
    for case in ["host", "modules", "types"] {
        let text = format!("import ./cases/{case}.nix ({NIXPKGS})");
        let theirs = nix(folder, &text).unwrap_or_else(|error| panic!("{case} under Nix: {error}"));
        let ours = cairn(folder, &text).unwrap_or_else(|error| panic!("{case} fails: {error}"));
        assert_eq!(parsed(&ours), parsed(&theirs), "{case}");
    }
}

/// What Nix gives for a file of cases with nixpkgs' `lib`, by name; recorded anew if asked.
fn recorded(case: &str) -> serde_json::Value {
    let path = folder().join(format!("cases/{case}.json"));
    if std::env::var_os("CAIRN_RECORD").is_some()
        && let Some(copy) = copy()
    {
        let text = format!("import ./cases/{case}.nix ({NIXPKGS})");
        let theirs = nix(copy.folder.path(), &text).unwrap_or_else(|error| panic!("{error}"));
        let theirs: Vec<_> = parsed(&theirs)
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, value)| format!("  {name:?}: {value}"))
            .collect();
        std::fs::write(&path, format!("{{\n{}\n}}\n", theirs.join(",\n")))
            .expect("the file is written");
    }
    parsed(&std::fs::read_to_string(path).expect("what is recorded"))
}

/// Cairn's own modules, native, give what nixpkgs' modules give under Nix.
#[test]
fn own_modules_give_what_nixpkgs_modules_give() {
    let mut wrong = String::new();
    for case in ["modules", "types"] {
        let recorded = recorded(case);
        let cases = recorded.as_object().expect("cases by name");
        assert!(cases.len() > 60, "the cases are there");
        let calls: Vec<_> = cases
            .iter()
            .map(|(name, value)| Call {
                expression: format!("(import ./cases/{case}.nix lib).{name}"),
                value: value.to_string(),
            })
            .collect();
        let ours = all(OWN, &calls, |text| cairn(&folder(), text));
        wrong += &differences(&calls, |index| calls[index].value.clone(), &ours);
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Nixpkgs tests its functions in its own language. What fails under Nix, for want of packages and of
/// files that the copy has not, fails under Cairn; and what asks whether a path in a string is in
/// the store, for `cairn eval` shows the path itself.
#[test]
fn nixpkgs_own_tests_come_out_as_under_nix() {
    let Some(copy) = copy() else { return };
    let folder = copy.folder.path();
    let stub = r#"{ ... }: { lib = import ./lib; hello = { type = "derivation"; name = "hello"; outPath = "/hello"; }; }"#;
    std::fs::write(folder.join("default.nix"), stub).expect("a file");
    for name in ["expected.plist", "expected.lua", "expected"] {
        for test in ["test-to-plist", "test-to-lua"] {
            std::fs::write(folder.join(format!("lib/tests/{test}-{name}")), "").expect("a file");
        }
    }
    // `tests/misc.nix` builds two derivations to look at their names.
    let misc = r#"map (failed: failed.name) (builtins.scopedImport {
        derivation = args: args // { type = "derivation"; outPath = "/${args.name}"; drvPath = "/${args.name}.drv"; };
    } ./lib/tests/misc.nix)"#;
    let paths = "import ./lib/path/tests/unit.nix { libpath = ./lib; }";
    let text = format!("[ ({paths}) ({misc}) ]");
    let theirs = nix(folder, &text).unwrap_or_else(|error| panic!("under Nix: {error}"));
    let ours = cairn(folder, &text).unwrap_or_else(|error| panic!("{error}"));
    let ours = ours.replace("\"testHasInfixPathStoreDir\",", "");
    assert_eq!(parsed(&ours), parsed(&theirs));
}

/// Files of a folder, those below it too, as the language names them.
fn sources(folder: &Path, name: &str, into: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        let name = format!("{name}/{}", entry.file_name().to_string_lossy());
        match entry.file_type().expect("a type").is_dir() {
            // Those of its own tests are wrong on purpose, some of them.
            true if name == "lib/tests" => {}
            true => sources(&entry.path(), &name, into),
            false if name.ends_with(".nix") => into.push(name),
            false => {}
        }
    }
}

#[test]
fn the_checker_finds_nothing_in_it() {
    let Some(copy) = copy() else { return };
    let mut files = Vec::new();
    sources(&copy.folder.path().join("lib"), "lib", &mut files);
    assert!(files.len() > 30, "{} files", files.len());
    let disk = DiskFs::new(copy.folder.path()).expect("the folder");
    let world = World::new(Roots::new().with(Root::Fleet, disk), Mode::Eval);
    let arena = Arena::new();
    let eval = Evaluator::new(&arena, &world);
    let checker = Checker::plain(&eval);
    for file in &files {
        checker.check_file(&VirtualPath::new(Root::Fleet, file).expect("a path"), &Shape::Any);
    }
    let found = checker.finish();
    // There is no store here: that is said where one is asked for.
    let wrong = found
        .iter()
        .filter(|error| error.severity == Severity::Error && error.code != "name::unavailable");
    let errors = wrong.map(|error| {
        let file = world.sources.get(error.span.file).map(|file| file.name.clone());
        let text = world.sources.text(error.span).unwrap_or_default();
        format!("{} in {file:?} at `{text}`: {}", error.code, error.message)
    });
    let errors: Vec<_> = errors.collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}
