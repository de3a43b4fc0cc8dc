//! A folder in the place of a host: what a switch refuses, keeps, repairs and forgets.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use cairn_activator::{By, Node, silent};
use cairn_generation::manifest::{Content, File, Method, Unit};
use cairn_generation::wire::{Event, Mode, SwitchOptions};
use cairn_generation::{BlobId, Manifest, Store};
use tempfile::TempDir;

/// A folder, and the blobs of whoever deploys to it.
struct Bed {
    root: TempDir,
    blobs: TempDir,
}

impl Bed {
    fn new() -> Self {
        Self { root: tempfile::tempdir().unwrap(), blobs: tempfile::tempdir().unwrap() }
    }

    fn store(&self) -> Store {
        Store::open(self.blobs.path()).unwrap()
    }

    fn node(&self) -> Node {
        Node::at_root(self.root.path()).unwrap()
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        self.root.path().join(path)
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.path(path)).unwrap()
    }

    fn manifest(&self, files: &[(&str, &str)]) -> Vec<u8> {
        let mut manifest = Manifest::empty("demo");
        for (path, content) in files {
            let file = File {
                content: Content::Blob(self.store().put(content.as_bytes()).unwrap()),
                mode: "0644".to_owned(),
                user: "root".to_owned(),
                group: "root".to_owned(),
                method: if path.ends_with("copy") { Method::Copy } else { Method::Link },
            };
            manifest.files.insert((*path).to_owned(), file);
        }
        manifest.encode().unwrap().1
    }

    /// The outcome in words: `changed 1`, `unchanged 1`, or the failure.
    fn switch(&self, manifest: &[u8], options: &SwitchOptions) -> String {
        let done = self.node().switch(manifest, &self.store(), options, &mut silent);
        match done {
            Ok(outcome) if outcome.changed => format!("changed {}", outcome.generation),
            Ok(outcome) => format!("unchanged {}", outcome.generation),
            Err(failure) => {
                assert!(failure.unchanged);
                failure.message
            }
        }
    }
}

fn options(mode: Mode) -> SwitchOptions {
    SwitchOptions {
        mode,
        nonce: None,
        confirm_timeout: 1,
        adopt: ["/etc/adopted".to_owned()].into(),
        deployer: "me@test".to_owned(),
        login: None,
        port: None,
        allow_lockout: false,
    }
}

#[test]
fn links_are_relative_and_a_second_switch_does_nothing() {
    let bed = Bed::new();
    let manifest = bed.manifest(&[("/etc/a", "one")]);
    assert_eq!(bed.switch(&manifest, &options(Mode::Switch)), "changed 1");
    let link = fs::read_link(bed.path("etc/a")).unwrap();
    assert_eq!(link, Path::new("../var/lib/cairn/current/etc/a"));
    assert_eq!(bed.read("etc/a"), "one");
    assert_eq!(bed.switch(&manifest, &options(Mode::Switch)), "unchanged 1");
    assert_eq!(bed.node().history().unwrap().entries.len(), 1);
    // The folder can be carried elsewhere.
    let elsewhere = tempfile::tempdir().unwrap();
    fs::rename(bed.root.path(), elsewhere.path().join("moved")).unwrap();
    assert_eq!(fs::read_to_string(elsewhere.path().join("moved/etc/a")).unwrap(), "one");
}

#[test]
fn what_is_not_ours_is_refused_by_name() {
    let bed = Bed::new();
    fs::create_dir_all(bed.path("etc/folder")).unwrap();
    fs::create_dir(bed.path("usr")).unwrap();
    for path in ["etc/mine", "etc/adopted"] {
        fs::write(bed.path(path), "found").unwrap();
    }
    std::os::unix::fs::symlink("usr/lib", bed.path("lib")).unwrap();
    let manifest = bed.manifest(&[
        ("/etc/adopted", "x"),
        ("/etc/folder", "x"),
        ("/etc/mine", "x"),
        ("/etc/mine2/a", "x"),
        ("/lib/b", "x"),
    ]);
    insta::assert_snapshot!(bed.switch(&manifest, &options(Mode::Switch)), @"/etc/folder is neither a file nor a link: move it away; /etc/mine is there already and not managed by Cairn: adopt it, or move it away; /lib/b cannot be managed: /lib is a link; name the path that it leads to");
    assert_eq!(bed.read("etc/adopted"), "found");
    assert!(!bed.path("etc/mine2").exists());
}

#[test]
fn an_adopted_file_comes_back_when_it_is_no_longer_managed() {
    let bed = Bed::new();
    fs::create_dir(bed.path("etc")).unwrap();
    fs::write(bed.path("etc/adopted"), "found").unwrap();
    let one = bed.manifest(&[("/etc/adopted", "ours")]);
    let two = bed.manifest(&[("/etc/b", "other")]);
    bed.switch(&one, &options(Mode::Switch));
    assert_eq!(bed.read("etc/adopted"), "ours");
    bed.switch(&two, &options(Mode::Switch));
    assert_eq!(bed.read("etc/adopted"), "found");
    // It needs no second permission, but what is new in it does.
    let strict = SwitchOptions { adopt: Default::default(), ..options(Mode::Switch) };
    assert_eq!(bed.switch(&one, &strict), "changed 1");
    bed.switch(&two, &options(Mode::Switch));
    fs::write(bed.path("etc/adopted"), "edited since").unwrap();
    assert!(bed.switch(&one, &strict).contains("/etc/adopted is there already"));
}

/// What somebody made of a file of ours goes with it, and is kept.
#[test]
fn an_edited_file_leaves_with_its_generation() {
    let bed = Bed::new();
    fs::create_dir(bed.path("etc")).unwrap();
    fs::write(bed.path("etc/adopted"), "found").unwrap();
    let paths = ["/etc/adopted", "/etc/deep/link", "/etc/copy", "/etc/folder", "/etc/plain"];
    bed.switch(&bed.manifest(&paths.map(|path| (path, "ours"))), &options(Mode::Switch));
    for path in ["etc/adopted", "etc/deep/link", "etc/copy"] {
        fs::remove_file(bed.path(path)).unwrap();
        fs::write(bed.path(path), "edited").unwrap();
    }
    // A folder is nobody's edition of a file.
    fs::remove_file(bed.path("etc/folder")).unwrap();
    fs::create_dir(bed.path("etc/folder")).unwrap();
    let mut told = Vec::new();
    let mut tell = |event| {
        if let Event::Warning { message } = event {
            told.push(
                message.replace(&bed.root.path().canonicalize().unwrap().display().to_string(), ""),
            );
        }
    };
    bed.node().rollback(Some("0"), &options(Mode::Switch), &mut tell).unwrap();
    insta::assert_snapshot!(told.join("\n"), @"
    /etc/adopted was changed on the host since the last switch: it goes, and what stood there is kept at /var/lib/cairn/drift/etc/adopted
    /etc/copy was changed on the host since the last switch: it goes, and what stood there is kept at /var/lib/cairn/drift/etc/copy
    /etc/deep/link was changed on the host since the last switch: it goes, and what stood there is kept at /var/lib/cairn/drift/etc/deep/link
    ");
    assert_eq!(bed.read("etc/adopted"), "found");
    let left = fs::read_dir(bed.path("etc")).unwrap().map(|entry| entry.unwrap().file_name());
    let mut left: Vec<_> = left.collect();
    left.sort();
    assert_eq!(left, ["adopted", "folder"]);
    for path in ["adopted", "deep/link", "copy"] {
        assert_eq!(bed.read(&format!("var/lib/cairn/drift/etc/{path}")), "edited");
    }
}

#[test]
fn drift_is_told_put_right_and_kept() {
    let bed = Bed::new();
    let manifest =
        bed.manifest(&[("/etc/a", "a"), ("/etc/b", "b"), ("/etc/c", "c"), ("/etc/d-copy", "d")]);
    bed.switch(&manifest, &options(Mode::Switch));
    fs::remove_file(bed.path("etc/a")).unwrap();
    fs::write(bed.path("etc/a"), "replaced").unwrap();
    fs::write(bed.path("etc/b"), "edited behind the link").unwrap();
    fs::remove_file(bed.path("etc/c")).unwrap();
    fs::write(bed.path("etc/d-copy"), "edited").unwrap();
    let drift = || {
        let drift = bed.node().status().unwrap().drift;
        assert_eq!(bed.node().drift().unwrap(), drift);
        drift.iter().map(|one| format!("{one}\n")).collect::<String>()
    };
    insta::assert_snapshot!(drift(), @"
    /etc/a was replaced
    /etc/b has another content: 06c5850ff4f0 instead of 10e5cf3d3c8a
    /etc/c is gone
    /etc/d-copy has another content: 69da6dbe23d4 instead of d5ede538f628
    ");
    let mut warnings = Vec::new();
    let mut tell = |event| {
        if let Event::Warning { message } = event {
            warnings.push(message);
        }
    };
    bed.node().switch(&manifest, &bed.store(), &options(Mode::Switch), &mut tell).unwrap();
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert_eq!(
        ["a", "b", "c", "d-copy"].map(|name| bed.read(&format!("etc/{name}"))),
        ["a", "b", "c", "d"]
    );
    assert_eq!(bed.read("var/lib/cairn/drift/etc/a"), "replaced");
    assert_eq!(bed.switch(&manifest, &options(Mode::Switch)), "unchanged 1");
}

/// What a repair says that it puts right.
fn repair(bed: &Bed) -> Result<(bool, Vec<String>), String> {
    let mut told = Vec::new();
    let mut tell = |event| {
        if let Event::Drift(drift) = event {
            told.push(drift.to_string());
        }
    };
    let by = By { deployer: "me@test".to_owned(), login: None };
    match bed.node().repair(&by, &mut tell) {
        Ok(outcome) => Ok((outcome.changed, told)),
        Err(failure) => Err(failure.message),
    }
}

#[test]
fn repair_puts_right_what_drifted_and_touches_nothing_else() {
    let bed = Bed::new();
    fs::create_dir(bed.path("etc")).unwrap();
    fs::write(bed.path("etc/adopted"), "found").unwrap();
    let files = ["/etc/a", "/etc/adopted", "/etc/b", "/etc/c", "/etc/d-copy", "/etc/quiet"];
    let manifest = bed.manifest(&files.map(|path| (path, path)));
    bed.switch(&manifest, &options(Mode::Switch));
    assert_eq!(repair(&bed), Ok((false, vec![])), "nothing drifted");
    assert_eq!(bed.node().history().unwrap().entries.len(), 1);

    let quiet = || fs::symlink_metadata(bed.path("etc/quiet")).unwrap().ino();
    let before = quiet();
    for path in ["etc/a", "etc/adopted", "etc/c"] {
        fs::remove_file(bed.path(path)).unwrap();
    }
    fs::write(bed.path("etc/a"), "mine").unwrap();
    fs::write(bed.path("etc/adopted"), "mine, too").unwrap();
    fs::write(bed.path("etc/b"), "through the link").unwrap();
    fs::set_permissions(bed.path("etc/d-copy"), fs::Permissions::from_mode(0o600)).unwrap();
    let (changed, told) = repair(&bed).unwrap();
    assert!(changed);
    insta::assert_snapshot!(told.join("\n"), @"
    /etc/a was replaced
    /etc/adopted was replaced
    /etc/b has another content: 0c58d1cd6c88 instead of ffe110550a5a
    /etc/c is gone
    /etc/d-copy has another mode: 0600 instead of 0644
    ");
    for path in files {
        assert_eq!(bed.read(&path[1..]), path);
    }
    assert_eq!(quiet(), before);
    for (path, content) in [("a", "mine"), ("adopted", "mine, too"), ("b", "through the link")] {
        assert_eq!(bed.read(&format!("var/lib/cairn/drift/etc/{path}")), content);
    }
    assert!(!bed.path("var/lib/cairn/drift/etc/d-copy").exists(), "its content was not changed");
    assert_eq!(repair(&bed), Ok((false, vec![])));
    let last = bed.node().history().unwrap().entries.pop().unwrap();
    assert_eq!((last.what.as_str(), last.outcome.as_str()), ("repair", "repaired"));
    // What was adopted is still the host's own.
    bed.node().rollback(Some("0"), &options(Mode::Switch), &mut silent).unwrap();
    assert_eq!(bed.read("etc/adopted"), "found");
}

#[test]
fn what_repair_cannot_put_right_is_named() {
    let bed = Bed::new();
    let manifest = bed.manifest(&[("/etc/a", "a"), ("/etc/b", "b")]);
    bed.switch(&manifest, &options(Mode::Switch));
    for path in ["etc/a", "etc/b"] {
        fs::remove_file(bed.path(path)).unwrap();
    }
    fs::create_dir(bed.path("etc/a")).unwrap();
    insta::assert_snapshot!(repair(&bed).unwrap_err(), @"/etc/a is neither a file nor a link: move it away");
    fs::remove_dir(bed.path("etc/a")).unwrap();
    assert!(repair(&bed).unwrap().0);
    // Without its blob a damaged file cannot be made anew.
    fs::write(bed.path("etc/a"), "damaged").unwrap();
    fs::remove_file(bed.path("var/lib/cairn/store").join(BlobId::of(b"a").to_string())).unwrap();
    assert!(repair(&bed).unwrap_err().contains("generation 1"), "{:?}", repair(&bed));
}

#[test]
fn a_pinned_generation_stays_until_it_is_let_go() {
    let bed = Bed::new();
    for content in ["1", "2", "3", "4"] {
        bed.switch(&bed.manifest(&[("/etc/a", content)]), &options(Mode::Switch));
    }
    let kept = || bed.node().status().unwrap().kept.into_keys().collect::<Vec<_>>();
    let pin = |wanted: &str, remove| match bed.node().pin(wanted, remove) {
        Ok(outcome) => format!("{} {}", outcome.generation, outcome.changed),
        Err(failure) => failure.message,
    };
    assert_eq!([pin("2", false), pin("2", false)], ["2 true", "2 false"]);
    assert_eq!(bed.node().status().unwrap().pinned, [2].into());
    bed.node().gc(1, &mut silent).unwrap();
    assert_eq!(kept(), [2, 4]);
    assert_eq!(
        bed.node().rollback(Some("2"), &options(Mode::Switch), &mut silent).unwrap().generation,
        2
    );
    assert_eq!(
        bed.node().rollback(Some("4"), &options(Mode::Switch), &mut silent).unwrap().generation,
        4
    );
    insta::assert_snapshot!([pin("3", false), pin("0", false)].join("\n"), @"
    no kept generation is `3`: `history` lists them
    generation 0, the host as found, stays without a pin
    ");
    // What somebody left there is nobody's pin, and is in nobody's way.
    fs::write(bed.path("var/lib/cairn/pins/7"), "?").unwrap();
    std::os::unix::fs::symlink("nowhere", bed.path("var/lib/cairn/pins/8")).unwrap();
    bed.node().gc(1, &mut silent).unwrap();
    assert_eq!(kept(), [2, 4]);
    assert_eq!([pin("2", true), pin("2", true)], ["2 true", "2 false"]);
    bed.node().gc(1, &mut silent).unwrap();
    assert_eq!(kept(), [4]);
    // Where pins cannot be read nothing is removed, and a switch does not care.
    fs::remove_dir_all(bed.path("var/lib/cairn/pins")).unwrap();
    fs::write(bed.path("var/lib/cairn/pins"), "?").unwrap();
    assert!(bed.node().gc(0, &mut silent).unwrap_err().message.contains("pins"));
    assert_eq!(bed.switch(&bed.manifest(&[("/etc/a", "5")]), &options(Mode::Switch)), "changed 5");
}

#[test]
fn old_activators_go_with_gc() {
    let bed = Bed::new();
    bed.switch(&bed.manifest(&[("/etc/a", "1")]), &options(Mode::Switch));
    let program = |digit: &str, is_old: bool| {
        let name = digit.repeat(64);
        let folder = bed.path("var/lib/cairn/activator").join(&name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("cairn-activator"), digit).unwrap();
        if is_old {
            let past = std::time::SystemTime::now() - std::time::Duration::from_secs(7200);
            fs::File::open(&folder).unwrap().set_modified(past).unwrap();
        }
        name
    };
    let (current, old, young) = (program("a", true), program("b", true), program("c", false));
    std::os::unix::fs::symlink(&current, bed.path("var/lib/cairn/activator/current")).unwrap();
    assert!(bed.node().gc(10, &mut silent).unwrap().changed);
    let is_there = |name| bed.path("var/lib/cairn/activator").join(name).exists();
    assert_eq!([current, old, young].map(is_there), [true, false, true]);
}

#[test]
fn what_ends_a_cut_off_installation_stays() {
    let bed = Bed::new();
    bed.switch(&bed.manifest(&[("/etc/a", "1")]), &options(Mode::Switch));
    let store = Store::open(bed.path("var/lib/cairn/store")).unwrap();
    let [deb, other] = ["deb", "other"].map(|text| store.put(text.as_bytes()).unwrap());
    let is_there = |id: BlobId| bed.path("var/lib/cairn/store").join(id.to_string()).exists();
    let note = bed.path("var/lib/cairn/packages-underway.json");
    fs::write(&note, format!(r#"{{"installing":{{"before":[],"files":{{"x":"{deb}"}}}}}}"#))
        .unwrap();
    bed.node().gc(1, &mut silent).unwrap();
    assert_eq!([deb, other].map(is_there), [true, false]);
    // A note that nobody can read loses nothing.
    fs::write(&note, "?").unwrap();
    assert!(bed.node().gc(1, &mut silent).unwrap_err().message.contains("packages-underway"));
    assert!(is_there(deb));
    fs::remove_file(&note).unwrap();
    bed.node().gc(1, &mut silent).unwrap();
    assert!(!is_there(deb));
}

#[test]
fn numbers_only_grow_and_an_id_keeps_its_own() {
    let bed = Bed::new();
    let (one, two) = (bed.manifest(&[("/etc/a", "1")]), bed.manifest(&[("/etc/a", "2")]));
    assert_eq!(bed.switch(&one, &options(Mode::Switch)), "changed 1");
    assert_eq!(bed.switch(&two, &options(Mode::Switch)), "changed 2");
    assert_eq!(bed.switch(&one, &options(Mode::Switch)), "changed 1");
    bed.node().gc(0, &mut silent).unwrap();
    assert_eq!(bed.node().status().unwrap().kept.len(), 1);
    assert_eq!(bed.switch(&two, &options(Mode::Switch)), "changed 2");
    let id = Manifest::decode(&one).unwrap().0;
    assert!(!bed.path("var/lib/cairn/store").join(BlobId::of(b"0").to_string()).exists());
    let back = bed.node().rollback(Some(&id.short()), &options(Mode::Switch), &mut silent).unwrap();
    assert_eq!((back.generation, back.changed), (1, true));
    let again = bed.node().rollback(Some("1"), &options(Mode::Switch), &mut silent).unwrap();
    assert!(!again.changed);
}

#[test]
fn a_test_lasts_until_the_next_boot_and_boot_waits_for_it() {
    let bed = Bed::new();
    let (one, two) = (bed.manifest(&[("/etc/a", "1")]), bed.manifest(&[("/etc/a", "2")]));
    bed.switch(&one, &options(Mode::Switch));
    bed.switch(&two, &options(Mode::Test));
    let status = bed.node().status().unwrap();
    assert_eq!((status.generation, status.confirmed, bed.read("etc/a").as_str()), (2, 1, "2"));
    bed.switch(&one, &options(Mode::Switch));
    bed.switch(&two, &options(Mode::Boot));
    let status = bed.node().status().unwrap();
    assert_eq!((status.generation, status.confirmed, bed.read("etc/a").as_str()), (1, 1, "1"));
    assert!(bed.path("var/lib/cairn/next").exists());
}

#[test]
fn a_generation_is_hashed_again_before_it_is_gone_back_to() {
    let bed = Bed::new();
    let (one, two) = (bed.manifest(&[("/etc/a", "1")]), bed.manifest(&[("/etc/a", "2")]));
    bed.switch(&one, &options(Mode::Switch));
    let id = Manifest::decode(&one).unwrap().0;
    let tree = bed.path(&format!("var/lib/cairn/generations/1-{id}/etc/a"));
    bed.switch(&two, &options(Mode::Switch));
    // A damaged tree is laid out again from the store; a damaged store has nothing to offer.
    fs::write(&tree, "sand").unwrap();
    bed.node().rollback(Some("1"), &options(Mode::Switch), &mut silent).unwrap();
    assert_eq!(bed.read("etc/a"), "1");
    bed.switch(&two, &options(Mode::Switch));
    fs::write(&tree, "sand").unwrap();
    let blob = bed.path(&format!("var/lib/cairn/store/{}", BlobId::of(b"1")));
    fs::remove_file(&blob).unwrap();
    fs::write(&blob, "sand").unwrap();
    let failure = bed.node().rollback(Some("1"), &options(Mode::Switch), &mut silent).unwrap_err();
    assert!(failure.unchanged && failure.message.contains("is damaged"), "{failure}");
    assert_eq!(bed.read("etc/a"), "2");
    // Sent again, it is whole.
    assert_eq!(bed.switch(&one, &options(Mode::Switch)), "changed 1");
}

#[test]
fn one_switch_at_a_time() {
    let bed = Bed::new();
    let manifest = bed.manifest(&[("/etc/a", "1")]);
    bed.switch(&manifest, &options(Mode::Switch));
    let lock = fs::File::open(bed.path("var/lib/cairn/lock")).unwrap();
    lock.lock().unwrap();
    let refused = bed.switch(&bed.manifest(&[("/etc/a", "2")]), &options(Mode::Switch));
    assert!(refused.starts_with("another switch is under way (by me@test, since "), "{refused}");
    assert!(bed.node().status().unwrap().switching);
}

#[test]
fn a_dry_run_tells_and_changes_nothing() {
    let bed = Bed::new();
    let mut manifest = Manifest::decode(&bed.manifest(&[("/etc/a", "1")])).unwrap().1;
    let unit = Unit {
        text: Some("[Service]\nExecStart=/bin/true\n".to_owned()),
        wanted_by: ["multi-user.target".to_owned()].into(),
        ..Unit::default()
    };
    manifest.units.insert("a.service".to_owned(), unit);
    let (_, text) = manifest.encode().unwrap();
    let mut told = Vec::new();
    let mut tell = |event| told.push(serde_json::to_string(&event).unwrap());
    bed.node().switch(&text, &bed.store(), &options(Mode::DryActivate), &mut tell).unwrap();
    insta::assert_snapshot!(told.join("\n"), @r#"
{"event":"step","step":"stage"}
{"event":"step","step":"preflight"}
{"event":"action","action":"add-file","path":"/etc/a"}
{"event":"action","action":"add-file","path":"/etc/systemd/system/a.service"}
{"event":"action","action":"add-file","path":"/etc/systemd/system/cairn.target.wants/a.service"}
{"event":"action","action":"unit","unit":"a.service","does":"start"}
"#);
    assert!(!bed.root.path().join("etc").exists());
    assert_eq!(bed.node().status().unwrap().generation, 0);
}

/// What a switch would refuse, a dry run refuses too.
#[test]
fn a_dry_run_tries_what_can_fail() {
    let bed = Bed::new();
    fs::create_dir(bed.root.path().join("etc")).unwrap();
    fs::write(bed.root.path().join("etc/a"), "somebody's").unwrap();
    let text = bed.manifest(&[("/etc/a", "1")]);
    let failure = bed
        .node()
        .switch(&text, &bed.store(), &options(Mode::DryActivate), &mut |_| {})
        .unwrap_err();
    assert!(failure.unchanged && failure.message.contains("/etc/a"), "{failure:?}");
}

#[test]
fn what_is_no_manifest_is_refused() {
    let bed = Bed::new();
    for text in [&b"{}"[..], b"{\"version\":9,\"host\":\"a\"}", b"\xff"] {
        let failure =
            bed.node().switch(text, &bed.store(), &options(Mode::Switch), &mut silent).unwrap_err();
        assert!(failure.unchanged);
    }
    let missing = bed.manifest(&[("/etc/a", "1")]);
    fs::remove_file(bed.blobs.path().join(BlobId::of(b"1").to_string())).unwrap();
    assert!(bed.switch(&missing, &options(Mode::Switch)).starts_with("the store has no blob "));
}
