//! Cairn's own units: real files, not links into a generation, because they decide which generation
//! it is.

use std::fs;
use std::path::Path;

use crate::disk::{Disk, temporary};
use crate::error::{Error, io};
use crate::state::State;

/// Where the program of the last switch is found, whichever version it is.
pub(crate) const PROGRAM: &str = "/var/lib/cairn/activator/current/cairn-activator";

const TARGET: &str = "\
[Unit]
Description=Units of the current Cairn generation
After=cairn-recover.service
";

const RECOVER: &str = "\
[Unit]
Description=Cairn: come up in the confirmed generation
DefaultDependencies=no
Conflicts=shutdown.target
After=systemd-remount-fs.service
Before=sysinit.target shutdown.target systemd-sysctl.service systemd-modules-load.service \
systemd-tmpfiles-setup.service systemd-networkd.service network-pre.target
Wants=network-pre.target
RequiresMountsFor=/var/lib/cairn

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/var/lib/cairn/activator/current/cairn-activator recover --boot
";

const SETTLE: &str = "\
[Unit]
Description=Cairn: judge the generation that this boot tries, and remove what others left
After=cairn.target

[Service]
Type=oneshot
ExecStart=/var/lib/cairn/activator/current/cairn-activator recover --settle
";

const RECOVERY: &str = "cairn-recover.service";
/// What leads through recovery at a boot comes first, and goes last.
const UNITS: [(&str, &str); 3] =
    [(RECOVERY, RECOVER), ("cairn.target", TARGET), ("cairn-settle.service", SETTLE)];

/// Makes sure that the program and its units are in place. Whether unit files changed.
///
/// # Errors
/// When the file system refuses.
pub(crate) fn install(disk: &Disk, state: &State) -> Result<bool, Error> {
    let folder = state.file("activator");
    disk.create_dirs(&folder, 0o700)?;
    let own = Path::new("/proc/self/exe");
    let own = fs::read_link(own).map_err(io("find", own))?;
    // One that was removed while it runs is kept anew.
    let kept = own.parent().filter(|parent| parent.parent() == Some(&folder) && own.exists());
    let name = match kept.and_then(Path::file_name) {
        Some(name) => name.to_string_lossy().into_owned(),
        None => copy(disk, &folder, &own)?,
    };
    let current = folder.join("current");
    if fs::read_link(&current).map_or(true, |target| target != Path::new(&name)) {
        disk.replace_link(&current, &name)?;
        disk.sync_dir(&folder)?;
    }
    let units = state.host("/etc/systemd/system");
    let wants = units.join("sysinit.target.wants");
    let link = wants.join(RECOVERY);
    let mut changed = false;
    for (name, text) in UNITS {
        let path = units.join(name);
        if fs::read(&path).map_or(true, |found| found != text.as_bytes()) {
            disk.create_dirs(&units, 0o755)?;
            disk.replace_file(&path, text.as_bytes(), 0o644, None)?;
            changed = true;
        }
        // From here on a boot ends what was cut off, this too.
        if name == RECOVERY && fs::symlink_metadata(&link).is_err() {
            disk.create_dirs(&wants, 0o755)?;
            disk.replace_link(&link, "../cairn-recover.service")?;
            disk.sync_dir(&wants)?;
            changed = true;
        }
    }
    Ok(changed)
}

/// Removes the units: the host is as it was found, and nothing of ours runs at boot.
///
/// # Errors
/// When the file system refuses.
pub(crate) fn uninstall(disk: &Disk, state: &State) -> Result<(), Error> {
    let units = state.host("/etc/systemd/system");
    let wants = units.join("sysinit.target.wants");
    let link = wants.join(RECOVERY);
    for (name, _) in UNITS.iter().rev() {
        if *name == RECOVERY {
            disk.remove_file(&temporary(&link))?;
            disk.remove_file(&link)?;
            disk.remove_empty_dir(&wants)?;
        }
        let path = units.join(name);
        disk.remove_file(&temporary(&path))?;
        disk.remove_file(&path)?;
    }
    disk.sync_dir(&units)
}

/// A program that was started from elsewhere is kept under the hash of its content.
fn copy(disk: &Disk, folder: &Path, own: &Path) -> Result<String, Error> {
    let content = fs::read("/proc/self/exe").map_err(io("read", own))?;
    let name = cairn_generation::BlobId::of(&content).to_string();
    let place = folder.join(&name);
    disk.create_dir(&place, 0o700)?;
    let program = place.join("cairn-activator");
    if fs::read(&program).map_or(true, |found| found != content) {
        disk.replace_file(&program, &content, 0o700, None)?;
    }
    Ok(name)
}
