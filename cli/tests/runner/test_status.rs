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
    assert!(output.stdout.contains("1 thing drifted"), "{}", output.stdout);
    assert!(output.stdout.contains("/etc/motd is gone"), "{}", output.stdout);
}

#[test]
fn drift_is_told_and_repaired() {
    let folder = small();
    assert_eq!(cairn_in(folder.path(), &["switch", "demo", "--into", "root"]).code, 0);
    let run = |args: &[&str]| cairn_in(folder.path(), &[args, &["--into", "root"]].concat());
    let output = run(&["drift", "demo"]);
    assert_eq!((output.code, output.stdout.as_str()), (0, "demo is as it should be\n"));
    fs::remove_file(folder.path().join("root/etc/motd")).expect("removed");
    fs::write(folder.path().join("root/etc/motd"), "mine").expect("written");
    let output = run(&["drift", "demo"]);
    assert_eq!(output.code, 4);
    insta::assert_snapshot!(output.stdout, @"
    demo: 1 thing drifted
      ~ /etc/motd was replaced
    ");
    let objects = run(&["drift", "demo", "--format", "json"]).objects();
    assert_eq!(objects.len(), 1);
    assert_eq!(objects[0]["type"], "drift");
    assert_eq!(objects[0]["kind"], "file");
    assert_eq!(objects[0]["name"], "/etc/motd");
    let output = run(&["repair", "demo"]);
    assert_eq!(output.code, 0, "{output:?}");
    insta::assert_snapshot!(output.steady(), @"
      ✓ /etc/motd was replaced
    ✓ demo: 1 thing put right in …
    ");
    let kept = "root/var/lib/cairn/drift/etc/motd";
    assert!(output.stderr.contains("/etc/motd: what stood there is kept at "), "{output:?}");
    assert!(output.stderr.trim_end().ends_with(kept), "{output:?}");
    assert_eq!(run(&["repair", "demo"]).stdout, "nothing to do: demo is as it should be\n");
    assert_eq!(fs::read_to_string(folder.path().join(kept)).expect("kept"), "mine");
}

#[test]
fn a_generation_is_pinned() {
    let folder = small();
    let run = |args: &[&str]| cairn_in(folder.path(), &[args, &["--into", "root"]].concat());
    assert_eq!(run(&["switch", "demo"]).code, 0);
    assert_eq!(run(&["pin", "demo", "1"]).stdout, "demo: generation 1 is pinned\n");
    let list = run(&["rollback", "demo", "--list"]).stdout;
    assert!(list.lines().any(|line| line.ends_with("current  pinned")), "{list}");
    let objects = run(&["rollback", "demo", "--list", "--format", "json"]).objects();
    assert_eq!(objects[0]["pinned"], true);
    let output = run(&["pin", "demo", "1", "--remove"]);
    assert_eq!(output.stdout, "demo: generation 1 is not pinned any more\n");
    assert_eq!(run(&["pin", "demo", "9"]).code, 3);
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
    // What is refused is an attempt, too.
    let output = cairn_in(folder.path(), &["rollback", "demo", "77", "--into", "root"]);
    assert_eq!(output.code, 3);
    let output = cairn_in(folder.path(), &["history", "demo", "2", "--into", "root"]);
    let shown = output.stdout.lines().filter(|line| {
        !["began", "ended", "who", "steps"].iter().any(|word| line.trim_start().starts_with(word))
    });
    insta::assert_snapshot!(shown.collect::<Vec<_>>().join("\n"), @"
    demo 2: rollback, unchanged
      way    generation 1
      cause  no kept generation is `77`: `history` lists them
    ");
    let output = cairn_in(folder.path(), &["history", "demo", "9", "--into", "root"]);
    assert_eq!(output.code, 1);
    // Somebody edits a line.
    let path = folder.path().join("root/var/lib/cairn/history.jsonl");
    let text = fs::read_to_string(&path).expect("a history");
    fs::write(&path, text.replace("confirmed", "tested")).expect("written");
    let output = cairn_in(folder.path(), &["history", "demo", "--into", "root"]);
    assert_eq!(output.code, 4);
    insta::assert_snapshot!(output.stderr, @"✗ demo: line 2 of its history does not follow the line before it, which was changed or removed");
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
