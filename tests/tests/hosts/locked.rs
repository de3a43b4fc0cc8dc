//! Debian packages that `cairn.lock` names: installed from the generation, on hosts without any archive.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cairn_tests::{Cairn, Case, Deb, Fleet, Host, Lab, Repository};

use crate::settling::same;

pub(crate) const CASES: &[Case] = &[
    ("locked packages come, move, go back and go without an archive", from_the_generation),
    ("what was tampered with is refused, and the host stays as it was", tampered),
    ("a package whose script fails is taken back, another's apt is waited for", scripts_and_locks),
];

const ADDRESS: [u8; 4] = [10, 77, 0, 11];

/// A program, the library that it needs in the same version, and a setting. Of the library's files, each
/// version has some of its own.
pub(crate) fn packages() -> Vec<Deb> {
    let of = |version: &str| {
        let says = format!("#!/bin/sh\ncat /usr/share/libgreet/words\n# {version}\n");
        let greeter = Deb::new("greeter", version)
            .depends(&format!("libgreet (>= {version})"))
            .file("/usr/bin/greeter", &says, 0o755)
            .conffile("/etc/greeter.conf", &format!("# greeter {version}\n"));
        let words = format!("greetings {version}\n");
        let library =
            Deb::new("libgreet", version).file("/usr/share/libgreet/words", &words, 0o644);
        let library = (1..=6).fold(library, |library, number| {
            let shared = format!("/usr/share/libgreet/words-{number}");
            let own = format!("/usr/share/libgreet/{version}/{number}/words");
            library.file(&shared, &words, 0o644).file(&own, &words, 0o644)
        });
        [greeter, library]
    };
    [of("1.0"), of("2.0")].concat()
}

fn from_the_generation() {
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    let repository = Repository::of(&packages());
    let (url, keys) = repository.signed();
    let asking = |packages: &str| asking(&url, packages);
    let fleet =
        Fleet::of("alpha", host.address(), &asking("(pkgs.greeter // { version = \"1.0\"; })"));
    fs::copy(keys, fleet.path().join("keys.gpg")).unwrap();
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let _ = cairn.run(&["switch", "alpha"]).expect(1).says(&["cairn lock"]);
    // The host has no archive, and no list of one.
    host.sh("rm -rf /etc/apt/sources.list /etc/apt/sources.list.d /var/lib/apt/lists");

    let _ = cairn.run(&["lock"]).ok().says(&["greeter=1.0", "libgreet"]);
    let _ = cairn.run(&["switch", "alpha"]).ok();
    is_clean(&host);
    assert_eq!(host.sh("greeter"), "greetings 2.0", "the library is the newest");
    assert_eq!(version(&host, "greeter"), "1.0");
    host.sh("echo mine >>/etc/greeter.conf");

    fleet.define(host.address(), &asking("pkgs.greeter"));
    let _ = cairn.run(&["switch", "alpha"]).expect(1).says(&["cairn lock"]);
    let _ = cairn.run(&["lock"]).ok();
    let _ = cairn.run(&["switch", "alpha"]).ok();
    is_clean(&host);
    assert_eq!(version(&host, "greeter"), "2.0");
    assert!(host.read("/etc/greeter.conf").contains("mine"), "a setting is kept");

    let _ = cairn.run(&["rollback", "alpha"]).ok();
    is_clean(&host);
    assert_eq!(version(&host, "greeter"), "1.0");
    assert!(host.read("/etc/greeter.conf").contains("mine"), "a setting is kept");

    fleet.define(host.address(), &asking(""));
    let _ = cairn.run(&["switch", "alpha"]).ok();
    is_clean(&host);
    assert!(!host.holds("dpkg-query -W greeter libgreet"), "what came with Cairn is gone");
}

/// What the host is asked to have, from the suite of the lab at `url`.
pub(crate) fn asking(url: &str, packages: &str) -> String {
    format!(
        "environment.systemPackages = [ {packages} ];\n\
         debian.archives.lab = {{ url = \"{url}\"; suites = [ \"signed/\" ]; keyring = ./keys.gpg; }};"
    )
}

/// The older ones of [`packages`].
pub(crate) const FIRST: &str =
    "(pkgs.greeter // { version = \"1.0\"; }) (pkgs.libgreet // { version = \"1.0\"; })";

fn tampered() {
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    let (url, keys) = Repository::of(&packages()).signed();
    let archive = lab.directory().join("archive");
    let mut copy = Command::new("cp");
    copy.arg("-r").arg(url.trim_start_matches("file://")).arg(&archive);
    assert!(copy.status().unwrap().success());
    let url = format!("file://{}", archive.display());
    let fleet = Fleet::of("alpha", host.address(), &asking(&url, FIRST));
    fs::copy(keys, fleet.path().join("keys.gpg")).unwrap();
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let _ = cairn.run(&["lock"]).ok();
    let _ = cairn.run(&["switch", "alpha"]).ok();
    is_clean(&host);
    let first = host.snapshot();
    let refused = |what: &[&str], code: i32, words: &[&str]| {
        let _ = cairn.run(what).expect(code).says(words);
        first.assert_same(&host.snapshot());
    };
    fleet.define(host.address(), &asking(&url, "pkgs.greeter"));

    let index = archive.join("signed/Packages");
    with(&index, "libgreet (>= 2.0)", "libgreet (>= 1.0)", || {
        // What is in the cache has the right hash, whatever the archive has.
        let empty = lab.directory().join("empty").display().to_string();
        let anew = Cairn::new(fleet.path()).within(&lab).env("XDG_CACHE_HOME", &empty);
        let _ = anew.run(&["lock"]).expect(1).says(&["lock::archive", "has the SHA-256"]);
        first.assert_same(&host.snapshot());
    });
    with(&archive.join("signed/InRelease"), "Date: ", "Date:  ", || {
        refused(&["lock"], 1, &["lock::archive", "its signature is not good"]);
    });
    let _ = cairn.run(&["lock"]).ok();

    let lock = fleet.path().join("cairn.lock");
    let hash = hash_of(&lock, "greeter_2.0_all.deb");
    with(&lock, &hash, &hash.chars().rev().collect::<String>(), || {
        refused(&["switch", "alpha"], 1, &["package::fetch"]);
    });
    let deb = archive.join("greeter_2.0_all.deb");
    let good = fs::read(&deb).unwrap();
    let evil = fs::read(archive.join("greeter_1.0_all.deb")).unwrap();
    fs::write(&deb, &evil).unwrap();
    refused(&["switch", "alpha"], 1, &["package::fetch"]);
    // One that was tampered with in the cache, and one that was there is gone from the archive.
    fs::write(&deb, &good).unwrap();
    let _ = cairn.run(&["fetch"]).ok();
    let cached =
        holding(&lab.home_directory().join(".cache/cairn"), &good).expect("it was fetched");
    overwrite(&cached, &evil);
    fs::remove_file(&deb).unwrap();
    refused(&["switch", "alpha"], 1, &["package::fetch"]);
    fs::write(&deb, &good).unwrap();
    let _ = cairn.run(&["switch", "alpha"]).ok();
    assert_eq!(version(&host, "greeter"), "2.0");

    // One that lies on the host, and would come back.
    let second = host.snapshot();
    let kept = holding(&host.outside("/var/lib/cairn/store"), &evil).expect("it is kept");
    overwrite(&kept, &good);
    let _ = cairn
        .run(&["rollback", "alpha"])
        .expect(3)
        .says(&["the file of the package greeter", "from its sources"]);
    second.assert_same(&host.snapshot());
    // The fleet has it still.
    fleet.define(host.address(), &asking(&url, FIRST));
    let _ = cairn.run(&["lock"]).ok();
    let _ = cairn.run(&["switch", "alpha"]).ok();
    same(&first, &host);
}

/// Does something while a file has other words in it.
fn with(path: &Path, old: &str, new: &str, act: impl FnOnce()) {
    let good = fs::read_to_string(path).unwrap();
    assert!(good.contains(old), "{} has no {old:?}", path.display());
    fs::write(path, good.replace(old, new)).unwrap();
    act();
    fs::write(path, good).unwrap();
}

/// The hash of a package's file, as the lock has it.
fn hash_of(lock: &Path, file: &str) -> String {
    let lock = fs::read_to_string(lock).unwrap();
    let entry = lock.split('}').find(|entry| entry.contains(file)).expect("it is locked");
    let is_hash =
        |word: &&str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    entry.split('"').find(is_hash).expect("a hash").to_owned()
}

/// The file below `folder` with this content.
fn holding(folder: &Path, content: &[u8]) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let found = files.into_iter().find(|path| fs::read(path).is_ok_and(|found| found == content));
    found.or_else(|| folders.iter().find_map(|folder| holding(folder, content)))
}

/// Files of stores may not be written to, not even by who owns them.
fn overwrite(path: &Path, content: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, content).unwrap();
}

fn scripts_and_locks() {
    let fails = "#!/bin/sh\n[ \"$1\" != configure ] || { echo it does not want to >&2; exit 1; }\n";
    let good = Deb::new("fickle", "1.0").file("/usr/share/fickle/1.0", "1.0\n", 0o644);
    let bad = Deb::new("fickle", "2.0").file("/usr/share/fickle/2.0", "2.0\n", 0o644);
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    let new = Deb::new("stubborn", "1.0").file("/usr/share/stubborn", "1.0\n", 0o644);
    let repository = Repository::of(&[
        good.conffile("/etc/fickle.conf", "1.0\n"),
        bad.conffile("/etc/fickle.conf", "2.0\n").script("postinst", fails),
        new.script("postinst", fails),
    ]);
    let (url, keys) = repository.signed();
    let old = "(pkgs.fickle // { version = \"1.0\"; })";
    let fleet = Fleet::of("alpha", host.address(), &asking(&url, old));
    fs::copy(keys, fleet.path().join("keys.gpg")).unwrap();
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let _ = cairn.run(&["lock"]).ok();

    // Somebody else's apt holds the lock for a while.
    let hold = "use Fcntl; open F, '>>', '/var/lib/dpkg/lock-frontend' or die;
        my $whole = pack('s s x4 q q i x4', F_WRLCK, 0, 0, 0, 0);
        fcntl(F, F_SETLK, $whole) or die;
        open H, '>', '/run/held'; sleep 10;";
    fs::write(host.outside("/run/hold.pl"), hold).unwrap();
    host.sh("systemd-run --quiet --unit=other perl /run/hold.pl");
    host.until("the lock is held", || host.holds("test -e /run/held"));
    let _ = cairn.run(&["switch", "alpha"]).ok().says(&["waiting for another apt or dpkg"]);
    is_clean(&host);
    let before = host.snapshot();

    for packages in ["pkgs.fickle".to_owned(), format!("{old} pkgs.stubborn")] {
        fleet.define(host.address(), &asking(&url, &packages));
        let _ = cairn.run(&["lock"]).ok();
        let failed = cairn.run(&["switch", "alpha"]).expect(3);
        let _ = failed.says(&["could not install", "it does not want to"]);
        is_clean(&host);
        same(&before, &host);
    }
}

fn version(host: &Host<'_>, package: &str) -> String {
    host.sh(&format!("dpkg-query -W -f '${{Version}}' {package}"))
}

/// No package is half there, held back or without what it needs.
pub(crate) fn is_clean(host: &Host<'_>) {
    host.sh("mkdir -p /var/lib/apt/lists/partial && apt-get check");
    assert_eq!(host.sh("dpkg --audit"), "");
    assert_eq!(host.sh("dpkg -l | sed 1,5d | grep -v ^ii || true"), "");
}
