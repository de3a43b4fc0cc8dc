//! `cairn fmt`

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::common::{cairn_in, cairn_with_input, fleet};

const UGLY: &str = "{a=1;}\n";
const NICE: &str = "{ a = 1; }\n";

#[test]
fn files_of_the_fleet_are_formatted() {
    let folder = fleet(&[
        ("cairn.nix", "{outputs=_:{};}"),
        ("hosts/a.nix", UGLY),
        ("hosts/b.nix", NICE),
        ("notes.txt", UGLY),
        (".hidden/c.nix", UGLY),
        ("example/cairn.nix", UGLY),
        ("example/d.nix", UGLY),
    ]);
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).expect("a text");
    let check = cairn_in(folder.path(), &["fmt", "--check"]);
    assert_eq!((check.code, check.stdout.as_str()), (1, "cairn.nix\nhosts/a.nix\n"));
    insta::assert_snapshot!(check.stderr, @"
    error: 2 files of 3 are not formatted
     help: `cairn fmt` formats them; -v shows what would change
    ");
    assert_eq!(read("hosts/a.nix"), UGLY);

    let output = cairn_in(folder.path(), &["fmt"]);
    assert_eq!((output.code, output.stdout.as_str()), (0, "cairn.nix\nhosts/a.nix\n"));
    assert_eq!(output.stderr, "2 files of 3 formatted\n");
    assert_eq!(read("cairn.nix"), "{ outputs = _: { }; }\n");
    assert_eq!(read("hosts/a.nix"), NICE);
    for other in ["notes.txt", ".hidden/c.nix", "example/cairn.nix", "example/d.nix"] {
        assert_eq!(read(other), UGLY, "{other}");
    }
    let again = cairn_in(folder.path(), &["fmt", "--check"]);
    assert_eq!((again.code, again.stdout.as_str()), (0, ""));
    assert_eq!(again.stderr, "✓ 3 files are formatted\n");

    // From below, the fleet; a folder that is named, that one.
    fs::write(folder.path().join("hosts/a.nix"), UGLY).expect("written");
    let below = cairn_in(&folder.path().join("hosts"), &["fmt", "--check", "--format", "json"]);
    assert_eq!(below.objects()[0]["file"], "hosts/a.nix");
    let named = cairn_in(folder.path(), &["fmt", "example/", "--check"]);
    assert_eq!(named.stdout, "example/cairn.nix\nexample/d.nix\n");
}

#[test]
fn what_changes_is_shown_when_asked() {
    let folder = fleet(&[("a.nix", UGLY)]);
    let output = cairn_in(folder.path(), &["fmt", "--check", "-v", "a.nix"]);
    insta::assert_snapshot!(output.stdout, @"
    a.nix
    @@ -1 +1 @@
    -{a=1;}
    +{ a = 1; }
    ");
}

#[test]
fn broken_files_are_told_and_left() {
    let folder = fleet(&[("bad.nix", "{a=1}\n"), ("good.nix", UGLY)]);
    fs::write(folder.path().join("bytes.nix"), b"\xff").expect("written");
    let output = cairn_in(
        folder.path(),
        &["fmt", "bad.nix", "bytes.nix", "gone.nix", "good.nix", "/dev/null"],
    );
    assert_eq!((output.code, output.stdout.as_str()), (1, "good.nix\n"));
    insta::assert_snapshot!(output.stderr, @"
    file::not-a-file

      × cannot read /dev/null: it is not a plain file
      help: name a file, not a device

    file::not-found

      × cannot read gone.nix: there is no such file
      help: check the name

    file::not-text

      × cannot read bytes.nix: it is not UTF-8 text
      help: convert the file to UTF-8

    syntax::error

      × a `;` is missing after this
       ╭─[bad.nix:1:4]
     1 │ {a=1}
       ·    ─
       ╰────
      help: every definition ends in `;`

    4 errors in 1 file
    ");
    let read = |name: &str| fs::read_to_string(folder.path().join(name)).expect("a text");
    assert_eq!((read("bad.nix").as_str(), read("good.nix").as_str()), ("{a=1}\n", NICE));
}

#[test]
fn standard_input_goes_to_standard_output() {
    let folder = fleet(&[]);
    let run = |args: &[&str], input| {
        let output = cairn_with_input(folder.path(), args, input);
        (output.code, output.stdout)
    };
    assert_eq!(run(&["fmt", "-"], UGLY), (0, NICE.to_owned()));
    assert_eq!(run(&["fmt", "-", "--check"], UGLY), (1, String::new()));
    assert_eq!(run(&["fmt", "-", "--check"], NICE), (0, String::new()));
    assert_eq!(run(&["fmt", "-"], "{"), (1, String::new()));
}

#[test]
fn a_file_keeps_its_mode_and_a_link_stays_one() {
    let folder = fleet(&[("a.nix", UGLY)]);
    let file = folder.path().join("a.nix");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("set");
    symlink("a.nix", folder.path().join("link.nix")).expect("linked");
    assert_eq!(cairn_in(folder.path(), &["fmt", "link.nix"]).code, 0);
    assert_eq!(fs::read_to_string(&file).expect("a text"), NICE);
    assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o7777, 0o640);
    assert!(fs::symlink_metadata(folder.path().join("link.nix")).expect("there").is_symlink());
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 2);
}

/// Formatting the project's own files twice changes nothing the second time.
#[test]
fn formatting_is_done_once() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let copy = tempfile::tempdir().expect("a folder");
    let mut folders: Vec<PathBuf> =
        ["modules", "lang/lib", "lang/tests", "hosts", "examples"].map(PathBuf::from).into();
    while let Some(folder) = folders.pop() {
        fs::create_dir_all(copy.path().join(&folder)).expect("a folder");
        for entry in fs::read_dir(repository.join(&folder)).expect("a folder") {
            let entry = entry.expect("an entry");
            let path = folder.join(entry.file_name());
            if entry.file_type().expect("a type").is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "nix") {
                fs::copy(entry.path(), copy.path().join(path)).expect("copied");
            }
        }
    }
    let first = cairn_in(copy.path(), &["fmt", ".", "examples/devboard", "examples/dual-stack"]);
    assert_eq!(first.code, 0, "{}", first.stderr);
    let again =
        cairn_in(copy.path(), &["fmt", "--check", ".", "examples/devboard", "examples/dual-stack"]);
    assert_eq!((again.code, again.stdout.as_str()), (0, ""), "{}", again.stderr);
}
