//! Everything that a host could refuse, asked before anything is done.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use cairn_generation::Manifest;
use cairn_generation::layout::UNIT_DIR;

use crate::disk::Disk;
use crate::error::{Error, io};
use crate::host::command::{Run, has};
use crate::host::watchdog::RUN_DIR;
use crate::host::{apt, kernel, nft};
use crate::origin::Origin;
use crate::state::{Generation, State};

/// Less than this on the state's file system is no room to switch, nor to go back, in.
const ROOM: u64 = 32 << 20;

/// # Errors
/// With the first thing that the host would refuse.
pub(crate) fn check(state: &State, from: &Manifest, to: &Generation) -> Result<(), Error> {
    state_is_on_root(state)?;
    has_room(state.folder(), 0)?;
    kernel::validate(&to.manifest.kernel)?;
    let missing = apt::missing(&to.manifest, &Origin::load(state)?)?;
    apt::check(state, &to.manifest, &missing)?;
    nft::check(&to.manifest, missing.contains("nftables"))?;
    units(state, from, to, !missing.is_empty())?;
    sshd(state, to)?;
    sudoers(state, to)
}

/// Units are loaded through the state before other file systems are mounted.
fn state_is_on_root(state: &State) -> Result<(), Error> {
    let device =
        |path: &Path| fs::metadata(path).map(|found| found.dev()).map_err(io("read", path));
    if device(state.root())? == device(state.folder())? {
        return Ok(());
    }
    Err(Error::refused(format!(
        "{} is not on the root file system, and units are loaded through it before others are mounted: \
         bind-mount or move it there",
        state.folder().display()
    )))
}

/// Refuses what would not leave a switch its room in `folder`, after `more` bytes that are to come.
pub(crate) fn has_room(folder: &Path, more: u64) -> Result<(), Error> {
    let found = rustix::fs::statvfs(folder).map_err(|error| io("look at", folder)(error.into()))?;
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let needed = ROOM.saturating_add(more);
    if free >= needed {
        return Ok(());
    }
    Err(Error::refused(format!(
        "{} has {} MiB of space left, and this switch needs {}: make room",
        folder.display(),
        free >> 20,
        needed >> 20
    )))
}

/// Asks systemd about units whose text is new.
fn units(
    state: &State,
    from: &Manifest,
    to: &Generation,
    packages_come: bool,
) -> Result<(), Error> {
    let folder = state.tree(&to.folder()).join(&UNIT_DIR[1..]);
    let fresh: Vec<&String> = to
        .manifest
        .units
        .iter()
        .filter(|(name, unit)| {
            unit.text.is_some() && from.units.get(*name).map(|old| &old.text) != Some(&unit.text)
        })
        .map(|(name, _)| name)
        .collect();
    if fresh.is_empty() || !has("systemd-analyze") {
        return Ok(());
    }
    let ended = Run::new("systemd-analyze")
        // The empty end stands for the places where systemd looks anyway.
        .env("SYSTEMD_UNIT_PATH", format!("{}:", folder.display()))
        .args(["verify", "--man=no", "--generators=no"])
        .args(fresh.iter().map(|name| folder.join(verifiable(name)).to_string_lossy().into_owned()))
        .end()?;
    if ended.success {
        return Ok(());
    }
    let managed = |path: &str| to.layout.paths().any(|managed| managed == path);
    let told: Vec<&str> = ended
        .errors
        .lines()
        .filter(|line| is_error(line, &fresh, packages_come, &managed))
        .collect();
    match told.is_empty() {
        true => Ok(()),
        false => Err(Error::refused(format!("systemd refuses units: {}", told.join("; ")))),
    }
}

/// A template is looked at through an instance.
fn verifiable(name: &str) -> String {
    name.replace("@.", "@instance.")
}

/// Whether a line of `systemd-analyze verify` is an error of one of our units that will still be
/// one when packages and files are there.
fn is_error(
    line: &str,
    units: &[&String],
    packages_come: bool,
    managed: &dyn Fn(&str) -> bool,
) -> bool {
    let about_ours = units.iter().any(|unit| {
        let unit = verifiable(unit);
        line.starts_with(&format!("{unit}:")) || line.starts_with(&format!("Unit {unit} "))
    });
    if !about_ours || line.ends_with("ignoring.") {
        return false;
    }
    if let Some((_, rest)) = line.split_once(": Command ")
        && let Some((command, _)) = rest.split_once(" is not executable")
    {
        return !packages_come && !managed(command);
    }
    !(packages_come && line.contains(" not found"))
}

/// sshd is asked about the configuration that it would read after the switch.
fn sshd(state: &State, to: &Generation) -> Result<(), Error> {
    if !has("sshd") {
        return Ok(());
    }
    let asked = with_sshd_config(state, to, |config| {
        let path = config?.display().to_string();
        Some(Run::new("/usr/sbin/sshd").args(["-t".to_owned(), "-f".to_owned(), path]).end())
    })?;
    match asked.transpose()? {
        Some(ended) if !ended.success => {
            Err(Error::refused(format!("sshd refuses its configuration: {}", ended.said())))
        }
        _ => Ok(()),
    }
}

/// Calls `ask` with a file that holds the configuration that sshd would read after the switch; with
/// none where `to` has no part of it.
///
/// # Errors
/// When that configuration cannot be put together.
pub(crate) fn with_sshd_config<T>(
    state: &State,
    to: &Generation,
    ask: impl FnOnce(Option<&Path>) -> T,
) -> Result<T, Error> {
    const MAIN: &str = "/etc/ssh/sshd_config";
    const FOLDER: &str = "/etc/ssh/sshd_config.d";
    let ours = |path: &&str| *path == MAIN || path.starts_with(FOLDER);
    if !to.layout.paths().any(|path| ours(&path)) {
        return Ok(ask(None));
    }
    let tree = state.tree(&to.folder());
    let staged = |path: &str| tree.join(path.trim_start_matches('/'));
    let main = if to.layout.entry(MAIN).is_some() { staged(MAIN) } else { state.host(MAIN) };
    let text = fs::read_to_string(&main).map_err(io("read", &main))?;
    let mut parts: BTreeSet<(String, PathBuf)> = BTreeSet::new();
    for entry in fs::read_dir(state.host(FOLDER)).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        // A link of ours leads to the old generation; what leaves with it is not there afterwards.
        let is_ours = fs::read_link(entry.path())
            .is_ok_and(|to| to.to_string_lossy().contains("cairn/current"));
        if name.ends_with(".conf")
            && !is_ours
            && to.layout.entry(&format!("{FOLDER}/{name}")).is_none()
        {
            parts.insert((name, entry.path()));
        }
    }
    for path in to.layout.paths().filter(|path| path.starts_with(FOLDER) && path.ends_with(".conf"))
    {
        parts.insert((path.rsplit('/').next().unwrap_or("").to_owned(), staged(path)));
    }
    let includes: Vec<String> =
        parts.iter().map(|(_, path)| format!("Include \"{}\"", path.display())).collect();
    let lines: Vec<String> = text
        .lines()
        .map(|line| match line.trim().strip_prefix("Include") {
            Some(rest) if rest.trim().starts_with(FOLDER) => includes.join("\n"),
            _ => line.to_owned(),
        })
        .collect();
    let disk = Disk;
    disk.create_dirs(Path::new(RUN_DIR), 0o700)?;
    disk.create_dirs(Path::new("/run/sshd"), 0o755)?;
    let trial = Path::new(RUN_DIR).join("sshd_config");
    disk.replace_file(&trial, (lines.join("\n") + "\n").as_bytes(), 0o600, None)?;
    let answer = ask(Some(&trial));
    disk.remove_file(&trial)?;
    Ok(answer)
}

fn sudoers(state: &State, to: &Generation) -> Result<(), Error> {
    if !has("visudo") {
        return Ok(());
    }
    let ours = |path: &&str| *path == "/etc/sudoers" || path.starts_with("/etc/sudoers.d/");
    for path in to.layout.paths().filter(ours) {
        let staged = state.tree(&to.folder()).join(path.trim_start_matches('/'));
        let ended = Run::new("visudo")
            .args(["-c", "-q", "-f"])
            .args([staged.display().to_string()])
            .end()?;
        if !ended.success {
            return Err(Error::refused(format!("visudo refuses {path}: {}", ended.said())));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_of_verify_is_an_error() {
        let unit = "a.service".to_owned();
        let units = [&unit];
        let managed = |path: &str| path == "/etc/run.sh";
        for (line, packages_come, expected) in [
            ("a.service: Command /x is not executable: No such file or directory", false, true),
            ("a.service: Command /x is not executable: No such file or directory", true, false),
            ("a.service: Command /etc/run.sh is not executable: No such file", false, false),
            ("/t/a.service:4: Unknown key 'Foo' in section [Unit], ignoring.", false, false),
            (
                "a.service: Service has no ExecStart=, ExecStop=, or SuccessAction=. Refusing.",
                true,
                true,
            ),
            ("Unit a.service has a bad unit file setting.", false, true),
            ("a.service: Failed to create a.service/start: Unit b.service not found.", true, false),
            (
                "other.service: Command /x is not executable: No such file or directory",
                false,
                false,
            ),
        ] {
            assert_eq!(is_error(line, &units, packages_come, &managed), expected, "{line}");
        }
    }
}
