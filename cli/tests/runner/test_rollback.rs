//! `cairn rollback`

use std::fs;

use crate::common::{cairn_in, small};

#[test]
fn back_and_forth_and_to_the_host_as_found() {
    let folder = small();
    let run = |args: &[&str]| {
        let output = cairn_in(folder.path(), args);
        assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{args:?}");
        output
    };
    run(&["switch", "demo", "--into", "root"]);
    let set = "environment.etc.motd.text=\"two\\n\"";
    run(&["switch", "demo", "--into", "root", "--set", set]);
    let output = run(&["rollback", "demo", "--into", "root"]);
    insta::assert_snapshot!(output.steady(), @"
    demo
      files     ~ /etc/motd
    ✓ demo is back at generation 1 (…) in …
    ");
    let list = run(&["rollback", "demo", "--into", "root", "--list"]);
    let numbers: Vec<_> = list.stdout.lines().map(|line| line.get(..8)).collect();
    assert_eq!(numbers.len(), 3, "{}", list.stdout);
    run(&["rollback", "demo", "0", "--into", "root"]);
    assert!(!folder.path().join("root/etc/motd").exists());
    run(&["rollback", "demo", "2", "--into", "root"]);
    let motd = fs::read_to_string(folder.path().join("root/etc/motd")).expect("a file");
    assert_eq!(motd, "two\n");
}

#[test]
fn a_generation_that_is_not_kept() {
    let folder = small();
    assert_eq!(cairn_in(folder.path(), &["switch", "demo", "--into", "root"]).code, 0);
    let output = cairn_in(folder.path(), &["rollback", "demo", "7", "--into", "root"]);
    assert_eq!((output.code, output.stdout.as_str()), (3, ""));
    insta::assert_snapshot!(output.stderr, @"
    ✗ demo: no kept generation is `7`: `history` lists them
      demo is as it was
    ");
}
