//! A change on its way: from one environment to the next, each a group on a branch of its own.

use std::fs;
use std::path::Path;

use crate::common::{cairn_in, commit, fleet, git};

const ENVIRONMENTS: [&str; 4] = ["dev", "test", "staging", "prod"];

const SITE: &str = "{ outputs = { self, ... }: { modules.site = ./site.nix; }; }\n";

const FLEET: &str = "{
  inputs.dev.url = \"git+file:../site?ref=dev\";
  inputs.test.url = \"git+file:../site?ref=test\";
  inputs.staging.url = \"git+file:../site?ref=staging\";
  inputs.prod.url = \"git+file:../site?ref=prod\";
  outputs = { self, dev, test, staging, prod }: {
    hosts = { dev1 = { }; test1 = { }; staging1 = { }; prod1 = { }; };
    groups.dev = { hosts = [ \"dev1\" ]; module = dev.modules.site; };
    groups.test = { hosts = [ \"test1\" ]; module = test.modules.site; };
    groups.staging = { hosts = [ \"staging1\" ]; module = staging.modules.site; };
    groups.prod = { hosts = [ \"prod1\" ]; module = prod.modules.site; };
  };
}
";

fn site(motd: &str) -> String {
    format!(
        "{{\n  environment.etc.motd.text = \"{motd}\\n\";\n  \
         environment.etc.\"site.conf\".source = ./site.conf;\n}}\n"
    )
}

/// A fleet, and the repository `site` with a branch for each environment, all at one commit.
fn place() -> tempfile::TempDir {
    let place = fleet(&[
        ("site/cairn.nix", SITE),
        ("site/site.nix", &site("first")),
        ("site/site.conf", "workers = 1\n"),
        ("fleet/cairn.nix", FLEET),
    ]);
    git(place.path(), "site", &["init", "-q"]);
    commit(place.path(), "site", "The first site");
    for branch in ENVIRONMENTS {
        git(place.path(), "site", &["branch", branch]);
    }
    assert_eq!(run(&place, &["lock"]), "");
    place
}

/// What a command says, without the lines that only say which revisions moved.
fn run(place: &tempfile::TempDir, words: &[&str]) -> String {
    let output = cairn_in(&place.path().join("fleet"), words);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{}", output.stdout);
    let is_revision = |line: &&str| line.contains("git+file:") || line.starts_with("    ");
    output.stdout.lines().filter(|line| !is_revision(line)).collect::<Vec<_>>().join("\n")
}

/// Commits to the branch of an environment.
fn change(place: &Path, branch: &str, file: &str, text: &str) {
    git(place, "site", &["checkout", "-q", branch]);
    fs::write(place.join("site").join(file), text).expect("written");
    commit(place, "site", "A change");
}

/// The ids of the generations of all hosts, by host.
fn ids(place: &tempfile::TempDir) -> Vec<(String, String)> {
    let words = ["build", "dev1", "test1", "staging1", "prod1", "--format", "json"];
    let output = cairn_in(&place.path().join("fleet"), &words);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    let objects = output.objects();
    objects.iter().map(|object| (text(&object["host"]), text(&object["id"]))).collect()
}

#[test]
fn a_change_goes_from_branch_to_branch() {
    let place = place();
    let first = ids(&place);
    assert_eq!(run(&place, &["diff", "--between", "dev", "prod"]), "dev and prod do not differ");

    change(place.path(), "dev", "site.nix", &site("second"));
    let said = run(&place, &["lock", "--update"]);
    assert!(said.starts_with("~ host dev1: ") && said.lines().count() == 1, "{said}");
    insta::assert_snapshot!(run(&place, &["diff", "--between", "dev", "test"]), @r#"
    environment.etc.motd.text
      - dev: "second\n"
      + test: "first\n"
    "#);
    let now = ids(&place);
    let moved: Vec<&str> =
        first.iter().zip(&now).filter(|(a, b)| a != b).map(|(a, _)| &*a.0).collect();
    assert_eq!(moved, ["dev1"]);

    // Each environment takes what the one before it has.
    for pair in ENVIRONMENTS.windows(2) {
        let [from, to] = pair else { continue };
        git(place.path(), "site", &["checkout", "-q", to]);
        git(place.path(), "site", &["merge", "-q", "--ff-only", from]);
        let said = run(&place, &["lock", "--update", to]);
        assert!(
            said.starts_with(&format!("~ host {to}1: ")) && said.lines().count() == 1,
            "{said}"
        );
        let said = run(&place, &["diff", "--between", from, to]);
        assert_eq!(said, format!("{from} and {to} do not differ"));
    }
    let promoted = ids(&place);
    assert!(first.iter().zip(&promoted).all(|(a, b)| a != b), "{promoted:?}");

    // Nothing of a generation says which branch it came by, …
    let fleet = place.path().join("fleet/cairn.nix");
    fs::write(&fleet, FLEET.replace("prod.modules", "dev.modules")).expect("written");
    assert_eq!(ids(&place), promoted);
    fs::write(&fleet, FLEET).expect("written");
    // … nor which commit: one that changes no host is another revision, and the same generations.
    change(place.path(), "dev", "README.md", "What the site is.\n");
    assert_eq!(run(&place, &["lock", "--update", "dev"]), "no host's generation is another");
    assert_eq!(ids(&place), promoted);
    // The way back leads to the generations of before.
    for branch in ENVIRONMENTS {
        change(place.path(), branch, "site.nix", &site("first"));
    }
    let _ = run(&place, &["lock", "--update"]);
    assert_eq!(ids(&place), first);
}
