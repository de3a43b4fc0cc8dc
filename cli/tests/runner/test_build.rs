//! `cairn build`

use std::fs;

use crate::common::{cairn_in, small};

#[test]
fn the_same_name_in_any_folder_and_locale() {
    let (one, other) = (small(), small());
    let build = |folder: &tempfile::TempDir| {
        let output = cairn_in(folder.path(), &["build", "demo", "--format", "json"]);
        assert_eq!((output.code, output.stderr.as_str()), (0, ""));
        output.objects().remove(0)
    };
    let (one, other) = (build(&one), build(&other));
    assert_eq!(one["type"], "built");
    assert_eq!((&one["host"], &one["id"]), (&"demo".into(), &other["id"]));
    let path = std::path::Path::new(one["path"].as_str().expect("a path"));
    assert_eq!(fs::read_to_string(path.join("etc/motd")).expect("a file"), "hello\n");
    let manifest = fs::read(path.join("manifest.json")).expect("a manifest");
    let (id, _) = cairn_generation::Manifest::decode(&manifest).expect("a manifest");
    assert_eq!(one["id"], id.to_string());
}

#[test]
fn hosts_must_be_named() {
    let folder = small();
    let output = cairn_in(folder.path(), &["build"]);
    assert_eq!((output.code, output.stdout.as_str()), (2, ""));
    insta::assert_snapshot!(output.stderr, @"
    error: no host was named
     help: the hosts are: demo
    ");
    let output = cairn_in(folder.path(), &["build", "dmeo"]);
    assert_eq!((output.code, output.stdout.as_str()), (1, ""));
    insta::assert_snapshot!(output.stderr, @"
    error: no host is called `dmeo`
     help: did you mean `demo`?
    ");
}

#[test]
fn settings_are_stronger_than_the_fleet() {
    let folder = small();
    let output = cairn_in(
        folder.path(),
        &["build", "demo", "--format", "json", "--set", "environment.etc.motd.text=\"set\""],
    );
    let path = output.objects()[0]["path"].as_str().map(std::path::PathBuf::from).expect("a path");
    assert_eq!(fs::read_to_string(path.join("etc/motd")).expect("a file"), "set");
    assert!(path.join("etc/systemd/system/hello.service").is_file());
}
