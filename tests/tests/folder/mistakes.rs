//! Ten mistakes in ten files of one fleet: one run finds them all, each at its own characters.

use std::path::Path;

use cairn_tests::{Cairn, Case};
use serde_json::{Value, json};

pub(crate) const CASES: &[Case] =
    &[("check shows all ten at the right characters", all_ten), ("and as text", as_text)];

/// The file; the place in it, where the fault stands between ⟨ and ⟩; and a word that the
/// message or its help must have.
const MISTAKES: [(&str, &str, &str); 10] = [
    ("hosts/web.nix", "networking.⟨firewal⟩.enable", "networking.firewall"),
    ("hosts/database.nix", "⟨\"postgres\"⟩", "port"),
    ("hosts/edge.nix", "networking.hostName = ⟨42⟩;", "string"),
    ("modules/public.nix", "lib.mkIf ⟨isPublic⟩ true", "isPublic"),
    ("hosts/cluster.nix", "--debug ⟨--cluster-cdr⟩=10.42.0.0/16", "--cluster-cidr"),
    ("hosts/worker.nix", "role = ⟨\"master\"⟩;", "server"),
    ("modules/pods.nix", "\"⟨10.42.1.0⟩/16\"", "10.42.0.0/16"),
    ("hosts/mail.nix", "lib.⟨mkFroce⟩", "mkForce"),
    ("hosts/build.nix", "⟨../modules/runner.nix⟩", "no such file"),
    ("hosts/archive.nix", "\"archive⟨\"⟩", ";"),
];

fn fleet() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fleets/ten-mistakes")
}

/// Where the marked part of `marked`, which is there once, stands in `file`.
fn place(file: &str, marked: &str) -> Value {
    let content = std::fs::read_to_string(fleet().join(file)).unwrap();
    let (before, rest) = marked.split_once('⟨').unwrap();
    let (fault, _) = rest.split_once('⟩').unwrap();
    let text = marked.replace(['⟨', '⟩'], "");
    assert_eq!(content.matches(&text).count(), 1, "{text} in {file}");
    let from = content.find(&text).unwrap() + before.len();
    let to = from + fault.len();
    let position = |at: usize| {
        let before = &content[..at];
        let line_start = before.rfind('\n').map_or(0, |end| end + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    };
    let ((line, column), (end_line, end_column)) = (position(from), position(to));
    json!({"line": line, "column": column, "end_line": end_line, "end_column": end_column})
}

fn all_ten() {
    let folder = fleet();
    let outcome = Cairn::new(&folder).run(&["check", "--format", "json"]).expect(1);
    let errors: Vec<Value> =
        outcome.json().into_iter().filter(|line| line["severity"] == "error").collect();
    for (file, text, word) in MISTAKES {
        let place = place(file, text);
        let at = |error: &&Value| {
            error["file"] == file
                && ["line", "column", "end_line", "end_column"]
                    .iter()
                    .all(|key| error[key] == place[key])
        };
        let found: Vec<&Value> = errors.iter().filter(at).collect();
        let here: Vec<&Value> = errors.iter().filter(|error| error["file"] == file).collect();
        assert_eq!(found.len(), 1, "{text} at {place}; in {file} there is {here:#?}");
        let said = found[0].to_string();
        assert!(said.contains(word), "{word} is not in {said}");
        assert!(found[0]["code"].as_str().is_some_and(|code| code.contains("::")), "{said}");
    }
    assert_eq!(errors.len(), MISTAKES.len(), "more than ten: {errors:#?}");
}

fn as_text() {
    let folder = fleet();
    let outcome = Cairn::new(&folder).run(&["check"]).expect(1);
    let said = outcome.stderr();
    for (file, ..) in MISTAKES {
        assert!(said.contains(file), "{file} is not in\n{said}");
    }
}
