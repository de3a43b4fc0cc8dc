//! Inputs in real repositories, archives and folders: locked, verified, updated, had offline.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout
)]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cairn_fetch::input::{
    Declarations, Described, Entry, InputError, InputLock, Policy, Reference, Resolved, Resolver,
    Update, Wish, Wishes, nar,
};

/// Stands for the language: `cairn.nix` holds a line `PLACE WORD VALUE` for each thing that is said,
/// such as `common url path:../common`, `common.base follows base` or `data flake false`.
struct Lines;

impl Declarations for Lines {
    type Error = InputError;

    fn wishes(&self, tree: &Path, dir: &str, input: &str) -> Result<Described, InputError> {
        let text =
            fs::read_to_string(tree.join(dir).join("cairn.nix")).map_err(|_| InputError {
                code: "input::no-outputs",
                input: input.to_owned(),
                message: "it has no cairn.nix".to_owned(),
                help: "name a tree that has one".to_owned(),
            })?;
        Ok(Described { file: "cairn.nix".to_owned(), wishes: wishes(&text) })
    }
}

fn wishes(text: &str) -> Wishes {
    let mut all = Wishes::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let [place, word, value] = words[..] else { panic!("{line}") };
        let mut parts = place.split('.');
        let first = parts.next().expect("a name").to_owned();
        let wish = parts.fold(all.entry(first).or_default(), |wish: &mut Wish, name| {
            wish.inputs.entry(name.to_owned()).or_default()
        });
        match word {
            "url" => wish.url = Some(Reference::parse(value).expect("a reference")),
            "follows" => wish.follows = Some(value.to_owned()),
            "flake" => wish.has_outputs = Some(value == "true"),
            _ => panic!("{line}"),
        }
    }
    all
}

/// A folder with repositories, a fleet and a cache.
struct Place {
    folder: tempfile::TempDir,
    asked: RefCell<Vec<String>>,
}

impl Place {
    fn new() -> Place {
        let place =
            Place { folder: tempfile::tempdir().expect("a folder"), asked: RefCell::default() };
        fs::create_dir(place.at("fleet")).expect("a folder");
        place
    }

    fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    fn git(&self, repository: &str, words: &[&str]) -> String {
        let output = Command::new("git")
            .current_dir(self.at(repository))
            .args(["-c", "user.name=t", "-c", "user.email=t@t", "-c", "init.defaultBranch=main"])
            .args(words)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_AUTHOR_DATE", "2026-01-02T03:04:05Z")
            .env("GIT_COMMITTER_DATE", "2026-01-02T03:04:05Z")
            .output()
            .expect("git");
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    }

    /// A commit with these files; its revision.
    fn commit(&self, repository: &str, files: &[(&str, &str)]) -> String {
        let folder = self.at(repository);
        if !folder.join(".git").is_dir() {
            fs::create_dir_all(&folder).expect("a folder");
            self.git(repository, &["init", "-q"]);
        }
        for (name, text) in files {
            let file = folder.join(name);
            fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
            fs::write(file, text).expect("written");
        }
        self.git(repository, &["add", "-A"]);
        self.git(repository, &["commit", "-q", "--allow-empty", "-m", "a change"]);
        self.git(repository, &["rev-parse", "HEAD"])
    }

    fn url(&self, repository: &str) -> String {
        format!("git+file://{}", self.at(repository).display())
    }

    fn resolve(
        &self,
        said: &str,
        lock: &InputLock,
        policy: &Policy,
    ) -> Result<Resolved, InputError> {
        self.asked.borrow_mut().clear();
        let said = said.replace("git:", &format!("git+file://{}/", self.folder.path().display()));
        let resolver = Resolver {
            cache: &self.at("cache"),
            fleet: &self.at("fleet"),
            declarations: &Lines,
            progress: &|input| self.asked.borrow_mut().push(input.to_owned()),
        };
        resolver.resolve(&wishes(&said), lock, policy)
    }

    fn lock(&self, said: &str) -> Resolved {
        self.resolve(said, &InputLock::new(), &adding()).unwrap_or_else(|error| panic!("{error}"))
    }

    fn refused(&self, said: &str, lock: &InputLock, policy: &Policy) -> String {
        let error = self.resolve(said, lock, policy).expect_err("refused");
        assert!(!error.help.is_empty());
        let text = format!("{} {}: {}", error.code, error.input, error.message);
        text.replace(&*self.folder.path().to_string_lossy(), "<folder>")
    }
}

fn adding() -> Policy {
    Policy { add: true, ..Policy::default() }
}

fn updating(names: &[&str]) -> Policy {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    Policy { add: true, update: Update::These(names), ..Policy::default() }
}

fn hash(lock: &InputLock, key: &str) -> String {
    match &lock[key] {
        Entry::Locked(locked) => locked.hash.clone(),
        Entry::Follows(_) => panic!("{key} follows"),
    }
}

const COMMON: &str = "base url git:base\ncommon url git:common\ncommon.base follows base";

fn base_and_common() -> Place {
    let place = Place::new();
    place.commit("base", &[("cairn.nix", ""), ("x", "1")]);
    let inner = format!("base url {}", place.url("base"));
    place.commit("common", &[("cairn.nix", &inner), ("run.sh", "#!/bin/sh\n")]);
    place
}

#[test]
fn locked_once_and_then_had_without_asking() {
    let place = base_and_common();
    let first = place.lock(COMMON);
    assert_eq!(*place.asked.borrow(), ["base", "common"]);
    assert_eq!(first.inputs.all["common"].inputs["base"], "base");
    // The hash is Nix's, of the checkout without git's own folder.
    assert_eq!(hash(&first.lock, "base"), nar::hash(&place.at("base")).expect("hashed"));
    // What was had stays usable when its source is gone.
    fs::rename(place.at("base"), place.at("base.gone")).expect("renamed");
    let again = place.resolve(COMMON, &first.lock, &Policy::default()).expect("offline");
    assert_eq!(again.lock, first.lock);
    assert!(place.asked.borrow().is_empty());
    let tree = &again.inputs.all["base"].tree;
    assert_eq!(fs::read_to_string(tree.join("x")).expect("read"), "1");
}

#[test]
fn an_update_moves_what_it_names_and_nothing_else() {
    let place = base_and_common();
    let first = place.lock(COMMON);
    let new = place.commit("base", &[("x", "2")]);
    place.commit("common", &[("y", "2")]);
    let kept = place.resolve(COMMON, &first.lock, &adding()).expect("resolved");
    assert_eq!(kept.lock, first.lock);
    let moved = place.resolve(COMMON, &first.lock, &updating(&["base"])).expect("resolved");
    assert_eq!(moved.lock["common"], first.lock["common"]);
    let Entry::Locked(base) = &moved.lock["base"] else { panic!("it follows") };
    assert_eq!(base.rev.as_deref(), Some(&*new));
    assert_eq!(base.date, Some(1_767_323_045));
}

#[test]
fn a_cache_is_not_believed() {
    let place = base_and_common();
    let first = place.lock(COMMON);
    let tree = first.inputs.all["base"].tree.clone();
    fs::write(tree.join("x"), "evil").expect("written");
    let again = place.resolve(COMMON, &first.lock, &Policy::default()).expect("resolved");
    assert_eq!(fs::read_to_string(again.inputs.all["base"].tree.join("x")).expect("read"), "1");
    // And without a source there is nothing to mend it from.
    fs::write(tree.join("x"), "evil").expect("written");
    fs::remove_dir_all(place.at("cache/git")).expect("removed");
    fs::rename(place.at("base"), place.at("base.gone")).expect("renamed");
    let error = place.resolve(COMMON, &first.lock, &Policy::default()).expect_err("nothing there");
    assert_eq!((error.code, &*error.input), ("input::unreachable", "base"));
}

#[test]
fn an_input_of_an_input_is_as_its_own_lock_has_it() {
    let place = base_and_common();
    let old = place.commit("base", &[("x", "old")]);
    let said = format!("base url {}", place.url("base"));
    let inner = place.lock(&said);
    let text = serde_json::json!({ "version": 1, "inputs": inner.lock }).to_string();
    place.commit("common", &[("cairn.lock", &text)]);
    place.commit("base", &[("x", "new")]);
    let locked = place.lock("common url git:common");
    let Entry::Locked(base) = &locked.lock["common/base"] else { panic!("it follows") };
    assert_eq!(base.rev.as_deref(), Some(&*old));
}

#[test]
fn folders_archives_and_plain_trees() {
    let place = Place::new();
    place.commit("tree", &[("cairn.nix", ""), ("sub/cairn.nix", ""), ("a", "1")]);
    let archive = place.at("tree.tar.gz");
    let words = ["archive", "--format=tar.gz", "--prefix=tree-1/", "-o"];
    place.git("tree", &[&words[..], &[&archive.to_string_lossy(), "HEAD"]].concat());
    let said = format!(
        "plain url path:../tree\nplain flake false\nsub url path:../tree?dir=sub\ntar url file://{}",
        archive.display()
    );
    let locked = place.lock(&said);
    let hashes: Vec<_> = ["plain", "sub", "tar"].map(|key| hash(&locked.lock, key)).into();
    assert!(hashes.iter().all(|hash| *hash == hashes[0]), "{hashes:?}");
    assert_eq!(locked.inputs.all["sub"].dir, "sub");
    assert_eq!(locked.inputs.all["plain"].file, None);
    // A folder is there to be changed: that it was is said, not taken in.
    fs::write(place.at("tree/a"), "2").expect("written");
    let refused = place.refused(&said, &locked.lock, &Policy::default());
    assert!(refused.starts_with("input::changed plain: the folder ../tree is not as"), "{refused}");
    let overrides = BTreeMap::from([
        ("plain".to_owned(), place.at("tree")),
        ("sub".to_owned(), place.at("tree/sub")),
    ]);
    let policy = Policy { overrides, ..Policy::default() };
    let other = place.resolve(&said, &locked.lock, &policy).expect("resolved");
    assert_eq!(other.lock, locked.lock);
    assert!(other.inputs.all["plain"].locked.hash.is_empty());
}

#[test]
fn copies_in_the_fleet_come_first_and_are_verified() {
    let place = base_and_common();
    let first = place.lock(COMMON);
    let copy = place.at("fleet/vendor/base");
    fs::create_dir_all(&copy).expect("a folder");
    for name in ["cairn.nix", "x"] {
        fs::copy(first.inputs.all["base"].tree.join(name), copy.join(name)).expect("copied");
    }
    let again = place.resolve(COMMON, &first.lock, &Policy::default()).expect("resolved");
    assert_eq!(again.inputs.all["base"].tree, copy);
    fs::write(copy.join("x"), "2").expect("written");
    let refused = place.refused(COMMON, &first.lock, &Policy::default());
    assert!(refused.starts_with("input::changed base: vendor/base is not as it"), "{refused}");
}

#[test]
fn what_is_refused() {
    let place = base_and_common();
    let locked = place.lock(COMMON).lock;
    let none = InputLock::new();
    place.commit("circle", &[("cairn.nix", "again url git+file:../circle")]);
    place.commit("greedy", &[("cairn.nix", "etc url path:/etc\netc flake false")]);
    place.commit("up", &[("cairn.nix", "up url path:../../..\nup flake false")]);
    place.commit("bare", &[("x", "")]);
    let url = place.url("circle");
    place.commit("circle", &[("cairn.nix", &format!("again url {url}"))]);
    let refuse = |said: &str| place.refused(said, &none, &adding());
    let mut said = vec![
        place.refused(COMMON, &none, &Policy::default()),
        place.refused(&COMMON.replace("git:base", "git:common"), &locked, &Policy::default()),
        refuse("a follows b\nb follows a"),
        refuse("a follows nothing"),
        refuse("a flake false"),
        refuse("self url git:base"),
        refuse("common url git:common\ncommon.bas follows base"),
        refuse("bare url git:bare"),
        refuse("circle url git:circle"),
        refuse("greedy url git:greedy"),
        refuse("up url git:up"),
        refuse("x url path:../nothing"),
        refuse(&format!("base url git:base?rev={}", "0".repeat(40))),
        refuse("base url git:base?ref=nothing"),
    ];
    // A lock that says another content of a revision.
    let mut other = locked.clone();
    if let Some(Entry::Locked(base)) = other.get_mut("base") {
        base.hash = hash(&locked, "common");
    }
    fs::remove_dir_all(place.at("cache/inputs")).expect("removed");
    said.push(place.refused(COMMON, &other, &Policy::default()));
    if let Some(Entry::Locked(base)) = other.get_mut("base") {
        base.hash = "sha256-../../../etc".to_owned();
    }
    said.push(place.refused(COMMON, &other, &Policy::default()));
    let said: Vec<String> = said.iter().map(|line| hide_hashes(line)).collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    input::not-locked base: cairn.lock does not have the input `base`
    input::not-locked base: cairn.lock has `base` from git+file://<folder>/base, not from git+file://<folder>/common
    input::cycle a: the inputs follow each other in a circle: a → b → a
    input::unknown a: `a` follows `nothing`, and there is no such input
    input::no-url a: the input `a` has no `url`
    input::bad-name self: `self` is no name for an input
    input::unknown common: `common` has no input `bas`
    input::no-outputs bare: it has no cairn.nix
    input::cycle circle/again: the inputs go in a circle: `circle/again` is the same tree as one that it is below
    input::outside greedy/etc: `path:/etc` leads out of the input that names it
    input::outside up/up: `path:../../..` leads out of the input that names it
    input::unreachable x: the folder <folder>/fleet/../nothing cannot be read: No such file or directory (os error 2)
    input::gone base: the repository file://<folder>/base has no revision 0000000000000000000000000000000000000000 any more
    input::unreachable base: `nothing` of the repository file://<folder>/base cannot be fetched: fatal: couldn't find remote ref nothing
    input::changed base: git+file://<folder>/base has another content at <rev> than when it was locked: its hash is <hash> not <hash>
    input::bad-lock base: `sha256-../../../etc` in the lock is no hash of a tree
    ");
}

#[test]
fn a_revision_that_is_gone() {
    let place = base_and_common();
    let first = place.lock("base url git:base");
    place.git("base", &["commit", "-q", "--amend", "-m", "another past"]);
    place.git("base", &["reflog", "expire", "--expire=now", "--all"]);
    place.git("base", &["gc", "-q", "--prune=now"]);
    fs::remove_dir_all(place.at("cache")).expect("removed");
    let refused = place.refused("base url git:base", &first.lock, &Policy::default());
    assert!(
        refused.starts_with("input::gone base: the repository file://<folder>/base"),
        "{refused}"
    );
}

/// Hashes and revisions name folders that another run has elsewhere.
fn hide_hashes(text: &str) -> String {
    let is_digits = |word: &str| word.len() == 40 && !word.starts_with("00");
    let words = text.split(' ').map(|word| match word {
        hash if hash.starts_with("sha256-") && hash.len() > 40 => "<hash>",
        rev if is_digits(rev) => "<rev>",
        word => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

/// An entry of an archive: its type, name, mode, and what a link leads to.
type Entry4<'e> = (tar::EntryType, &'e [u8], u32, &'e str);

/// An archive as somebody makes it who means no good: names go in as they are.
fn archive(place: &Place, name: &str, entries: &[Entry4<'_>]) -> String {
    let file = place.at(name);
    let mut archive = tar::Builder::new(fs::File::create(&file).expect("made"));
    for (kind, name, mode, to) in entries {
        let mut header = tar::Header::new_gnu();
        header.as_gnu_mut().expect("a header").name[..name.len()].copy_from_slice(name);
        header.set_entry_type(*kind);
        header.set_mode(*mode);
        header.set_mtime(1_767_323_045);
        header.set_size(0);
        header.set_link_name_literal(to).expect("a link");
        header.set_cksum();
        archive.append(&header, &[][..]).expect("added");
    }
    archive.finish().expect("written");
    format!("tar url file://{}\ntar flake false", file.display())
}

#[test]
fn archives_that_mean_no_good() {
    use tar::EntryType as Kind;
    let place = Place::new();
    let none = InputLock::new();
    let refuse = |entries: &[Entry4<'_>]| {
        let said = archive(&place, "bad.tar", entries);
        let refused = place.refused(&said, &none, &adding());
        // Nothing is left where trees are kept.
        let kept = fs::read_dir(place.at("cache/inputs")).into_iter().flatten().count();
        assert_eq!(kept, 0, "{refused}");
        refused
    };
    let file = |name: &'static [u8]| (Kind::Regular, name, 0o644, "");
    let said = [
        refuse(&[file(b"../../evil")]),
        refuse(&[file(b"a/../../evil")]),
        refuse(&[file(b"/etc/evil")]),
        refuse(&[(Kind::Symlink, b"a", 0o777, "/tmp"), file(b"a/evil"), file(b"b")]),
        refuse(&[file(b".git/hooks/post-checkout"), file(b"b")]),
        refuse(&[(Kind::Link, b"passwd", 0o644, "/etc/passwd"), file(b"b")]),
        refuse(&[(Kind::Fifo, b"pipe", 0o644, ""), file(b"b")]),
        refuse(&[(Kind::Char, b"null", 0o644, ""), file(b"b")]),
        refuse(&[(Kind::Regular, b"su", 0o4755, ""), file(b"b")]),
        refuse(&[file(b"Base.nix"), file(b"base.nix")]),
        refuse(&[file(b"twice"), file(b"twice"), file(b"b")]),
        refuse(&[file(b"odd-\xff"), file(b"b")]),
    ];
    insta::assert_snapshot!("archives", said.join("\n"));
    assert!(!place.at("evil").exists() && !Path::new("/etc/evil").exists());
    // What is cut off, or no archive at all.
    fs::write(place.at("cut.tar.gz"), b"\x1f\x8b\x08\x00cut").expect("written");
    fs::write(place.at("page.tar"), "<html>Not found</html>".repeat(40)).expect("written");
    fs::write(place.at("cut.tar.xz"), b"\xfd7zXZ\x00cut").expect("written");
    for name in ["cut.tar.gz", "page.tar", "cut.tar.xz"] {
        let said = format!("tar url file://{}\ntar flake false", place.at(name).display());
        let refused = place.refused(&said, &none, &adding());
        assert!(
            refused.starts_with("input::bad-archive tar: the archive cannot be read"),
            "{refused}"
        );
    }
}

#[test]
fn an_archive_is_read_however_it_is_packed() {
    let place = Place::new();
    place.commit("tree", &[("cairn.nix", ""), ("folder/a", "1")]);
    let plain = place.at("tree.tar");
    let words = ["archive", "--format=tar", "--prefix=tree-1/", "-o"];
    place.git("tree", &[&words[..], &[&plain.to_string_lossy(), "HEAD"]].concat());
    let bytes = fs::read(&plain).expect("read");
    let mut xz = Vec::new();
    lzma_rs::xz_compress(&mut &bytes[..], &mut xz).expect("packed");
    fs::write(place.at("tree.tar.xz"), xz).expect("written");
    let zstd = zstd::encode_all(&bytes[..], 3).expect("packed");
    fs::write(place.at("tree.tar.zst"), zstd).expect("written");
    let url = |name: &str| format!("file://{}", place.at(name).display());
    let said = format!(
        "a url {}\nb url {}\nc url {}\nd url path:../tree",
        url("tree.tar"),
        url("tree.tar.xz"),
        url("tree.tar.zst")
    );
    let locked = place.lock(&said);
    let hashes: Vec<_> = ["a", "b", "c", "d"].map(|key| hash(&locked.lock, key)).into();
    assert!(hashes.iter().all(|hash| *hash == hashes[0]), "{hashes:?}");
}

#[test]
fn repositories_with_submodules_long_pasts_and_names_of_two_cases() {
    let place = Place::new();
    let head = place.commit("tree", &[("cairn.nix", ""), ("a", "1")]);
    place.git("tree", &["update-index", "--add", "--cacheinfo", &format!("160000,{head},lib/sub")]);
    place.git("tree", &["commit", "-q", "-m", "A submodule"]);
    let locked = place.lock("tree url git:tree");
    let notes: Vec<_> = locked.notes.iter().map(|note| (&*note.input, &*note.message)).collect();
    assert_eq!(notes, [("tree", "the submodule `lib/sub` is an empty folder here")]);
    let sub = locked.inputs.all["tree"].tree.join("lib/sub");
    assert_eq!(fs::read_dir(sub).expect("a folder").count(), 0);
    // Of a long past one commit is fetched, and what is asked for by revision likewise.
    for number in 0..20 {
        place.commit("long", &[("cairn.nix", ""), ("n", &number.to_string())]);
    }
    let old = place.git("long", &["rev-parse", "HEAD~7"]);
    let locked = place.lock(&format!("old url git:long?rev={old}"));
    assert_eq!(fs::read_to_string(locked.inputs.all["old"].tree.join("n")).expect("read"), "12");
    let counts =
        fs::read_dir(place.at("cache/git")).expect("copies").flatten().filter_map(|copy| {
            let mut count = Command::new("git");
            count.arg("-C").arg(copy.path()).args(["rev-list", "--count", &old]);
            let count = count.output().expect("git");
            count.status.success().then(|| String::from_utf8_lossy(&count.stdout).trim().to_owned())
        });
    assert_eq!(counts.collect::<Vec<_>>(), ["1"]);
    // A repository that is itself shallow gives what it has.
    let (from, to) = (place.url("long"), place.at("shallow").display().to_string());
    place.git("tree", &["clone", "-q", "--depth=1", &from.replace("git+", ""), &to]);
    let locked = place.lock("shallow url git:shallow");
    assert_eq!(
        fs::read_to_string(locked.inputs.all["shallow"].tree.join("n")).expect("read"),
        "19"
    );

    place.commit("case", &[("cairn.nix", ""), ("Base.nix", ""), ("base.nix", "")]);
    let refused = place.refused("case url git:case", &InputLock::new(), &adding());
    assert!(
        refused.starts_with("input::case case: `Base.nix` and `base.nix` are one"),
        "{refused}"
    );
}

#[test]
fn without_a_network_it_says_what_could_not_be_reached() {
    let place = Place::new();
    for url in ["git+https://127.0.0.1:1/x.git", "https://127.0.0.1:1/x.tar.gz"] {
        let refused = place.refused(&format!("far url {url}"), &InputLock::new(), &adding());
        assert!(refused.starts_with("input::unreachable far: "), "{refused}");
        assert!(refused.contains("127.0.0.1:1"), "{refused}");
    }
}

#[test]
fn a_lock_of_an_input_that_cannot_be_read_is_said() {
    let place = Place::new();
    place.commit("bad", &[("cairn.nix", ""), ("cairn.lock", "<<<<<<< ours\n")]);
    place.commit("folder", &[("cairn.nix", ""), ("cairn.lock/x", "")]);
    place.commit("flake", &[("cairn.nix", ""), ("flake.lock", "{ }")]);
    let refuse = |said: &str| place.refused(said, &InputLock::new(), &adding());
    insta::assert_snapshot!("locks_of_inputs", [
        refuse("bad url git:bad"),
        refuse("folder url git:folder"),
        refuse("flake url git:flake"),
    ].join("\n"));
}
