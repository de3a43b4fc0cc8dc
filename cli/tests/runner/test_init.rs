//! `cairn init`

use std::fs;

use crate::common::cairn_in;

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
