//! `cairn status`, `cairn history` and `cairn gc`

use std::fs;

use crate::common::{cairn_in, small};

#[test]
fn drift_is_told() {
    let folder = small();
    assert_eq!(cairn_in(folder.path(), &["switch", "demo", "--into", "root"]).code, 0);
    let status = || cairn_in(folder.path(), &["status", "demo", "--into", "root"]);
    assert!(status().stdout.contains("as it should be"), "{}", status().stdout);
    fs::remove_file(folder.path().join("root/etc/motd")).expect("removed");
    let output = status();
    assert!(output.stdout.contains("1 path drifted"), "{}", output.stdout);
    assert!(output.stdout.contains("/etc/motd is gone"), "{}", output.stdout);
}

#[test]
fn history_has_a_line_a_switch() {
    let folder = small();
    assert_eq!(cairn_in(folder.path(), &["switch", "demo", "--into", "root"]).code, 0);
    let output = cairn_in(folder.path(), &["history", "demo", "--into", "root"]);
    assert_eq!(output.stdout.lines().count(), 2, "{}", output.stdout);
    let output =
        cairn_in(folder.path(), &["history", "demo", "--into", "root", "--format", "json"]);
    let objects = output.objects();
    assert_eq!(objects.len(), 1);
    assert_eq!((&objects[0]["type"], &objects[0]["to"]), (&"history".into(), &1.into()));
    let output = cairn_in(folder.path(), &["gc", "demo", "--into", "root"]);
    assert_eq!(output.stdout, "nothing to do: demo has nothing to spare\n");
}

#[test]
fn a_folder_that_is_not_there() {
    let folder = small();
    let output = cairn_in(folder.path(), &["status", "demo", "--into", "root"]);
    assert_eq!(output.code, 1);
    insta::assert_snapshot!(output.stderr, @"
    error: there is no folder root
     help: `cairn switch HOST --into DIR` makes it
    ");
    assert!(!folder.path().join("root").exists());
}
