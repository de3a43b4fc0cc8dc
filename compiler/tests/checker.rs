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

/// The files of mistakes.
const MISTAKES: [&str; 6] =
    ["definitions.md", "expressions.md", "calls.md", "literals.md", "library.md", "modules.md"];

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
        let twice = case.files.iter().any(|(known, _)| known == name);
        assert!(!twice, "{}: {name} is there twice", case.title);
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
        let fleet = MemoryFs::new([("cairn.nix", FLEET)].into_iter().chain(named));
        let fleet = Fleet::load(fleet, &[], Features::default());
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

fn are_found(file: &str) {
    all_right(&cases(&read(file)));
}

#[test]
fn mistakes_in_definitions() {
    are_found("definitions.md");
}

#[test]
fn mistakes_in_expressions() {
    are_found("expressions.md");
}

#[test]
fn mistakes_in_calls() {
    are_found("calls.md");
}

#[test]
fn mistakes_in_literals() {
    are_found("literals.md");
}

#[test]
fn mistakes_about_the_library() {
    are_found("library.md");
}

#[test]
fn mistakes_in_modules() {
    are_found("modules.md");
}

#[test]
fn right_programs_are_left_alone() {
    all_right(&cases(&read("right.md")));
}

#[test]
fn right_programs_of_several_parts_are_left_alone() {
    all_right(&cases(&read("hard.md")));
}

#[test]
fn the_standard_modules_are_left_alone() {
    let files = [("cairn.nix", FLEET), ("host.nix", "{ }\n")];
    let fleet = Fleet::load(MemoryFs::new(files), &[], Features::default());
    let fleet = fleet.unwrap_or_else(|report| panic!("{}", told(&report)));
    let report = fleet.check_standard(&fleet.hosts());
    assert!(report.diagnostics.is_empty(), "{}", told(&report));
}

#[test]
fn there_are_many_of_them() {
    let all = |files: &[&str]| -> Vec<Case> {
        files.iter().flat_map(|file| cases(&read(file))).collect()
    };
    let mistakes = all(&MISTAKES);
    let off = mistakes.iter().filter(|case| case.expected.iter().any(|word| word == "off"));
    let off = off.count();
    assert!(mistakes.len() >= 120 && off * 2 >= mistakes.len(), "{} {off}", mistakes.len());
    let right = all(&["right.md", "hard.md"]).len();
    assert!(right >= 60, "{right} right programs");
}

#[test]
fn words() {
    let files = |text: &str| vec![("host.nix".to_owned(), text.to_owned())];
    let told = |text: &str| {
        let case = Case { title: String::new(), expected: Vec::new(), files: files(text) };
        told(&case.check())
    };
    insta::assert_snapshot!(
        told("{ lib, ... }: { services.openssh.enable = lib.mkMerge [ (lib.mkDefault \"yes\") (lib.mkForce false) ]; }"),
        @r#"  type::mismatch at `"yes"`: `services.openssh.enable` takes a boolean, found the string "yes""#
    );
    insta::assert_snapshot!(
        told("{ lib, ... }: { environment.etc = lib.mkIf false (lib.listToAttrs [ { nam = \"a\"; value = { }; } ]); }"),
        @"  name::missing-attribute at `{ nam = \"a\"; value = { }; }`: the attribute `name` is missing here"
    );
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

#[test]
fn texts_that_an_option_never_is() {
    let text = |condition: &str| {
        let text = format!(
            "{{ config, lib, ... }}: {{ boot.kernelModules = lib.mkIf ({condition}) [ ]; }}"
        );
        let files = vec![("host.nix".to_owned(), text)];
        told(&Case { title: String::new(), expected: Vec::new(), files }.check())
    };
    insta::assert_snapshot!(text("config.services.k3s.role == \"sever\""), @r#"  type::never-equal at `"sever"`: this option is never "sever": the comparison always comes out the same"#);
    insta::assert_snapshot!(text("\"both\" != config.services.k3s.role"), @r#"  type::never-equal at `"both"`: this option is never "both": the comparison always comes out the same"#);
    assert_eq!(text("config.services.k3s.role == \"agent\""), "");
    assert_eq!(text("config.networking.hostName == \"agent\""), "");
}
