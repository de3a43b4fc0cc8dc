//! Packages of the catalogue: locked against their publishers' lists, built, listed. What publishers
//! have is in a folder, in archives of the real layouts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{Output, cairn_in, fleet};

const K9S: &str = "github.com/derailed/k9s/releases/download/v0.32.7";

/// A fleet whose host `demo` has these packages, and a mirror with k9s.
struct World {
    folder: tempfile::TempDir,
}

impl World {
    fn new(packages: &str) -> World {
        let folder =
            fleet(&[("cairn.nix", "{ outputs = { self, ... }: { hosts.demo = ./demo.nix; }; }\n")]);
        let world = World { folder };
        world.ask(packages, "");
        world.k9s(&[("k9s", 0o755), ("LICENSE", 0o644)]);
        world
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn ask(&self, packages: &str, more: &str) {
        let text = format!(
            "{{ lib, pkgs, ... }}:\n{{\n  environment.systemPackages = with pkgs; [ {packages} ];\n  \
             packages.mirrors.\"https://\" = \"file://{}/\";\n{more}}}\n",
            self.at("mirror").display()
        );
        fs::write(self.at("demo.nix"), text).expect("written");
    }

    /// Puts k9s' archive for both architectures on the mirror, with these members.
    fn k9s(&self, members: &[(&str, u32)]) {
        let folder = self.at("mirror").join(K9S);
        fs::create_dir_all(&folder).expect("a folder");
        let mut list = String::new();
        for arch in ["amd64", "arm64"] {
            let name = format!("k9s_Linux_{arch}.tar.gz");
            let archive = archive(&folder.join(&name), members, arch);
            list += &format!("{archive}  {name}\n");
        }
        fs::write(folder.join("checksums.sha256"), list).expect("written");
    }

    fn cairn(&self, args: &[&str]) -> Output {
        cairn_in(self.folder.path(), args)
    }

    fn locked(&self) {
        let output = self.cairn(&["lock"]);
        assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    }

    fn lock(&self) -> String {
        fs::read_to_string(self.at("cairn.lock")).expect("a lock")
    }

    /// The command is refused with all of these words, and neither lock nor mirror are touched.
    fn refused(&self, args: &[&str], words: &[&str]) {
        let before = fs::read(self.at("cairn.lock")).ok();
        let output = self.cairn(args);
        let said = format!("{}{}", output.stdout, output.stderr);
        assert_eq!(output.code, 1, "{said}");
        let said = said.replace(['│', '×'], " ");
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        for word in words {
            assert!(said.contains(word), "{word} is not in {said}");
        }
        assert_eq!(fs::read(self.at("cairn.lock")).ok(), before);
    }

    /// The generation of `demo`, built.
    fn built(&self) -> (cairn_generation::Manifest, PathBuf) {
        let output = self.cairn(&["build", "demo", "--format", "json"]);
        assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
        let path = output.objects()[0]["path"].as_str().map(PathBuf::from).expect("a path");
        let manifest = fs::read(path.join("manifest.json")).expect("a manifest");
        (cairn_generation::Manifest::decode(&manifest).expect("a manifest").1, path)
    }

    /// A cache with nothing in it.
    fn forget_downloads(&self) {
        fs::remove_dir_all(self.at(".cache")).expect("removed");
    }
}

/// Writes an archive of these members; its SHA-256.
fn archive(path: &Path, members: &[(&str, u32)], says: &str) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let inside = folder.path().join("inside");
    fs::create_dir(&inside).expect("a folder");
    for (name, mode) in members {
        use std::os::unix::fs::PermissionsExt;
        let member = inside.join(name);
        fs::write(&member, format!("#!/bin/sh\necho {name} {says}\n")).expect("written");
        fs::set_permissions(&member, fs::Permissions::from_mode(*mode)).expect("set");
    }
    let mut tar = Command::new("tar");
    tar.args(["--absolute-names", "-czf"]).arg(path).args(members.iter().map(|(name, _)| name));
    assert!(tar.current_dir(&inside).status().expect("tar").success());
    sha256(path)
}

fn sha256(path: &Path) -> String {
    let output = Command::new("sha256sum").arg(path).output().expect("sha256sum");
    String::from_utf8(output.stdout).expect("UTF-8")[..64].to_owned()
}

#[test]
fn a_release_is_locked_against_its_publishers_list() {
    let world = World::new("k9s");
    world.refused(&["check"], &["lock::missing", "cairn.lock does not have k9s v0.32.7"]);
    world.locked();
    let lock: serde_json::Value = serde_json::from_str(&world.lock()).expect("JSON");
    let fetched = &lock["fetched"][format!("https://{K9S}/k9s_Linux_amd64.tar.gz")];
    assert_eq!(fetched["checked"], format!("https://{K9S}/checksums.sha256"));
    let (manifest, _) = world.built();
    let package = &manifest.packages.fetched["k9s"];
    assert_eq!(package.version.as_deref(), Some("v0.32.7"));
    assert_eq!(fetched["sha256"], package.sha256);
    // What is locked and here needs no publisher.
    fs::rename(world.at("mirror"), world.at("gone")).expect("moved");
    assert_eq!(world.cairn(&["lock"]).stdout, "nothing to do: cairn.lock covers the fleet\n");
    let (again, _) = world.built();
    assert_eq!(again, manifest);
}

#[test]
fn each_architecture_has_its_own_download() {
    let world = World::new("k9s");
    world.ask("k9s", "  nixpkgs.hostPlatform = \"aarch64-linux\";\n");
    world.locked();
    assert!(world.lock().contains("arm64") && !world.lock().contains("amd64"));
    let own = |platforms: &str| format!("(lib.fetchPackage {{ name = \"own\"; {platforms} }})");
    world.ask(&own("platforms.aarch64-linux.url = \"https://e.org/own\";"), "");
    let words = ["package::no-platform", "`own` has no download for x86_64-linux", "aarch64-linux"];
    world.refused(&["check"], &words);
    world.ask(&own("platforms.arch64-linux.url = \"https://e.org/own\";"), "");
    let words = ["package::no-platform", "no platform `arch64-linux`", "did you mean `aarch64"];
    world.refused(&["check"], &words);
}

#[test]
fn versions_are_chosen_and_do_not_share_a_host() {
    let world = World::new("(k9s.version \"v0.99.0\")");
    world.refused(&["lock"], &["lock::download", "v0.99.0/k9s_Linux_amd64.tar.gz", "is not there"]);
    let folder = world.at("mirror/github.com/derailed/k9s/releases/download");
    fs::rename(folder.join("v0.32.7"), folder.join("v0.99.0")).expect("moved");
    world.locked();
    assert_eq!(world.built().0.packages.fetched["k9s"].version.as_deref(), Some("v0.99.0"));
    world.ask("k9s (k9s.version \"v0.99.0\")", "");
    world.refused(&["check"], &["resources.packages.fetched.k9s"]);
}

#[test]
fn what_its_publisher_does_not_say_is_refused() {
    let world = World::new("k9s");
    let list = world.at("mirror").join(K9S).join("checksums.sha256");
    let good = fs::read_to_string(&list).expect("read");
    fs::write(&list, "0".repeat(64) + "  k9s_Linux_amd64.tar.gz\n").expect("written");
    world.refused(&["lock"], &["lock::checksum", "do not use it"]);
    fs::write(&list, "").expect("written");
    world.refused(&["lock"], &["lock::checksum", "has no hash of"]);
    fs::remove_file(&list).expect("removed");
    world.refused(&["lock"], &["lock::download", "checksums.sha256"]);
    fs::write(&list, good).expect("written");
    world.locked();
    // Once it is locked, nothing else will do.
    world.forget_downloads();
    world.k9s(&[("k9s", 0o700)]);
    world.refused(&["build", "demo"], &["package::fetch", "it is not what was locked"]);
    let lock = world.lock();
    let hash = lock.split("\"sha256\": \"").nth(1).and_then(|rest| rest.get(..64)).expect("a hash");
    fs::write(world.at("cairn.lock"), lock.replace(hash, &"1".repeat(64))).expect("written");
    world.refused(&["build", "demo"], &["package::fetch"]);
}

#[test]
fn hostile_archives_are_refused() {
    let world = World::new("k9s");
    world.k9s(&[("k9s", 0o755), ("sh", 0o4755)]);
    world.locked();
    let words = ["package::archive", "`sh`, which runs as its owner", "do not use it"];
    world.refused(&["build", "demo"], &words);
    let world = World::new("k9s");
    let outside = "../inside/k9s";
    world.k9s(&[("k9s", 0o755), (outside, 0o644)]);
    world.locked();
    let words = ["package::archive", "`../inside/k9s`, which leaves the archive's own folder"];
    world.refused(&["build", "demo"], &words);
    let world = World::new("k9s");
    world.k9s(&[("LICENSE", 0o644)]);
    world.locked();
    world.refused(&["build", "demo"], &["package::archive", "no member `k9s`", "LICENSE"]);
}

#[test]
fn a_fleets_own_package_takes_three_lines() {
    let world = World::new(
        "(lib.fetchPackage { url = \"https://e.org/own.tar.gz\"; bin = \"own\"; \
         files.\"share/man/man1/own.1\" = \"own.1\"; })",
    );
    let folder = world.at("mirror/e.org");
    fs::create_dir_all(&folder).expect("a folder");
    archive(&folder.join("own.tar.gz"), &[("own", 0o755), ("own.1", 0o644)], "1");
    world.locked();
    assert!(world.lock().contains("\"checked\": \"first use\""));
    let (manifest, path) = world.built();
    let package = &manifest.packages.fetched["own"];
    assert!(package.bin.contains_key("own") && package.files.contains_key("share/man/man1/own.1"));
    assert!(fs::symlink_metadata(path.join("share/man/man1/own.1")).is_ok());
    world.ask("(lib.fetchPackage { url = \"https://e.org/own\"; files.\"../x\" = null; name = \"own\"; })", "");
    world.refused(&["check"], &["package::bad-file", "`../x` is no path in a package"]);
    world.ask("(lib.fetchPackage { url = \"https://e.org/own\"; })", "");
    world.refused(&["check"], &["name::missing-argument", "`name`"]);
    world.ask("(lib.fetchPackage { url = \"https://e.org/own\"; bim = \"own\"; })", "");
    world.refused(&["check"], &["no argument `bim`", "did you mean `bin`"]);
}

#[test]
fn the_catalogue_is_listed() {
    let world = World::new("k9s");
    let all = world.cairn(&["packages", "--format", "json"]).objects();
    let named = |name: &str| all.iter().find(|one| one["name"] == name).expect(name);
    let helm = named("kubernetes-helm");
    assert_eq!((&helm["source"], &helm["licence"]), (&"catalogue".into(), &"Apache-2.0".into()));
    assert_eq!(helm["programs"], serde_json::json!(["helm"]));
    assert!(named("k3s")["versions"].as_array().is_some_and(|all| all.len() > 2));
    // Debian's own: there is nothing else to say of it.
    assert_eq!(named("skopeo")["source"], "Debian");
    for package in all.iter().filter(|one| one["source"] == "catalogue") {
        for field in ["description", "homepage", "licence"] {
            assert!(package[field].is_string(), "{field} of {package}");
        }
        for platform in ["x86_64-linux", "aarch64-linux"] {
            let url = package["urls"][platform].as_str().expect("a URL");
            let version = package["versions"][0].as_str().expect("a version");
            let number = version.trim_start_matches('v').split('+').next().expect("a number");
            assert!(url.starts_with("https://") && url.contains(number), "{url}");
        }
        assert_ne!(package["urls"]["x86_64-linux"], package["urls"]["aarch64-linux"]);
    }
    let words = world.cairn(&["packages", "helm"]).stdout;
    assert!(words.contains("kubernetes-helm  v3.16.4 "), "{words}");
    world.refused(&["packages", "k9z"], &["no package has `k9z` in it", "did you mean `k9s`"]);
}

#[test]
fn why_a_package_is_there() {
    let world = World::new("k9s");
    world.ask("k9s htop", "  services.k3s = { enable = true; tokenFile = \"/x\"; };\n");
    let words = world.cairn(&["why", "demo", "k9s"]).stdout;
    insta::assert_snapshot!(words, @"
    k9s v0.32.7
      from https://github.com/derailed/k9s/releases/download/v0.32.7/k9s_Linux_amd64.tar.gz

      k9s
        environment.systemPackages  demo.nix:3:32 (plain, host)
    ");
    let why = world.cairn(&["why", "demo", "crictl", "--format", "json"]).objects();
    assert_eq!(why[0]["package"], "k3s");
    let asked = &why[0]["chains"][0]["asked"][0];
    assert_eq!(asked["file"], "<cairn>/k3s/default.nix");
    assert_eq!(asked["conditions"][0]["text"], "cfg.enable");
    let words = world.cairn(&["why", "demo", "htop"]).stdout;
    assert!(words.contains("from the host's own apt sources"), "{words}");
    world.refused(&["why", "demo", "k9z"], &["`demo` has no package `k9z`", "did you mean `k9s`"]);
}
