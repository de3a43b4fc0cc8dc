//! Fleets in git: files that it does not have, and what is staged.

use std::fs;
use std::path::Path;

use crate::common::{Output, cairn_in, commit, fleet, git};

/// A repository with a fleet in its folder `fleet`, and an input beside it.
fn repository() -> tempfile::TempDir {
    let place = fleet(&[
        ("fleet/cairn.nix", FLEET),
        ("fleet/web.nix", "{ environment.etc.app.source = ./app.conf; }\n"),
        ("fleet/app.conf", "workers = 1\n"),
        ("common/cairn.nix", "{ outputs = { self, ... }: { modules.zone = ./zone.nix; }; }\n"),
        ("common/zone.nix", "{ time.timeZone = \"UTC\"; }\n"),
        (".gitignore", ".cache\n.state\n"),
    ]);
    git(place.path(), "", &["init", "-q"]);
    assert_eq!(run(&place, &["lock"]).code, 0);
    commit(place.path(), "", "A fleet");
    place
}

const FLEET: &str = "{
  inputs.common.url = \"path:../common\";
  outputs = { self, common }: {
    hosts.web.imports = [ ./web.nix common.modules.zone ];
  };
}
";

fn run(place: &tempfile::TempDir, words: &[&str]) -> Output {
    cairn_in(&place.path().join("fleet"), words)
}

fn write(place: &tempfile::TempDir, path: &str, text: &str) {
    fs::write(place.path().join(path), text).expect("written");
}

fn codes(output: &Output) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let objects = output.objects();
    let found = objects.iter().filter(|object| object["type"] == "diagnostic");
    found.map(|found| (text(&found["code"]), text(&found["file"]))).collect()
}

#[test]
fn a_file_that_git_does_not_have_is_a_warning() {
    let place = repository();
    assert_eq!(run(&place, &["check"]).stderr, "");
    write(
        &place,
        "fleet/web.nix",
        "{ imports = [ ./more.nix ]; environment.etc.app.source = ./new/app.conf; }\n",
    );
    write(&place, "fleet/more.nix", "{ time.timeZone = \"UTC\"; }\n");
    fs::create_dir(place.path().join("fleet/new")).expect("a folder");
    write(&place, "fleet/new/app.conf", "workers = 2\n");
    // What nobody reads, or git is told to ignore, is nobody's business.
    write(&place, "fleet/notes.txt", "");
    write(&place, "fleet/mine.nix", "{ }\n");
    write(&place, ".gitignore", ".cache\n.state\nmine.nix\n");
    let checked = run(&place, &["check", "--format", "json"]);
    assert_eq!(checked.code, 0);
    let untracked = |file: &str| ("fleet::untracked".to_owned(), file.to_owned());
    assert_eq!(codes(&checked), [untracked("more.nix"), untracked("new/app.conf")]);
    let built = run(&place, &["build", "web", "--format", "json"]);
    assert_eq!((built.code, codes(&built)), (0, codes(&checked)));
    let said = run(&place, &["check"]).stderr;
    assert!(said.contains("`git add more.nix`: whoever clones the fleet lacks it"), "{said}");
    git(place.path(), "", &["add", "fleet"]);
    assert_eq!(run(&place, &["check"]).stderr, "");
}

#[test]
fn what_is_staged_is_checked_and_not_what_lies_there() {
    let place = repository();
    let staged =
        |words: &[&str]| run(&place, &[&["check", "--staged", "--format", "json"], words].concat());
    assert_eq!((staged(&[]).code, codes(&staged(&[])).len()), (0, 0));
    // A mistake that is not staged yet; then one that is, and mended since.
    write(&place, "fleet/web.nix", "{ time.timezone = \"UTC\"; }\n");
    assert_eq!(staged(&[]).code, 0);
    git(place.path(), "", &["add", "-A"]);
    write(&place, "fleet/web.nix", "{ }\n");
    assert_eq!(run(&place, &["check"]).code, 0);
    let found = staged(&[]);
    assert_eq!(found.code, 1);
    assert_eq!(codes(&found), [("option::unknown".to_owned(), "web.nix".to_owned())]);
    // A file that was not added is not there.
    write(&place, "fleet/web.nix", "{ imports = [ ./more.nix ]; }\n");
    git(place.path(), "", &["add", "-A"]);
    write(&place, "fleet/more.nix", "{ }\n");
    assert_eq!(codes(&staged(&[])), [("file::not-found".to_owned(), "web.nix".to_owned())]);
    git(place.path(), "", &["add", "-A"]);
    assert_eq!(staged(&[]).code, 0);
    // An input in the same repository is as staged as the fleet is.
    write(&place, "common/zone.nix", "{ time.timeZone = \"Europe/Zurich\"; }\n");
    assert_eq!((staged(&[]).code, run(&place, &["check"]).code), (0, 1));
    git(place.path(), "", &["add", "-A"]);
    assert_eq!(codes(&staged(&[])), [("input::changed".to_owned(), "cairn.nix".to_owned())]);
}

#[test]
fn an_input_outside_of_the_repository_is_where_it_is() {
    let place = repository();
    fs::remove_dir_all(place.path().join(".git")).expect("removed");
    git(place.path(), "fleet", &["init", "-q"]);
    commit(place.path(), "fleet", "The fleet alone");
    let checked = run(&place, &["check", "--staged"]);
    assert_eq!((checked.code, checked.stderr.as_str()), (0, ""), "{}", checked.stdout);
}

#[test]
fn as_a_hook_it_stops_a_commit() {
    let place = repository();
    let hook = place.path().join(".git/hooks/pre-commit");
    let program = Path::new(env!("CARGO_BIN_EXE_cairn")).display();
    fs::write(&hook, format!("#!/bin/sh\ncd fleet && exec {program} check --staged\n"))
        .expect("written");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&hook, mode).expect("executable");
    write(&place, "fleet/web.nix", "{ time.timezone = \"UTC\"; }\n");
    // A commit of files by name has an index of its own.
    let refused = std::panic::catch_unwind(|| {
        git(place.path(), "", &["commit", "-q", "-m", "x", "fleet/web.nix"])
    });
    assert!(refused.is_err());
    write(&place, "fleet/web.nix", "{ time.timeZone = \"UTC\"; }\n");
    git(place.path(), "", &["commit", "-q", "-m", "x", "fleet/web.nix"]);
}

#[test]
fn without_a_repository_nothing_is_staged() {
    let place = fleet(&[("cairn.nix", "{ outputs = { self, ... }: { hosts.web = { }; }; }\n")]);
    let refused = cairn_in(place.path(), &["check", "--staged"]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("is in no git repository"), "{}", refused.stderr);
    assert_eq!(cairn_in(place.path(), &["check"]).stderr, "");
}
