//! The checker on random programs.
//!
//! No false alarm: programs that are well typed by construction are accepted. And no promise that is
//! not kept: a program that is accepted, and of which everything is known, never fails by a wrong type
//! when it is evaluated. So that this can fail, most programs there have one expression of a wrong type.
//!
//! How many: `CAIRN_RANDOM_PROGRAMS` (2,000 by default); where they start: `CAIRN_RANDOM_SEED`.

#![allow(clippy::expect_used, clippy::panic, clippy::print_stderr)]

use cairn_lang::check::{Checker, Shape};
use cairn_lang::{
    Arena, EvalOptions, Evaluator, MemoryFs, Mode, Root, Roots, Severity, VirtualPath, World,
    eval_file,
};
use cairn_random::{Choices, Options, Program, program, shrink};

const OPTIONS: Options = Options { failing: 0, wrong: 0, dynamic: true };
const MOSTLY_WRONG: Options = Options { failing: 0, wrong: 90, dynamic: false };
/// Programs that one world holds.
const BATCH: u64 = 200;
/// Failures beyond this tell nothing new, and shrinking takes long.
const SHOWN: usize = 3;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// How the checker's word and evaluation go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// An error was reported; or the text is none.
    Reported,
    /// Something is not known of it, and it does not fail by a type.
    Doubted,
    /// Something is not known of it, and it fails by a type.
    Missed,
    /// All is known, and it does not fail by a type.
    Kept,
    /// All is known, it is accepted, and it fails by a type.
    Broken,
}

/// Whether an error is one that types rule out.
fn is_about_types(code: &str) -> bool {
    let values = ["type::range", "type::json", "type::empty", "type::regex"];
    (code.starts_with("type::") || code.starts_with("name::")) && !values.contains(&code)
}

fn outcome(eval: &Evaluator<'_>, world: &World, path: &VirtualPath) -> Outcome {
    let (found, doubt) = Checker::examine(eval, path);
    let wrong = found.iter().any(|found| found.severity == Severity::Error);
    if wrong || world.tree(path, cairn_lang::Span::NONE).is_err() {
        return Outcome::Reported;
    }
    let fails = match eval_file(world, path, &EvalOptions::default()) {
        Err(errors) => errors.iter().any(|error| is_about_types(&error.code)),
        Ok(_) => false,
    };
    match (doubt.is_some(), fails) {
        (true, false) => Outcome::Doubted,
        (true, true) => Outcome::Missed,
        (false, false) => Outcome::Kept,
        (false, true) => Outcome::Broken,
    }
}

fn outcome_of(text: &str) -> Outcome {
    let files = MemoryFs::new([("a.nix", text)]);
    let world = World::new(Roots::new().with(Root::Fleet, files), Mode::Eval);
    let arena = Arena::new();
    let eval = Evaluator::new(&arena, &world);
    outcome(&eval, &world, &VirtualPath::new(Root::Fleet, "a.nix").expect("a path"))
}

fn generated(seed: u64) -> (Program, Vec<u32>) {
    let mut choices = Choices::from_seed(seed, Program::DECISIONS);
    let program = program(&mut choices, &MOSTLY_WRONG);
    (program, choices.made().to_vec())
}

/// A small program of the same fault.
fn shrunk(seed: u64) -> String {
    let make = |choices: &mut Choices| program(choices, &MOSTLY_WRONG);
    let broken = |program: &Program| outcome_of(&program.text) == Outcome::Broken;
    let small = shrink(&generated(seed).1, 400, make, broken);
    let text = make(&mut Choices::replay(small)).text;
    let files = MemoryFs::new([("a.nix", text.as_str())]);
    let world = World::new(Roots::new().with(Root::Fleet, files), Mode::Eval);
    let path = VirtualPath::new(Root::Fleet, "a.nix").expect("a path");
    let why = eval_file(&world, &path, &EvalOptions::default());
    let why = why.err().into_iter().flatten().map(|error| error.message).collect::<Vec<_>>();
    format!("seed {seed}:\n{text}\n{}", why.join("; "))
}

#[test]
fn what_is_accepted_without_a_doubt_never_fails_by_a_type() {
    let count = number("CAIRN_RANDOM_PROGRAMS", 2000);
    let first = number("CAIRN_RANDOM_SEED", 0);
    let (mut tally, mut broken) = ([0_u64; 5], Vec::new());
    for start in (first..first + count).step_by(BATCH as usize) {
        let seeds: Vec<u64> = (start..(start + BATCH).min(first + count)).collect();
        let texts = seeds.iter().map(|seed| (format!("{seed}.nix"), generated(*seed).0.text));
        let texts: Vec<_> = texts.collect();
        let files = texts.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        let world = World::new(Roots::new().with(Root::Fleet, MemoryFs::new(files)), Mode::Eval);
        let arena = Arena::new();
        let eval = Evaluator::new(&arena, &world);
        for (seed, (name, _)) in seeds.iter().zip(&texts) {
            let path = VirtualPath::new(Root::Fleet, name).expect("a path");
            let outcome = outcome(&eval, &world, &path);
            tally[outcome as usize] += 1;
            if outcome == Outcome::Broken {
                broken.push(*seed);
            }
        }
    }
    let [reported, doubted, missed, kept, _] = tally;
    eprintln!(
        "{count} programs: {kept} sure, {reported} reported, {} not wholly known, of which {missed} \
         fail by a type",
        doubted + missed
    );
    let shown: Vec<_> = broken.iter().take(SHOWN).map(|seed| shrunk(*seed)).collect();
    assert!(broken.is_empty(), "{} broken\n{}", broken.len(), shown.join("\n"));
    assert!(kept * 3 > count && reported * 20 > count, "the programs say little");
}

#[test]
fn well_typed_programs_are_accepted() {
    let count = number("CAIRN_RANDOM_PROGRAMS", 2000);
    let first = number("CAIRN_RANDOM_SEED", 0);
    for start in (first..first + count).step_by(BATCH as usize) {
        let end = (start + BATCH).min(first + count);
        let texts = (start..end).map(|seed| {
            let mut choices = Choices::from_seed(seed, Program::DECISIONS);
            (format!("{seed}.nix"), program(&mut choices, &OPTIONS).text)
        });
        let texts: Vec<_> = texts.collect();
        let files = texts.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        let roots = Roots::new().with(Root::Fleet, MemoryFs::new(files));
        let world = World::new(roots, Mode::Eval);
        let arena = Arena::new();
        let eval = Evaluator::new(&arena, &world);
        let checker = Checker::plain(&eval);
        for (name, _) in &texts {
            let path = VirtualPath::new(Root::Fleet, name).expect("a path");
            checker.check_file(&path, &Shape::Any);
        }
        let found = checker.finish();
        let errors = found.iter().filter(|found| found.severity == Severity::Error);
        let told = errors.map(|error| {
            let file = world.sources.get(error.span.file).map(|file| file.name.clone());
            let text = world.sources.text(error.span).unwrap_or_default();
            format!("{} in {file:?} at `{text}`: {}", error.code, error.message)
        });
        let told: Vec<_> = told.collect();
        assert!(told.is_empty(), "{}", told.join("\n"));
    }
}
