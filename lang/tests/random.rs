//! Random well-typed programs under Cairn and under the real `nix-instantiate`: the same values, and
//! failures in the same programs.
//!
//! How many: `CAIRN_RANDOM_PROGRAMS` (10,000 by default); where they start: `CAIRN_RANDOM_SEED`.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use cairn_lang::{EvalOptions, MemoryFs, Mode, Root, Roots, VirtualPath, World, eval_expr};
use cairn_random::{Choices, Options, Program, program, shrink};

const OPTIONS: Options = Options { failing: 8, wrong: 0, dynamic: true };
/// Programs that one process of Nix is given.
const BATCH: u64 = 200;
/// Differences beyond this tell nothing new, and shrinking takes long.
const SHOWN: usize = 3;

/// How a well-typed program may fail.
const ON_PURPOSE: [&str; 4] =
    ["eval::abort", "eval::infinite-recursion", "type::json", "type::range"];

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Value(String),
    Fails,
}

/// A program whose value is printed in full even where parts of it are shared (Nix prints those as
/// `«repeated»`), and whose `throw` does not end the process.
fn wrapped(program: &Program) -> String {
    let copy = "v: if builtins.isList v then map copy v else if builtins.isAttrs v then \
                builtins.mapAttrs (_: copy) v else v";
    let caught = "value: builtins.tryEval (builtins.deepSeq value value)";
    format!("({caught}) ((let copy = {copy}; in copy) ({}\n))", program.text)
}

fn ours(text: &str) -> Result<String, String> {
    let files = MemoryFs::new([("a.nix", "1")]);
    let world = World::new(Roots::new().with(Root::Fleet, files), Mode::Eval);
    let base = VirtualPath::new(Root::Fleet, "");
    let result = eval_expr(&world, text, base.as_ref(), &EvalOptions::default());
    result.map_err(|errors| errors.into_iter().next().map(|error| error.code).unwrap_or_default())
}

/// What Nix prints for each of these texts, many in one process: one that fails ends it.
fn theirs(folder: &Path, texts: &[String]) -> Vec<Outcome> {
    let names: Vec<String> = (0..texts.len()).map(|number| format!("{number}.nix")).collect();
    for (name, text) in names.iter().zip(texts) {
        std::fs::write(folder.join(name), text).expect("written");
    }
    let mut outcomes = Vec::new();
    while outcomes.len() < texts.len() {
        let mut command = Command::new("nix-instantiate");
        command.args(["--eval", "--strict"]).args(&names[outcomes.len()..]);
        command.env("NIX_PATH", "").current_dir(folder).stderr(Stdio::null());
        let output = command.output().expect("nix-instantiate runs");
        let printed = String::from_utf8_lossy(&output.stdout);
        outcomes.extend(printed.lines().map(|line| Outcome::Value(as_printed_today(line))));
        if outcomes.len() < texts.len() {
            assert!(!output.status.success(), "Nix prints a line a program");
            outcomes.push(Outcome::Fails);
        }
    }
    outcomes
}

/// Nix 2.8 puts a backslash before every `$` of a name; later ones only before `${`, as in strings.
fn as_printed_today(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let escaped = c == '\\' && rest.len() > 1;
        if escaped && rest.starts_with("\\$") && !rest.starts_with("\\${") {
            rest = &rest[1..];
            continue;
        }
        let len = if escaped {
            1 + rest[1..].chars().next().map_or(0, char::len_utf8)
        } else {
            c.len_utf8()
        };
        out.push_str(&rest[..len]);
        rest = &rest[len..];
    }
    out
}

fn generated(seed: u64) -> (Program, Vec<u32>) {
    let mut choices = Choices::from_seed(seed, Program::DECISIONS);
    let program = program(&mut choices, &OPTIONS);
    (program, choices.made().to_vec())
}

/// Why the outcomes differ, if they do and the list of differences does not have it.
fn difference(ours: &Result<String, String>, theirs: &Outcome) -> Option<String> {
    match (ours, theirs) {
        (Ok(value), Outcome::Value(other)) if value == other => None,
        (Err(code), Outcome::Fails) if ON_PURPOSE.contains(&code.as_str()) => None,
        // Nix 2.8 wraps around.
        (Err(code), _) if code == "eval::overflow" => None,
        (ours, theirs) => Some(format!("Cairn: {ours:?}\nNix:   {theirs:?}")),
    }
}

fn shrunk(folder: &Path, seed: u64) -> String {
    let differs = |program: &Program| {
        let text = wrapped(program);
        let theirs = theirs(folder, std::slice::from_ref(&text));
        difference(&ours(&text), &theirs[0]).is_some()
    };
    let make = |choices: &mut Choices| program(choices, &OPTIONS);
    let small = make(&mut Choices::replay(shrink(&generated(seed).1, 150, make, differs)));
    let text = wrapped(&small);
    let theirs = theirs(folder, std::slice::from_ref(&text));
    let why = difference(&ours(&text), &theirs[0]).unwrap_or_default();
    format!("seed {seed}:\n{}\n{why}\n", small.text)
}

#[test]
fn gives_what_nix_gives() {
    if Command::new("nix-instantiate").arg("--version").output().is_err() {
        eprintln!("LEFT OUT: there is no nix-instantiate to compare with (Debian: nix-bin)");
        return;
    }
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let count = number("CAIRN_RANDOM_PROGRAMS").unwrap_or(10_000);
    let first = number("CAIRN_RANDOM_SEED").unwrap_or(1);
    let next = AtomicU64::new(first);
    let different = Mutex::new(Vec::new());
    let tally = Mutex::new(BTreeMap::<String, u64>::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                let folder = tempfile::tempdir().expect("a folder");
                loop {
                    let start = next.fetch_add(BATCH, Relaxed);
                    let seeds: Vec<u64> = (start..(start + BATCH).min(first + count)).collect();
                    if seeds.is_empty() {
                        break;
                    }
                    let texts: Vec<String> =
                        seeds.iter().map(|seed| wrapped(&generated(*seed).0)).collect();
                    let theirs = theirs(folder.path(), &texts);
                    for ((seed, text), theirs) in seeds.iter().zip(&texts).zip(&theirs) {
                        let ours = ours(text);
                        let how = match &ours {
                            Ok(value) if value.contains("success = false") => "thrown".to_owned(),
                            Ok(_) => "a value".to_owned(),
                            Err(code) => code.clone(),
                        };
                        *tally.lock().expect("a tally").entry(how).or_default() += 1;
                        if difference(&ours, theirs).is_some() {
                            different.lock().expect("a list").push(*seed);
                        }
                    }
                }
            });
        }
    });
    let tally = tally.into_inner().expect("a tally");
    eprintln!("{count} programs: {tally:?}");
    let mut different = different.into_inner().expect("a list");
    different.sort_unstable();
    let folder = tempfile::tempdir().expect("a folder");
    let shown: Vec<String> =
        different.iter().take(SHOWN).map(|seed| shrunk(folder.path(), *seed)).collect();
    assert!(different.is_empty(), "{} differ\n{}", different.len(), shown.join("\n"));
    let values = tally.get("a value").copied().unwrap_or_default();
    let beyond = tally.get("eval::overflow").copied().unwrap_or_default();
    assert!(values * 10 > count * 9, "most programs have a value");
    assert!(beyond * 100 < count, "few programs are beyond comparing");
}
