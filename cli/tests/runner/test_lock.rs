//! `cairn lock`, `cairn fetch`, and building what is locked: from a signed archive in a folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{Output, cairn_in, fleet};

/// An archive with one suite, signed by a key of its own, and a fleet that takes packages from it.
struct World {
    folder: tempfile::TempDir,
}

/// Package, version, and more fields.
type Stanza<'s> = (&'s str, &'s str, &'s str);

const FIRST: &[Stanza<'_>] = &[
    ("base-files", "12", "Essential: yes"),
    ("tool", "1.0-1", "Depends: libtool1 (>= 1.0), base-files"),
    ("libtool1", "1.0-1", ""),
    ("broken", "1.0", "Depends: middle"),
    ("middle", "1.0", "Depends: libtool1 (>= 9)"),
    ("rival", "1.0", "Conflicts: libtool1"),
    ("mta-a", "1", "Provides: mta"),
    ("mta-b", "1", "Provides: mta"),
];

impl World {
    /// A fleet whose host `demo` asks for these packages.
    fn new(packages: &str) -> World {
        let folder =
            fleet(&[("cairn.nix", "{ outputs = { self, ... }: { hosts.demo = ./demo.nix; }; }\n")]);
        let world = World { folder };
        world.ask(packages);
        fs::create_dir_all(world.at(".gnupg")).expect("a folder");
        let mut key = world.gpg(&[
            "--pinentry-mode",
            "loopback",
            "--passphrase",
            "",
            "--quick-gen-key",
            "lab@example.org",
        ]);
        run(key.args(["ed25519", "sign", "never"]));
        run(world.gpg(&["--export", "--output"]).arg(world.at("keys.gpg")));
        world.publish(FIRST, "");
        world
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn gpg(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("gpg");
        command.arg("--homedir").arg(self.at(".gnupg")).args(["--batch", "--yes", "--quiet"]);
        command.args(arguments);
        command
    }

    fn ask(&self, packages: &str) {
        let text = format!(
            "{{ pkgs, ... }}:\n{{\n  environment.systemPackages = with pkgs; [ {packages} ];\n  \
             debian.archives.debian = {{\n    url = \"file://{}\";\n    suites = [ \"bookworm\" ];\n    \
             keyring = ./keys.gpg;\n  }};\n}}\n",
            self.at("archive").display()
        );
        fs::write(self.at("demo.nix"), text).expect("written");
    }

    /// Puts these packages into the archive, and signs its list, which says this too.
    fn publish(&self, packages: &[Stanza<'_>], says: &str) {
        let suite = self.at("archive/dists/bookworm");
        let index = "main/binary-amd64/Packages";
        let mut text = String::new();
        for (name, version, more) in packages {
            let file = format!("pool/{name}_{version}_amd64.deb");
            let path = self.at("archive").join(&file);
            put(&path, &format!("the file of {name} {version}\n"));
            let sha256 = sha256(&path);
            let more = if more.is_empty() { String::new() } else { format!("{more}\n") };
            text += &format!(
                "Package: {name}\nVersion: {version}\nArchitecture: amd64\n{more}\
                 Filename: {file}\nSize: 1\nSHA256: {sha256}\n\n"
            );
        }
        put(&suite.join(index), &text);
        let sha256 = sha256(&suite.join(index));
        let list = format!(
            "Suite: bookworm\nDate: Sat, 11 Jul 2026 10:16:37 UTC\n{says}Architectures: amd64\n\
             Components: main\nSHA256:\n {sha256} {} {index}\n",
            text.len()
        );
        put(&suite.join("Release"), &list);
        let mut sign = self.gpg(&["--digest-algo", "SHA256", "--clearsign", "--output"]);
        run(sign.arg(suite.join("InRelease")).arg(suite.join("Release")));
    }

    fn cairn(&self, args: &[&str]) -> Output {
        cairn_in(self.folder.path(), args)
    }

    fn lock(&self) -> String {
        fs::read_to_string(self.at("cairn.lock")).expect("a lock")
    }

    /// `cairn lock` is refused with this code, and with these words.
    fn refused(&self, code: &str, words: &[&str]) {
        let before = fs::read(self.at("cairn.lock")).ok();
        let output = self.cairn(&["lock"]);
        assert_eq!(output.code, 1, "{}{}", output.stdout, output.stderr);
        let said: String = format!("{}{}", output.stdout, output.stderr);
        let said = said.replace(['│', '×'], " ");
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        for word in [code].iter().chain(words) {
            assert!(said.contains(word), "{word} is not in {said}");
        }
        assert_eq!(fs::read(self.at("cairn.lock")).ok(), before);
    }
}

fn put(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    fs::write(path, text).expect("written");
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn sha256(path: &Path) -> String {
    let said = run(Command::new("sha256sum").arg(path));
    said.split(' ').next().expect("a hash").to_owned()
}

#[test]
fn a_fleet_is_locked_fetched_and_built_without_its_archive() {
    let world = World::new("tool");
    // Without a lock, building says what mends it.
    let output = world.cairn(&["build", "demo"]);
    assert_eq!(output.code, 1);
    assert!(output.stderr.contains("cairn lock"), "{}", output.stderr);
    let output = world.cairn(&["lock", "--check"]);
    assert_eq!(output.code, 1, "{}", output.stdout);

    let output = world.cairn(&["lock"]);
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    insta::assert_snapshot!(output.stdout, @"
      + libtool1 1.0-1  bookworm amd64
      + tool 1.0-1  bookworm amd64
    ✓ cairn.lock has 2 packages
    ");
    let lock: serde_json::Value = serde_json::from_str(&world.lock()).expect("JSON");
    let part = &lock["debian"]["bookworm amd64"];
    assert_eq!(part["packages"]["tool"]["why"], serde_json::json!(["fleet"]));
    assert_eq!(part["packages"]["libtool1"]["why"], serde_json::json!(["tool"]));
    assert_eq!(part["sets"][0]["brings"], serde_json::json!(["libtool1"]));
    assert_eq!(world.cairn(&["lock", "--check"]).code, 0);
    let why = world.cairn(&["why", "demo", "libtool1"]).stdout;
    assert!(why.contains("libtool1 1.0-1") && why.contains("tool → libtool1"), "{why}");
    let output = world.cairn(&["fetch"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(output.stdout.contains("fetched 2 downloads"), "{}", output.stdout);

    fs::rename(world.at("archive"), world.at("gone")).expect("moved");
    let output = world.cairn(&["lock"]);
    assert_eq!(output.stdout, "nothing to do: cairn.lock covers the fleet\n");
    let output = world.cairn(&["build", "demo", "--format", "json"]);
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    let path = output.objects()[0]["path"].as_str().map(PathBuf::from).expect("a path");
    let manifest = fs::read(path.join("manifest.json")).expect("a manifest");
    let (_, manifest) = cairn_generation::Manifest::decode(&manifest).expect("a manifest");
    let debian = &manifest.packages.debian;
    assert_eq!(debian["tool"].version.as_deref(), Some("1.0-1"));
    assert!(debian["libtool1"].dependency && !debian["tool"].dependency);
    assert_eq!(debian.values().filter(|package| package.blob.is_some()).count(), 2);
}

#[test]
fn versions_stay_until_they_are_asked_to_move() {
    let world = World::new("tool");
    assert_eq!(world.cairn(&["lock"]).code, 0);
    let newer = [
        FIRST,
        &[
            ("tool", "1.1-1", "Depends: libtool1 (>= 1.1)"),
            ("libtool1", "1.1-1", ""),
            ("more", "2", ""),
        ],
    ];
    world.publish(&newer.concat(), "");
    world.ask("tool more");
    let output = world.cairn(&["lock"]);
    insta::assert_snapshot!(output.stdout, @"
      + more 2  bookworm amd64
    ✓ cairn.lock has 3 packages
    ");
    // What must move with it does.
    let output = world.cairn(&["lock", "--update", "tool"]);
    insta::assert_snapshot!(output.stdout, @"
      ~ libtool1 1.0-1 → 1.1-1  bookworm amd64
      ~ tool 1.0-1 → 1.1-1  bookworm amd64
    ✓ cairn.lock has 3 packages
    ");
    let output = world.cairn(&["lock", "--update", "tooll"]);
    assert_eq!(output.code, 1);
    assert!(output.stderr.contains("no package `tooll`"), "{}", output.stderr);
    world.ask("more");
    let output = world.cairn(&["lock"]);
    insta::assert_snapshot!(output.stdout, @"
      - libtool1 1.1-1  bookworm amd64
      - tool 1.1-1  bookworm amd64
    ✓ cairn.lock has 1 package
    ");
}

#[test]
fn what_cannot_be_had_says_why() {
    let world = World::new("tol");
    world.refused("package::unknown", &["no archive has a package `tol`", "did you mean `tool`"]);
    world.ask("(tool // { version = \"3.0\"; })");
    world.refused("package::no-such-version", &["version 3.0 of `tool`", "there is 1.0-1"]);
    world.ask("broken");
    world.refused(
        "package::unmet",
        &["`middle` depends on libtool1 (>= 9), but there is libtool1 1.0-1 (broken → middle)"],
    );
    world.ask("tool rival");
    world.refused("package::conflict", &["`rival` conflicts with libtool1", "(tool → libtool1)"]);
    world.ask("mta");
    world.refused("package::virtual", &["mta-a, mta-b"]);
}

#[test]
fn what_was_tampered_with_is_refused() {
    let world = World::new("tool");
    let suite = world.at("archive/dists/bookworm");
    let (list, index) = (suite.join("InRelease"), suite.join("main/binary-amd64/Packages"));
    let (good_list, good_index) =
        (fs::read_to_string(&list).expect("read"), fs::read_to_string(&index).expect("read"));
    fs::write(&list, good_list.replace("Components: main", "Components: main evil"))
        .expect("written");
    world.refused("lock::archive", &["its signature is not good"]);
    fs::copy(suite.join("Release"), &list).expect("copied");
    world.refused("lock::archive", &["its signature is not good: there is none"]);
    fs::write(&list, good_list).expect("written");
    fs::write(&index, good_index.replace("1.0-1", "6.6-6")).expect("written");
    world.refused("lock::archive", &["has the SHA-256", "what the signed list says"]);
    fs::write(&index, good_index).expect("written");
    // Somebody else's key.
    let keys = fs::read(world.at("keys.gpg")).expect("read");
    let other = World::new("tool");
    fs::copy(other.at("keys.gpg"), world.at("keys.gpg")).expect("copied");
    world.refused("lock::archive", &["which the keyring does not hold"]);
    fs::write(world.at("keys.gpg"), keys).expect("written");
    world.publish(FIRST, "Valid-Until: Sat, 18 Jul 2020 10:16:37 UTC\n");
    world.refused("lock::archive", &["was valid until Sat, 18 Jul 2020"]);
    world.publish(FIRST, "");
    assert_eq!(world.cairn(&["lock"]).code, 0);
    // A file of the pool, and the lock itself.
    put(&world.at("archive/pool/tool_1.0-1_amd64.deb"), "evil\n");
    let output = world.cairn(&["build", "demo"]);
    assert_eq!(output.code, 1);
    assert!(output.stderr.contains("package::fetch"), "{}", output.stderr);
    let lock = world.lock();
    fs::write(world.at("cairn.lock"), lock.replace("\"libtool1\"", "\"libevil\""))
        .expect("written");
    let output = world.cairn(&["build", "demo"]);
    assert_eq!(output.code, 1, "{}", output.stdout);
    fs::write(world.at("cairn.lock"), &lock[..40]).expect("written");
    let output = world.cairn(&["check"]);
    assert!(output.stderr.contains("is no lock"), "{}{}", output.stdout, output.stderr);
}
