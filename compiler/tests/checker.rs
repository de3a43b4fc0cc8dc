//! The checker on whole fleets: the literate cases in `check/`, each a fleet in memory.
#![allow(clippy::expect_used, clippy::panic, reason = "a test program")]

use cairn_compiler::{Fleet, Report};
use cairn_lang::{Features, MemoryFs, Severity, Span};

/// A section of a file of cases.
struct Case {
    title: String,
    /// What is expected: a code, and `off` where evaluation never comes by.
    expected: Vec<String>,
    /// Name and text of each file.
    files: Vec<(String, String)>,
}

fn read(file: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/check");
    std::fs::read_to_string(format!("{folder}/{file}")).expect("cases")
}

fn cases(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(title) = line.strip_prefix("## ") {
            cases.push(Case { title: title.to_owned(), expected: Vec::new(), files: Vec::new() });
        }
        let (Some(info), Some(case)) = (line.strip_prefix("```nix"), cases.last_mut()) else {
            continue;
        };
        case.expected.extend(info.split_whitespace().map(str::to_owned));
        let body: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
        let name = body.first().and_then(|line| line.strip_prefix("# "));
        let name = name.filter(|name| name.ends_with(".nix")).unwrap_or("host.nix");
        case.files.push((name.to_owned(), format!("{}\n", body.join("\n"))));
    }
    cases
}

/// A marked place: its file, its first byte and the one after its last.
type Marked = (String, usize, usize);

const FLEET: &str = "{ outputs = { ... }: { hosts.demo = ./host.nix; }; }\n";

impl Case {
    /// The files without marks, and the marked place: file, first and last byte.
    fn unmarked(&self) -> (Vec<(String, String)>, Option<Marked>) {
        let mut place = None;
        let files = self.files.iter().map(|(name, text)| {
            if let (Some(start), Some(end)) = (text.find('⟨'), text.find('⟩')) {
                place = Some((name.clone(), start, end - '⟨'.len_utf8()));
            }
            (name.clone(), text.replace(['⟨', '⟩'], ""))
        });
        (files.collect(), place)
    }

    fn check(&self) -> Report {
        let (files, _) = self.unmarked();
        let named = files.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        let fleet = Fleet::load(
            MemoryFs::new(named.chain([("cairn.nix", FLEET)])),
            &[],
            Features::default(),
        );
        let fleet = fleet.unwrap_or_else(|report| panic!("{}: {}", self.title, told(&report)));
        fleet.check(&fleet.hosts())
    }

    /// What is not as the case says.
    fn failure(&self) -> Option<String> {
        let report = self.check();
        let errors = report.diagnostics.iter().filter(|found| found.severity == Severity::Error);
        let errors: Vec<_> = errors.collect();
        let (_, place) = self.unmarked();
        let right = match (&errors[..], self.expected.first(), place) {
            ([], None, None) => true,
            ([error], Some(code), Some((name, start, end))) => {
                let file = report.sources.get(error.span.file).expect("a file");
                let Span { start: from, end: to, .. } = error.span;
                error.code == *code
                    && file.name == name
                    && (from as usize, to as usize) == (start, end)
            }
            _ => false,
        };
        (!right).then(|| format!("{}:\n{}", self.title, told(&report)))
    }
}

fn told(report: &Report) -> String {
    let each = report.diagnostics.iter().map(|found| {
        let text = report.sources.text(found.span).unwrap_or_default();
        format!("  {} at `{text}`: {}\n", found.code, found.message)
    });
    each.collect()
}

fn all_right(cases: &[Case]) {
    let failures: Vec<_> = cases.iter().filter_map(Case::failure).collect();
    assert!(failures.is_empty(), "{} fail\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn mistakes_are_found() {
    let files = ["definitions.md", "expressions.md", "calls.md"];
    let all: Vec<_> = files.into_iter().flat_map(|file| cases(&read(file))).collect();
    let off = all.iter().filter(|case| case.expected.iter().any(|word| word == "off")).count();
    assert!(all.len() >= 50 && off * 2 >= all.len(), "{} cases, {off} off", all.len());
    all_right(&all);
}

#[test]
fn right_programs_are_left_alone() {
    all_right(&cases(&read("right.md")));
}

#[test]
fn names_that_deserve_a_look() {
    let case = Case {
        title: "warnings".to_owned(),
        expected: Vec::new(),
        files: vec![(
            "host.nix".to_owned(),
            "{ lib, ... }: let range = 1; spare = 2; in with lib; { _module.args.a = range; }\n"
                .to_owned(),
        )],
    };
    let report = case.check();
    assert!(!report.has_errors(), "{}", told(&report));
    let codes: Vec<_> = report.diagnostics.iter().map(|found| found.code.as_str()).collect();
    assert_eq!(codes, ["name::unused", "name::hidden"], "{}", told(&report));
}
