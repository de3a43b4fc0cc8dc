//! Debian packages, by apt. What was on the host before is never removed; what came with a package
//! that a generation named, its dependencies included, goes with it.

use std::collections::{BTreeMap, BTreeSet};

use cairn_generation::manifest::DebianPackage;
use cairn_generation::wire::{Drift, DriftKind};
use cairn_generation::{BlobId, Manifest};

use crate::disk::Disk;
use crate::error::Error;
use crate::host::command::Run;
use crate::host::debs::{self, Debs};
use crate::host::dpkg::{self, PATIENCE, Quiet};
use crate::host::underway::Underway;
use crate::origin::Origin;
use crate::state::State;
use crate::system::Tell;

/// Names of the packages of `to` that the host lacks, or has in a version that does not do.
///
/// # Errors
/// When dpkg does not answer.
pub(crate) fn missing(to: &Manifest, origin: &Origin) -> Result<BTreeSet<String>, Error> {
    let mut missing = BTreeSet::new();
    if to.packages.debian.is_empty() {
        return Ok(missing);
    }
    let installed = dpkg::installed()?;
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
    let installed = dpkg::installed()?;
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
    // Until what was cut off is ended, apt refuses everything: that comes first, when packages are installed.
    if missing.is_empty() || Underway::load(state)?.is_some() {
        return Ok(());
    }
    let debs = Debs::lay_out(state, files(to, missing))?;
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
    tell: Tell,
) -> Result<(), Error> {
    end_cut_off(disk, state, to, origin, tell)?;
    let missing = missing(to, origin)?;
    if missing.is_empty() {
        return Ok(());
    }
    dpkg::wait_for_others(tell)?;
    let before = dpkg::installed()?.into_keys().collect();
    bring(disk, state, to, origin, (&missing, before))
}

/// Installs `missing`, on a host that had the packages `before`.
fn bring(
    disk: &Disk,
    state: &State,
    to: &Manifest,
    origin: &mut Origin,
    (missing, before): (&BTreeSet<String>, BTreeSet<String>),
) -> Result<(), Error> {
    let files = files(to, missing);
    let debs = Debs::lay_out(state, files.clone())?;
    let wanted = arguments(missing, to, &debs)?;
    let underway = Underway::Installing { before, files };
    underway.begin(disk, state)?;
    let quiet = Quiet::begin(disk, dpkg::NO_STARTS)?;
    let ended = apt().args(debs.options()).args(["install"]).args(wanted).within(PATIENCE).end();
    drop(quiet);
    let ended = ended?;
    match ended.success {
        true => underway.close(disk, state, origin),
        // What it left is ended on the way back.
        false => Err(Error::refused(format!(
            "apt could not install {}: {}",
            listed(missing),
            ended.said()
        ))),
    }
}

/// The package files that `to` brings of `names`.
fn files(to: &Manifest, names: &BTreeSet<String>) -> BTreeMap<String, BlobId> {
    let packages = names.iter().filter_map(|name| to.packages.debian.get_key_value(name));
    packages.filter_map(|(name, package)| Some((name.clone(), package.blob?))).collect()
}

/// Ends what apt was doing when it was cut off, see [`Underway`]. What cannot be finished is taken back, to
/// what `to` has of it.
fn end_cut_off(
    disk: &Disk,
    state: &State,
    to: &Manifest,
    origin: &mut Origin,
    tell: Tell,
) -> Result<(), Error> {
    let Some(underway) = Underway::load(state)? else { return Ok(()) };
    // dpkg may have outlived the apt that started it.
    dpkg::wait_for_others(tell)?;
    match &underway {
        Underway::Removing { names } => {
            let _quiet = Quiet::begin(disk, dpkg::ONLY_STOPS)?;
            dpkg::purge_begun(names)?;
        }
        Underway::Installing { before, files } => {
            let quiet = Quiet::begin(disk, dpkg::NO_STARTS)?;
            let stuck = finish(state, files)?;
            drop(quiet);
            if let Some(why) = stuck {
                purge_new(disk, files, before, &why)?;
                let missing = missing(to, origin)?;
                if !dpkg::torn()?.is_empty() {
                    if missing.is_empty() {
                        return Err(Error::refused(format!(
                            "apt left packages half installed: {why}"
                        )));
                    }
                    return bring(disk, state, to, origin, (&missing, before.clone()));
                }
            }
        }
    }
    underway.close(disk, state, origin)
}

/// Lets dpkg go on where it can by itself, unpacks what is half there once more, and lets apt install the rest:
/// these packages may need each other. Where it could not either, why.
fn finish(state: &State, files: &BTreeMap<String, BlobId>) -> Result<Option<String>, Error> {
    // How it ended is what is torn then.
    dpkg::run(["--configure", "-a"]).end()?;
    let torn = dpkg::torn()?;
    if torn.is_empty() {
        return Ok(None);
    }
    let debs = Debs::lay_out(state, files.clone())?;
    let halves = torn.iter().filter(|(_, half)| **half);
    let halves: Vec<String> = halves.filter_map(|(name, _)| debs.argument(name)).collect();
    if !halves.is_empty() {
        // apt has no file for a package that must be reinstalled in another version than it had.
        let again = dpkg::run(["--unpack", "--auto-deconfigure"]).args(halves).end()?;
        if !again.success {
            return Ok(Some(again.said()));
        }
    }
    let install = match torn.keys().all(|name| files.contains_key(name)) {
        true => apt()
            .args(debs.options())
            .args(["install"])
            .args(files.keys().filter_map(|name| debs.argument(name))),
        false => apt().args(["--reinstall", "install"]).args(torn.into_keys()),
    };
    let ended = install.within(PATIENCE).end()?;
    Ok(if dpkg::torn()?.is_empty() { None } else { Some(ended.said()) })
}

/// Purges what is torn and was not there before.
fn purge_new(
    disk: &Disk,
    files: &BTreeMap<String, BlobId>,
    before: &BTreeSet<String>,
    why: &str,
) -> Result<(), Error> {
    let torn = dpkg::torn()?;
    // dpkg would leave what it placed of them: the next try has their files still.
    if let Some(name) =
        torn.iter().find_map(|(name, half)| (*half && files.contains_key(name)).then_some(name))
    {
        return Err(Error::refused(format!(
            "{name} is half installed, and could not be installed again: {why}"
        )));
    }
    let new: BTreeSet<String> = torn.into_keys().filter(|name| !before.contains(name)).collect();
    let _quiet = Quiet::begin(disk, dpkg::ONLY_STOPS)?;
    dpkg::purge(&new)
}

/// Brings the host's packages to `to` where going back could not yet, and removes what came with Cairn and
/// nothing needs any more.
///
/// # Errors
/// When apt fails.
pub(crate) fn settle(
    disk: &Disk,
    state: &State,
    to: &Manifest,
    origin: &mut Origin,
    tell: Tell,
) -> Result<(), Error> {
    if is_settled(state, to, origin) {
        return Ok(());
    }
    install(disk, state, to, origin, tell)?;
    let there = dpkg::installed()?;
    origin.packages.retain(|name| there.contains_key(name));
    if !origin.packages.is_empty() {
        remove_unneeded(disk, state, to, origin, tell)?;
    }
    origin.settled = Some(named(to));
    Ok(())
}

fn remove_unneeded(
    disk: &Disk,
    state: &State,
    to: &Manifest,
    origin: &mut Origin,
    tell: Tell,
) -> Result<(), Error> {
    let (named, loose): (BTreeSet<String>, BTreeSet<String>) =
        origin.packages.iter().cloned().partition(|name| to.packages.debian.contains_key(name));
    mark("manual", &named)?;
    mark("auto", &loose)?;
    let unneeded: BTreeSet<String> =
        simulated(&["autoremove"])?.intersection(&loose).cloned().collect();
    if unneeded.is_empty() {
        return Ok(());
    }
    let mut purge = vec!["purge"];
    purge.extend(unneeded.iter().map(String::as_str));
    let along = simulated(&purge)?;
    if let Some(other) = along.difference(&loose).next() {
        return Err(Error::refused(format!(
            "packages that Cairn installed stay, because {other}, which it did not, would go with them"
        )));
    }
    dpkg::wait_for_others(tell)?;
    let underway = Underway::Removing { names: along.clone() };
    underway.begin(disk, state)?;
    let _quiet = Quiet::begin(disk, dpkg::ONLY_STOPS)?;
    let ended = apt().args(purge).within(PATIENCE).end()?;
    if ended.success {
        return underway.close(disk, state, origin);
    }
    // Where a package's script refused, nothing is half there, and it is over as well.
    dpkg::purge_begun(&along).and_then(|()| underway.close(disk, state, origin))?;
    Err(Error::refused(format!("apt could not remove {}: {}", listed(&along), ended.said())))
}

/// Whether [`settle`] has nothing to do for `to`. dpkg is not asked.
pub(crate) fn is_settled(state: &State, to: &Manifest, origin: &Origin) -> bool {
    let stands = match &origin.settled {
        Some(settled) => *settled == named(to),
        None => origin.packages.is_empty() && to.packages.debian.is_empty(),
    };
    stands && !Underway::is_there(state)
}

/// The packages that `to` names, with their versions.
fn named(to: &Manifest) -> BTreeSet<String> {
    let version =
        |package: &DebianPackage| package.version.as_ref().map(|version| format!("={version}"));
    let packages = to.packages.debian.iter();
    packages
        .map(|(name, package)| format!("{name}{}", version(package).unwrap_or_default()))
        .collect()
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
