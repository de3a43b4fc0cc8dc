//! Debian packages, by apt. What was on the host before is never removed; what came with a package
//! that a generation named, its dependencies included, goes with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use cairn_generation::Manifest;
use cairn_generation::manifest::DebianPackage;
use cairn_generation::wire::{Drift, DriftKind};

use crate::disk::Disk;
use crate::error::{Error, io};
use crate::host::command::Run;
use crate::host::debs::{self, Debs};
use crate::origin::Origin;
use crate::state::{State, read_json, write_json};

/// Downloads and maintainer scripts take their time.
const PATIENCE: Duration = Duration::from_secs(1800);

const POLICY: &str = "/usr/sbin/policy-rc.d";
/// Daemons are the generation's to start: a package's script may not.
const NO_STARTS: &str =
    "#!/bin/sh\n# cairn: no service starts while packages are installed\nexit 101\n";
/// Those of a package that goes end with it.
const ONLY_STOPS: &str = "#!/bin/sh\n# cairn: no service starts while packages are removed\n\
    case $2 in stop | force-stop) exit 0 ;; esac\nexit 101\n";

/// Names of the packages of `to` that the host lacks, or has in a version that does not do.
///
/// # Errors
/// When dpkg does not answer.
pub(crate) fn missing(to: &Manifest, origin: &Origin) -> Result<BTreeSet<String>, Error> {
    let mut missing = BTreeSet::new();
    if to.packages.debian.is_empty() {
        return Ok(missing);
    }
    let installed = installed()?;
    for (name, package) in &to.packages.debian {
        let there = installed.get(name);
        let does = there.map(|there| debs::will_do(name, there, package, origin)).transpose()?;
        if does != Some(true) {
            missing.insert(name.clone());
        }
    }
    Ok(missing)
}

/// As apt takes them: files that the generation brings, or `name` or `name=version`.
fn arguments(names: &BTreeSet<String>, to: &Manifest, debs: &Debs) -> Result<Vec<String>, Error> {
    let packages = names.iter().filter_map(|name| to.packages.debian.get_key_value(name));
    packages
        .map(|(name, package)| {
            let plain = argument(name, package)?;
            Ok(debs.argument(name).unwrap_or(plain))
        })
        .collect()
}

/// Packages that are not installed as `manifest` says.
///
/// # Errors
/// When dpkg does not answer.
pub(crate) fn drift(manifest: &Manifest, origin: &Origin) -> Result<Vec<Drift>, Error> {
    if manifest.packages.debian.is_empty() {
        return Ok(Vec::new());
    }
    let installed = installed()?;
    let mut all = Vec::new();
    for (name, package) in &manifest.packages.debian {
        let drift = |what| Drift::new(DriftKind::Package, name, what);
        match installed.get(name) {
            None => all.push(drift("is not installed")),
            Some(there) if !debs::will_do(name, there, package, origin)? => {
                let wanted = package.version.as_deref().unwrap_or_default();
                all.push(drift("has another version").between(wanted, there));
            }
            Some(_) => {}
        }
    }
    Ok(all)
}

/// Asks apt whether it could install what is missing; where that comes from the host's archives, their
/// lists are read anew when it could not.
///
/// # Errors
/// When it could not; with what it says.
pub(crate) fn check(state: &State, to: &Manifest, missing: &BTreeSet<String>) -> Result<(), Error> {
    if missing.is_empty() {
        return Ok(());
    }
    let debs = Debs::lay_out(state, to)?;
    let wanted = arguments(missing, to, &debs)?;
    let simulate = || {
        let simulated = apt().args(debs.options()).args(["--simulate", "install"]);
        simulated.args(wanted.iter().cloned()).end()
    };
    let mut ended = simulate()?;
    if !ended.success && debs.options().is_empty() {
        apt().args(["update"]).within(PATIENCE).end()?;
        ended = simulate()?;
    }
    match ended.success {
        true => Ok(()),
        false => {
            Err(Error::refused(format!("apt cannot install {}: {}", listed(missing), ended.said())))
        }
    }
}

fn listed(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(" ")
}

/// Installs what `to` lacks, and remembers what appeared.
///
/// # Errors
/// When apt fails.
pub(crate) fn install(
    disk: &Disk,
    state: &State,
    to: &Manifest,
    origin: &mut Origin,
) -> Result<(), Error> {
    finish_interrupted(disk, state, to, origin)?;
    let missing = missing(to, origin)?;
    if missing.is_empty() {
        return Ok(());
    }
    let note = state.file("packages-before.json");
    write_json(disk, &note, &installed()?.into_keys().collect::<BTreeSet<_>>())?;
    let debs = Debs::lay_out(state, to)?;
    let wanted = arguments(&missing, to, &debs)?;
    let quiet = Quiet::begin(disk, NO_STARTS)?;
    let ended = apt().args(debs.options()).args(["install"]).args(wanted).within(PATIENCE).end();
    drop(quiet);
    let ended = ended?;
    match ended.success {
        true => record(disk, state, origin),
        // What it left is made whole on the way back.
        false => Err(Error::refused(format!(
            "apt could not install {}: {}",
            listed(&missing),
            ended.said()
        ))),
    }
}

/// An apt that was killed leaves dpkg interrupted about every second time: packages that are not
/// configured yet, or of which only half is there.
fn finish_interrupted(
    disk: &Disk,
    state: &State,
    to: &Manifest,
    origin: &mut Origin,
) -> Result<(), Error> {
    let note = state.file("packages-before.json");
    let Some(before) = read_json::<BTreeSet<String>>(&note)? else { return Ok(()) };
    let quiet = Quiet::begin(disk, NO_STARTS)?;
    let mended =
        Run::new("dpkg").args(["--configure", "-a", "--force-confold"]).within(PATIENCE).end();
    let made_whole = mended.and_then(|_| make_whole(&before, state, to));
    drop(quiet);
    made_whole?;
    record(disk, state, origin)
}

/// Packages that are half there are unpacked once more: dpkg does not know yet what of their files lies
/// there. Those that came with us go with the others that nothing needs.
fn make_whole(before: &BTreeSet<String>, state: &State, to: &Manifest) -> Result<(), Error> {
    let torn = torn()?;
    if torn.is_empty() {
        return Ok(());
    }
    let debs = Debs::lay_out(state, to)?;
    // Where all of them are at hand, no archive is asked.
    let files: Option<Vec<String>> = torn.iter().map(|name| debs.argument(name)).collect();
    let options = if files.is_some() { debs.options() } else { Vec::new() };
    let wanted = files.unwrap_or_else(|| torn.iter().cloned().collect());
    let again = apt().args(options).args(["--reinstall", "install"]).args(wanted);
    let ended = again.within(PATIENCE).end()?;
    if ended.success {
        return Ok(());
    }
    // They cannot be had any more.
    let new: Vec<String> = torn.difference(before).cloned().collect();
    if new.len() < torn.len() {
        return Err(Error::refused(format!("apt left packages half installed: {}", ended.said())));
    }
    Run::new("dpkg")
        .args(["--purge", "--force-remove-reinstreq", "--force-depends", "--"])
        .args(new)
        .within(PATIENCE)
        .succeed()
        .map(drop)
}

/// Packages between two states, or of which dpkg says that they must be installed again.
fn torn() -> Result<BTreeSet<String>, Error> {
    let listed = Run::new("dpkg-query")
        .args(["-W", "-f=${db:Status-Eflag} ${db:Status-Status} ${Package}\\n"])
        .succeed()?;
    let mut torn = BTreeSet::new();
    for line in listed.lines() {
        let mut words = line.split(' ');
        let (flag, status) = (words.next(), words.next().unwrap_or_default());
        let between = ["half-installed", "unpacked", "half-configured"].contains(&status);
        if let Some(name) = words.next().filter(|_| between || flag == Some("reinstreq")) {
            torn.insert(name.to_owned());
        }
    }
    Ok(torn)
}

/// What is there now and was not before came with us.
fn record(disk: &Disk, state: &State, origin: &mut Origin) -> Result<(), Error> {
    let note = state.file("packages-before.json");
    let before: BTreeSet<String> = read_json(&note)?.unwrap_or_default();
    let now = installed()?;
    for name in now.into_keys().filter(|name| !before.contains(name)) {
        // Should the host go back, there is something to remove.
        origin.settled.insert(name.clone());
        origin.packages.insert(name);
    }
    origin.save(disk, state)?;
    disk.remove_file(&note)
}

/// Removes what came with Cairn and nothing needs any more.
///
/// # Errors
/// When apt fails.
pub(crate) fn settle(
    disk: &Disk,
    state: &State,
    to: &Manifest,
    origin: &mut Origin,
) -> Result<(), Error> {
    finish_interrupted(disk, state, to, origin)?;
    if is_settled(state, to, origin) {
        return Ok(());
    }
    let there = installed()?;
    origin.packages.retain(|name| there.contains_key(name));
    let (named, loose): (BTreeSet<String>, BTreeSet<String>) =
        origin.packages.iter().cloned().partition(|name| to.packages.debian.contains_key(name));
    mark("manual", &named)?;
    mark("auto", &loose)?;
    let unneeded: BTreeSet<String> =
        simulated(&["autoremove"])?.intersection(&loose).cloned().collect();
    if !unneeded.is_empty() {
        let mut purge = vec!["purge"];
        purge.extend(unneeded.iter().map(String::as_str));
        let along = simulated(&purge)?;
        if let Some(other) = along.difference(&loose).next() {
            return Err(Error::refused(format!(
                "packages that Cairn installed stay, because {other}, which it did not, would go with them"
            )));
        }
        let quiet = Quiet::begin(disk, ONLY_STOPS)?;
        let ended = apt().args(purge).within(PATIENCE).succeed();
        drop(quiet);
        ended?;
        let there = installed()?;
        origin.packages.retain(|name| there.contains_key(name));
    }
    origin.settled = to.packages.debian.keys().cloned().collect();
    Ok(())
}

/// Whether [`settle`] has nothing to do for `to`. dpkg is not asked.
pub(crate) fn is_settled(state: &State, to: &Manifest, origin: &Origin) -> bool {
    let interrupted = fs::symlink_metadata(state.file("packages-before.json")).is_ok();
    !interrupted && (origin.packages.is_empty() || !leaves(to, origin))
}

/// Whether packages were named since the last removal that `to` does not name.
fn leaves(to: &Manifest, origin: &Origin) -> bool {
    let now: BTreeSet<String> = to.packages.debian.keys().cloned().collect();
    now != origin.settled
}

fn mark(how: &str, names: &BTreeSet<String>) -> Result<(), Error> {
    if names.is_empty() {
        return Ok(());
    }
    Run::new("apt-mark").args([how]).args(names.iter().cloned()).succeed().map(drop)
}

/// Packages that apt would remove.
fn simulated(arguments: &[&str]) -> Result<BTreeSet<String>, Error> {
    let said = apt()
        .args(["--simulate"])
        .args([
            "-oAPT::AutoRemove::RecommendsImportant=false",
            "-oAPT::AutoRemove::SuggestsImportant=false",
        ])
        .args(arguments.iter().copied())
        .succeed()?;
    let removed = said.lines().filter_map(|line| {
        let name = line.strip_prefix("Remv ").or_else(|| line.strip_prefix("Purg "))?;
        name.split([' ', ':']).next()
    });
    Ok(removed.map(str::to_owned).collect())
}

fn installed() -> Result<BTreeMap<String, String>, Error> {
    let listed = Run::new("dpkg-query")
        .args(["-W", "-f=${db:Status-Status} ${Package} ${Version}\\n"])
        .succeed()?;
    let mut installed = BTreeMap::new();
    for line in listed.lines() {
        if let Some((name, version)) =
            line.strip_prefix("installed ").and_then(|rest| rest.split_once(' '))
        {
            installed.insert(name.to_owned(), version.to_owned());
        }
    }
    Ok(installed)
}

fn apt() -> Run<'static> {
    Run::new("apt-get")
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("APT_LISTCHANGES_FRONTEND", "none")
        .args([
            "--yes",
            "--quiet=2",
            "--no-install-recommends",
            "--allow-downgrades",
            "-oDpkg::Options::=--force-confdef",
            "-oDpkg::Options::=--force-confold",
            "-oDpkg::Use-Pty=0",
            "-oDPkg::Lock::Timeout=120",
        ])
}

fn argument(name: &str, package: &DebianPackage) -> Result<String, Error> {
    let plain = |text: &str, more: &[u8]| {
        text.bytes().next().is_some_and(|c| c.is_ascii_alphanumeric())
            && text.bytes().all(|c| c.is_ascii_alphanumeric() || more.contains(&c))
    };
    // A name that ends in `+` or `-` is an instruction to apt.
    if !plain(name, b"+-.") || name.ends_with(['-', '+']) && !name.ends_with("++") {
        return Err(Error::refused(format!("`{name}` is no name of a Debian package")));
    }
    match &package.version {
        None => Ok(name.to_owned()),
        Some(version) if plain(version, b"+-.~:") => Ok(format!("{name}={version}")),
        Some(version) => {
            Err(Error::refused(format!("`{version}` is no version of the package {name}")))
        }
    }
}

/// While it lives, no package's script starts a service.
struct Quiet<'a> {
    disk: &'a Disk,
    ours: bool,
}

impl<'a> Quiet<'a> {
    fn begin(disk: &'a Disk, policy: &str) -> Result<Self, Error> {
        let path = Path::new(POLICY);
        // A host's own policy stands; one that a killed switch left is ours.
        let is_ours =
            |text: Vec<u8>| [NO_STARTS, ONLY_STOPS].iter().any(|our| our.as_bytes() == text);
        let ours = fs::read(path).map_or(true, is_ours);
        if ours {
            disk.replace_file(path, policy.as_bytes(), 0o755, None)?;
            fs::set_permissions(path, fs::Permissions::from_mode(0o755))
                .map_err(io("set the mode of", path))?;
        }
        Ok(Self { disk, ours })
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        if self.ours {
            // What is left is recognised as ours the next time.
            let _ = self.disk.remove_file(Path::new(POLICY));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_instruct_apt_are_refused() {
        let package = |version: Option<&str>| DebianPackage {
            version: version.map(str::to_owned),
            ..DebianPackage::default()
        };
        assert_eq!(argument("g++", &package(Some("1:2.0~rc1-1"))).unwrap(), "g++=1:2.0~rc1-1");
        for (name, version) in
            [("-o", None), ("a-", None), ("a+", None), ("a b", None), ("a", Some("1 -o"))]
        {
            assert!(argument(name, &package(version)).is_err(), "{name} {version:?}");
        }
    }
}
