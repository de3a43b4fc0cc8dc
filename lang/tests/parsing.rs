//! Programs with a few tokens or characters changed: Cairn takes those that `nix-instantiate --parse`
//! takes, and no others.
//!
//! How many: `CAIRN_PARSED_TEXTS` (300 by default: most need a process of Nix each); where they
//! start: `CAIRN_RANDOM_SEED`.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr)]

use std::path::Path;
use std::process::{Command, Stdio};

use cairn_lang::{MemoryFs, Mode, Root, Roots, VirtualPath, World};
use cairn_random::{Choices, Corpus, Kind, Options, program, shrink_text};

/// Texts that one process of Nix is given.
const BATCH: usize = 100;

/// The code of what is wrong with a text.
fn ours(text: &str) -> Result<(), String> {
    let files = MemoryFs::new([("a.nix", "1")]);
    let world = World::new(Roots::new().with(Root::Fleet, files), Mode::Eval);
    let base = VirtualPath::new(Root::Fleet, "");
    let tree = world.tree_of_text("<text>", text, base.as_ref());
    tree.map(drop).map_err(|errors| errors.into_iter().next().map_or_else(String::new, |e| e.code))
}

/// Which of these texts Nix takes; one that it refuses ends the process.
fn theirs(folder: &Path, texts: &[&str]) -> Vec<bool> {
    let names: Vec<String> = (0..texts.len()).map(|number| format!("{number}.nix")).collect();
    for (name, text) in names.iter().zip(texts) {
        std::fs::write(folder.join(name), text).expect("written");
    }
    let mut taken = Vec::new();
    while taken.len() < texts.len() {
        let mut command = Command::new("nix-instantiate");
        command.arg("--parse").args(&names[taken.len()..]).current_dir(folder);
        let output = command.env("NIX_PATH", "").stderr(Stdio::null()).output().expect("Nix runs");
        // Each is printed on a line, in which strings have no line ends of their own.
        let printed = String::from_utf8_lossy(&output.stdout);
        taken.extend(printed.lines().map(|_| true));
        if taken.len() < texts.len() {
            taken.push(false);
        }
    }
    taken
}

/// Whether the list of differences has why Cairn refuses a text.
fn is_listed(code: &str, text: &str) -> bool {
    matches!(code, "name::unavailable" | "name::search-path" | "file::outside" | "syntax::too-deep")
        || text.contains('\0')
}

#[test]
fn takes_what_nix_takes() {
    if Command::new("nix-instantiate").arg("--version").output().is_err() {
        eprintln!("LEFT OUT: there is no nix-instantiate to compare with (Debian: nix-bin)");
        return;
    }
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let count = number("CAIRN_PARSED_TEXTS").unwrap_or(300);
    let first = number("CAIRN_RANDOM_SEED").unwrap_or(1);
    let mut corpus = Corpus::new([]);
    let failing = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/failing.txt");
    std::fs::read_to_string(failing)
        .expect("the failing cases")
        .lines()
        .for_each(|l| corpus.add(l));
    for seed in 0..200 {
        let mut choices = Choices::from_seed(seed, 100);
        corpus.add(&program(&mut choices, &Options { failing: 0, wrong: 0, dynamic: true }).text);
    }
    let texts: Vec<String> = (first..first + count)
        .map(|seed| {
            let mut choices = Choices::from_seed(seed, 1000);
            let kind = choices.pick(&[Kind::Tokens, Kind::Characters, Kind::Tokens]);
            corpus.text_of(kind, &mut choices)
        })
        .collect();
    let folder = tempfile::tempdir().expect("a folder");
    // Those that both take need few processes.
    let (good, bad): (Vec<&str>, Vec<&str>) =
        texts.iter().map(String::as_str).partition(|text| ours(text).is_ok());
    let mut different = Vec::new();
    let batches = good.chunks(BATCH).chain(bad.chunks(BATCH));
    for batch in batches {
        for (text, taken) in batch.iter().zip(theirs(folder.path(), batch)) {
            let ours = ours(text);
            let listed = ours.as_ref().err().is_some_and(|code| is_listed(code, text));
            if ours.is_ok() != taken && !listed {
                different.push((*text, ours));
            }
        }
    }
    eprintln!("{} taken by Cairn, {} refused; {} differ", good.len(), bad.len(), different.len());
    let shown = different.iter().take(25).map(|(text, first)| {
        let same = |text: &str| {
            let now = ours(text);
            now == *first && theirs(folder.path(), &[text]) != [now.is_ok()]
        };
        let small = shrink_text(text, 60, same);
        format!("Cairn: {first:?}, Nix the other way: {small:?}")
    });
    assert!(different.is_empty(), "{}", shown.collect::<Vec<_>>().join("\n"));
}
