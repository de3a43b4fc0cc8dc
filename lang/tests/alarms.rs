//! No false alarm: programs that are well typed by construction are accepted by the checker.
//!
//! How many: `CAIRN_RANDOM_PROGRAMS` (2,000 by default); where they start: `CAIRN_RANDOM_SEED`.

#![allow(clippy::expect_used, clippy::panic)]

use cairn_lang::check::{Checker, Shape};
use cairn_lang::{Arena, Evaluator, MemoryFs, Mode, Root, Roots, Severity, VirtualPath, World};
use cairn_random::{Choices, Options, Program, program};

const OPTIONS: Options = Options { failing: 0, dynamic: true };
/// Programs that one world holds.
const BATCH: u64 = 200;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
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
