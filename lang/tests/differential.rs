//! The same programs under Cairn and under the real `nix-instantiate`: what it prints, we print;
//! where it fails, we fail.
//!
//! A `.nix` file of the cases is one program. In a `.txt` file each line is an expression, `! ` before
//! it says that it fails, and `#` starts a comment. `newer.txt` holds what current Nix does and 2.8
//! does not, with what it gives.

#![allow(clippy::expect_used, clippy::print_stderr)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use cairn_lang::{DiskFs, EvalOptions, Mode, Root, Roots, VirtualPath, World};

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

fn world() -> World {
    let disk = DiskFs::new(&cases()).expect("the folder of cases");
    World::new(Roots::new().with(Root::Fleet, disk), Mode::Eval)
}

fn cairn(world: &World, expression: &str) -> Result<String, Vec<String>> {
    let root = VirtualPath::new(Root::Fleet, "").expect("a path");
    let value = cairn_lang::eval_expr(world, expression, Some(&root), &EvalOptions::default());
    value.map_err(|errors| {
        assert!(!errors.is_empty(), "{expression} fails and says nothing");
        for error in &errors {
            assert!(!error.span.is_none(), "{expression} has no place: {}", error.message);
        }
        errors.into_iter().map(|error| format!("{}: {}", error.code, error.message)).collect()
    })
}

/// What `nix-instantiate` prints, or nothing where it fails.
fn nix(args: &[&str]) -> Option<String> {
    let mut command = Command::new("nix-instantiate");
    command.args(["--eval", "--strict"]).args(args).current_dir(cases());
    command.env("NIX_PATH", "").stderr(Stdio::null());
    let output = command.output().expect("nix-instantiate runs");
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}

/// An expression as an argument: a blank keeps one that starts with `-` from being an option.
fn argument(expression: &str) -> String {
    let blank = if expression.starts_with('-') { " " } else { "" };
    format!("{blank}{expression}")
}

fn nix_expression(expression: &str) -> Option<String> {
    nix(&["-E", &argument(expression)])
}

fn has_nix() -> bool {
    let found = Command::new("nix-instantiate").arg("--version").output().is_ok();
    if !found {
        eprintln!("LEFT OUT: there is no nix-instantiate to compare with (Debian: nix-bin)");
    }
    found
}

/// Runs `work` for each item, a few at a time, and gathers what is wrong.
fn each<T: Sync>(items: &[T], work: impl Fn(&T) -> Option<String> + Sync) -> Vec<String> {
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = work(item);
                    wrong.lock().expect("no panic holds it").extend(found);
                }
            });
        }
    });
    let mut wrong = wrong.into_inner().expect("no panic holds it");
    wrong.sort();
    wrong
}

fn files(ending: &str) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(cases())
        .expect("the folder of cases")
        .filter_map(|entry| entry.expect("an entry").file_name().into_string().ok())
        .filter(|name| name.ends_with(ending))
        .collect();
    names.sort();
    names
}

fn lines(file: &str) -> Vec<String> {
    let text = std::fs::read_to_string(cases().join(file)).expect("the file of cases");
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(str::to_owned).collect()
}

/// Every expression that both are asked for, and whether it fails.
fn expressions() -> Vec<(String, bool)> {
    let files = files(".txt").into_iter().filter(|file| file != "newer.txt");
    let lines = files.flat_map(|file| lines(&file));
    let all = lines.map(|line| match line.strip_prefix("! ") {
        Some(failing) => (failing.to_owned(), true),
        None => (line, false),
    });
    all.collect()
}

#[test]
fn files_print_what_nix_prints() {
    if !has_nix() {
        return;
    }
    let names = files(".nix");
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
fn expressions_give_what_nix_gives() {
    let compare = has_nix();
    let good: Vec<String> =
        expressions().into_iter().filter(|(_, fails)| !fails).map(|(text, _)| text).collect();
    assert!(good.len() >= 800, "the cases are there");
    let world = world();
    // Many to a process, which prints a line for each.
    let wrong = each(&good.chunks(100).collect::<Vec<_>>(), |chunk| {
        let mut theirs = Vec::new();
        if compare {
            let texts: Vec<String> = chunk.iter().map(|text| argument(text)).collect();
            let mut args = vec!["-E"];
            args.extend(texts.iter().map(String::as_str));
            let Some(printed) = nix(&args) else {
                let failing = chunk.iter().filter(|text| nix_expression(text).is_none());
                return Some(format!("these fail under Nix: {:#?}", failing.collect::<Vec<_>>()));
            };
            theirs = printed.lines().map(str::to_owned).collect();
            assert_eq!(theirs.len(), chunk.len(), "a line for each");
        }
        let mut wrong = String::new();
        for (index, text) in chunk.iter().enumerate() {
            match (cairn(&world, text), theirs.get(index)) {
                (Ok(ours), Some(theirs)) if ours != *theirs => {
                    wrong.push_str(&format!("{text}\n  gives {ours}\n  Nix   {theirs}\n"));
                }
                (Err(errors), _) => {
                    wrong.push_str(&format!("{text}\n  fails: {}\n", errors.join("; ")));
                }
                _ => {}
            }
        }
        (!wrong.is_empty()).then_some(wrong)
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn expressions_fail_where_nix_fails() {
    let compare = has_nix();
    let failing: Vec<String> =
        expressions().into_iter().filter(|(_, fails)| *fails).map(|(text, _)| text).collect();
    assert!(failing.len() >= 400, "the cases are there");
    let world = world();
    let wrong = each(&failing, |text| {
        if let Ok(value) = cairn(&world, text) {
            return Some(format!("{text}\n  gives {value}"));
        }
        let theirs = compare.then(|| nix_expression(text)).flatten()?;
        Some(format!("{text}\n  gives {theirs} under Nix"))
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_newer_is_as_current_nix_has_it() {
    let compare = has_nix();
    let world = world();
    let wrong = each(&lines("newer.txt"), |line| {
        let (text, expected) = match line.strip_prefix("! ") {
            Some(failing) => (failing, None),
            None => line.rsplit_once(" => ").map(|(text, value)| (text, Some(value)))?,
        };
        let ours = cairn(&world, text);
        if ours.as_deref().ok() != expected {
            return Some(format!("{text}\n  gives {ours:?}, not {expected:?}"));
        }
        let theirs = compare.then(|| nix_expression(text))?;
        // A builtin that 2.8 does not have fails there, whatever is asked of it.
        let same = theirs.as_deref() == expected && expected.is_some();
        same.then(|| format!("{text}\n  is no news: Nix 2.8 gives that"))
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Builtins of Nix that Cairn refuses, each with a reason of its own.
const REFUSED: [&str; 22] = [
    "currentSystem",
    "currentTime",
    "derivation",
    "derivationStrict",
    "exec",
    "fetchClosure",
    "fetchFinalTree",
    "fetchGit",
    "fetchMercurial",
    "fetchTarball",
    "fetchTree",
    "fetchurl",
    "filterSource",
    "flakeRefToString",
    "getFlake",
    "importNative",
    "outputOf",
    "parseFlakeRef",
    "path",
    "placeholder",
    "storePath",
    "toFile",
];

#[test]
fn what_is_left_out_says_why() {
    let world = world();
    for name in REFUSED {
        assert_eq!(cairn(&world, &format!("builtins ? {name}")), Ok("false".to_owned()));
        for text in [format!("builtins.{name}"), format!("with builtins; __{name}")] {
            let global = ["derivation", "derivationStrict", "placeholder"].contains(&name)
                || (name.starts_with("fetch") && !matches!(name, "fetchClosure" | "fetchurl"));
            if text.contains("__") && global {
                continue;
            }
            let said = cairn(&world, &text).expect_err(name).join("; ");
            assert!(said.starts_with("name::unavailable: there is no `"), "{text}: {said}");
        }
    }
    let said = cairn(&world, "builtins.getEnv \"HOME\"").expect_err("no environment").join("; ");
    assert!(said.starts_with("name::unavailable: there is no variable `HOME`"), "{said}");
}

#[test]
fn every_builtin_has_its_cases() {
    let mut names: Vec<String> = Vec::new();
    let world = world();
    let ours = cairn(&world, "builtins.concatStringsSep \" \" (builtins.attrNames builtins)");
    let theirs = has_nix().then(|| nix_expression("toString (builtins.attrNames builtins)"));
    for text in [ours.ok(), theirs.flatten()].into_iter().flatten() {
        names.extend(text.trim_matches('"').split(' ').map(str::to_owned));
    }
    names.sort();
    names.dedup();
    assert!(names.len() > 110, "the builtins are there");
    let mut cases = expressions();
    for line in lines("newer.txt") {
        cases.push((line.trim_start_matches("! ").to_owned(), line.starts_with("! ")));
    }
    let constants = ["builtins", "currentSystem", "currentTime", "false", "langVersion", "nixPath"];
    let constants =
        [&constants[..], &["nixVersion", "null", "storeDir", "true", "getEnv"]].concat();
    // What takes anything at all and never fails by itself.
    let total = ["break", "traceVerbose", "trace"];
    let mut missing = Vec::new();
    for name in &names {
        if REFUSED.contains(&name.as_str()) {
            continue;
        }
        let word = format!("builtins.{name}");
        let asks = |text: &str| {
            text.match_indices(&word).any(|(at, _)| {
                let next = text[at + word.len()..].chars().next();
                !next.is_some_and(|c| c.is_ascii_alphanumeric() || c == '\'')
            })
        };
        let count = |fails| cases.iter().filter(|(text, is)| *is == fails && asks(text)).count();
        let needs_failing = !constants.contains(&name.as_str()) && !total.contains(&name.as_str());
        if count(false) == 0
            && !constants.contains(&name.as_str())
            && name != "addDrvOutputDependencies"
        {
            missing.push(format!("{name}: no case that succeeds"));
        }
        if needs_failing && count(true) == 0 {
            missing.push(format!("{name}: no case that fails"));
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn pipe_operators_need_their_feature() {
    let refused = cairn(&world(), "1 |> (x: x)").expect_err("not enabled").join("; ");
    assert!(refused.starts_with("syntax::pipe"), "{refused}");
    let mut world = world();
    assert!(world.features.enable("pipe-operators"));
    assert!(!world.features.enable("flakes"));
    let cases = [
        ("[ 1 2 ] |> map (x: x + 1) |> builtins.head", Ok("2")),
        ("toString <| builtins.length <| [ 1 2 ]", Ok("\"2\"")),
        ("1 + 1 |> toString", Ok("\"2\"")),
        ("false -> true |> builtins.typeOf", Ok("\"bool\"")),
        ("let f = x: y: [ x y ]; in 1 |> f 2", Ok("[ 2 1 ]")),
        ("let f = x: y: [ x y ]; in f 1 <| 2", Ok("[ 1 2 ]")),
        ("(1 |> toString) + \"a\"", Ok("\"1a\"")),
        ("[ (1 |> toString) ]", Ok("[ \"1\" ]")),
        ("(toString <| 1) |> builtins.typeOf", Ok("\"string\"")),
        ("toString <| 1 |> toString", Err(())),
        ("1 |> toString <| 2", Err(())),
        ("1 |> x: x", Err(())),
        ("1 |> 2", Err(())),
        ("|> 2", Err(())),
    ];
    for (text, expected) in cases {
        let ours = cairn(&world, text);
        let expected = expected.map(str::to_owned);
        assert_eq!(ours.map_err(|_| ()), expected, "{text}");
    }
}
