//! `cairn init`

use std::fs;

use crate::common::{cairn_in, fleet};

#[test]
fn a_fleet_to_start_from_checks_builds_and_switches() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = cairn_in(folder.path(), &["init"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    assert!(output.stdout.starts_with("+ ./cairn.nix\n"), "{}", output.stdout);
    let output = cairn_in(folder.path(), &["check"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    // As the formatter would have them.
    assert_eq!(cairn_in(folder.path(), &["fmt", "--check"]).code, 0);
    let output = cairn_in(folder.path(), &["switch", "web", "--into", "root"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let motd = fs::read_to_string(folder.path().join("root/etc/motd")).expect("read");
    assert_eq!(motd, "This is web.\n");
}

#[test]
fn what_is_there_is_not_overwritten() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::create_dir(folder.path().join("hosts")).expect("a folder");
    fs::write(folder.path().join("hosts/web.nix"), "mine").expect("written");
    let output = cairn_in(folder.path(), &["init"]);
    assert_eq!(output.code, 1);
    assert!(output.stderr.contains("./hosts/web.nix is there already"), "{}", output.stderr);
    assert!(!folder.path().join("cairn.nix").exists());
    assert_eq!(fs::read_to_string(folder.path().join("hosts/web.nix")).expect("read"), "mine");
}

/// An input with two templates, and a fleet that has it.
fn templates() -> tempfile::TempDir {
    fleet(&[
        (
            "common/cairn.nix",
            "{ outputs = { self, ... }: { templates = {
              default = { path = ./templates/small; description = \"One host\"; };
              cluster = { path = ./templates/cluster; description = \"A cluster\"; };
            }; }; }\n",
        ),
        (
            "common/templates/small/cairn.nix",
            "{ outputs = { self, ... }: { hosts.one = { }; }; }\n",
        ),
        (
            "common/templates/cluster/cairn.nix",
            "{ outputs = { self, ... }: { hosts.node = ./hosts/node.nix; }; }\n",
        ),
        ("common/templates/cluster/hosts/node.nix", "{ networking.hostName = \"node\"; }\n"),
        ("common/templates/cluster/run.sh", "#!/bin/sh\n"),
        ("wrong/cairn.nix", "{ outputs = { self, ... }: { templates.default.path = /etc; }; }\n"),
        (
            "fleet/cairn.nix",
            "{ inputs.common.url = \"path:../common\"; outputs = { self, common }: { }; }\n",
        ),
    ])
}

#[test]
fn a_template_of_an_input() {
    let place = templates();
    let script = place.path().join("common/templates/cluster/run.sh");
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("set");
    let init = |words: &[&str]| cairn_in(place.path(), &[&["init"], words].concat());
    let output = init(&["one", "--template", "./common"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    assert_eq!(output.stdout, "+ one/cairn.nix\nnext: cairn check\n");
    let output = init(&["two", "--template", "path:./common#cluster"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    let mode = fs::metadata(place.path().join("two/run.sh")).expect("there").permissions();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&mode) & 0o111, 0o111);
    let output = cairn_in(&place.path().join("two"), &["check"]);
    assert_eq!((output.code, output.stdout.as_str()), (0, "✓ nothing is wrong with 1 host\n"));
    // By the name that the fleet here has for it, as it is locked.
    let inside = place.path().join("fleet");
    let output = cairn_in(&inside, &["init", "../three", "--template", "common#cluster"]);
    assert!(output.code == 1 && output.stderr.contains("input::not-locked"), "{}", output.stderr);
    assert_eq!(cairn_in(&inside, &["lock"]).code, 0);
    let output = cairn_in(&inside, &["init", "../three", "--template", "common#cluster"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    assert!(place.path().join("three/hosts/node.nix").exists());
    // What cannot be had leaves nothing behind.
    let refused = |words: &[&str]| {
        let output = init(words);
        assert_eq!((output.code, place.path().join("four").exists()), (1, false));
        output.stderr
    };
    let said = [
        refused(&["four", "--template", "./common#clutser"]),
        refused(&["four", "--template", "./common#x"]),
        refused(&["four", "--template", "./nothing"]),
        refused(&["four", "--template", "ftp://x"]),
        refused(&["four", "--template", "./wrong"]),
        refused(&["two", "--template", "./common#cluster"]),
    ];
    let folder = place.path().to_string_lossy().into_owned();
    // Where a line is broken depends on how long the folder's name is.
    let words = said.join("\n").replace(['│', '×'], " ").replace(&folder, "<place>");
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    insta::assert_snapshot!("templates_refused", words);
}
