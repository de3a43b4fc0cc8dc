//! `cairn switch` and `cairn dry-activate`, into a folder.

use std::fs;

use crate::common::{cairn_in, small};

#[test]
fn a_folder_is_switched_and_then_nothing_is_to_do() {
    let folder = small();
    let output = cairn_in(folder.path(), &["switch", "demo", "--into", "root"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(output.steady(), @"
    demo
      files     + /etc/cairn/scripts/hello/start
                + /etc/hostname
                + /etc/motd
                + /etc/systemd/system/cairn.target.wants/hello.service
                + /etc/systemd/system/hello.service
      units     start hello.service
      kernel    ~ host name demo
    ✓ demo is at generation 1 (…) in …
    ");
    let motd = fs::read_to_string(folder.path().join("root/etc/motd")).expect("a file");
    assert_eq!(motd, "hello\n");
    let output = cairn_in(folder.path(), &["switch", "demo", "--into", "root"]);
    insta::assert_snapshot!(output.steady(), @"nothing to do: demo is at generation 1 (…)");
}

#[test]
fn a_dry_run_changes_nothing() {
    let folder = small();
    let switch = ["switch", "demo", "--into", "root"];
    assert_eq!(cairn_in(folder.path(), &switch).code, 0);
    let set = ["--set", "environment.etc.motd.text=\"other\\n\""];
    let mut dry = vec!["dry-activate", "demo", "--into", "root"];
    dry.extend(set);
    let output = cairn_in(folder.path(), &dry);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    insta::assert_snapshot!(output.stdout, @"
    demo would change:
      files     ~ /etc/motd
    ");
    let motd = fs::read_to_string(folder.path().join("root/etc/motd")).expect("a file");
    assert_eq!(motd, "hello\n");
}

#[test]
fn a_dry_run_says_what_the_switch_then_does() {
    let folder = small();
    let actions = |more: &[&str]| -> Vec<serde_json::Value> {
        let set = "deployment.adopt=true";
        let words = ["switch", "demo", "--into", "root", "--set", set, "--format", "json"];
        let output = cairn_in(folder.path(), &[&words, more].concat());
        assert_eq!(output.code, 0, "{output:?}");
        let objects = output.objects().into_iter();
        objects.filter(|object| object["type"] == "action").collect()
    };
    fs::create_dir_all(folder.path().join("root/etc")).expect("a folder");
    fs::write(folder.path().join("root/etc/motd"), "theirs").expect("written");
    let dry = actions(&["--dry-run"]);
    assert!(dry.iter().any(|action| action["action"] == "adopt-file"), "{dry:#?}");
    assert_eq!(dry, actions(&[]));
    assert!(actions(&["--dry-run"]).is_empty());
}

#[test]
fn nothing_is_touched_where_anything_is_wrong() {
    let folder = small();
    let output = cairn_in(
        folder.path(),
        &["switch", "demo", "--into", "root", "--set", "networking.hostName=1"],
    );
    assert_eq!((output.code, output.stdout.as_str()), (1, ""));
    assert!(!folder.path().join("root").exists());
}

#[test]
fn events_are_objects() {
    let folder = small();
    let output = cairn_in(folder.path(), &["switch", "demo", "--into", "root", "--format", "json"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    let objects = output.objects();
    assert!(objects.iter().all(|object| object["host"] == "demo"));
    let done = objects.last().expect("an object");
    assert_eq!((&done["type"], &done["changed"]), (&"done".into(), &true.into()));
    assert_eq!(done["generation"], 1);
}

#[test]
fn a_file_that_is_not_ours_is_refused() {
    let folder = small();
    fs::create_dir_all(folder.path().join("root/etc")).expect("a folder");
    fs::write(folder.path().join("root/etc/motd"), "theirs").expect("written");
    let output = cairn_in(folder.path(), &["switch", "demo", "--into", "root"]);
    assert_eq!((output.code, output.stdout.as_str()), (3, ""));
    assert!(output.stderr.contains("/etc/motd"), "{}", output.stderr);
    assert!(output.stderr.contains("demo is as it was"), "{}", output.stderr);
    let theirs = fs::read_to_string(folder.path().join("root/etc/motd")).expect("a file");
    assert_eq!(theirs, "theirs");
}
