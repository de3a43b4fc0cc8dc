//! A cgroup for each host: with a shared one, hosts would see each other's units.

use std::fs;
use std::path::{Path, PathBuf};

const MOUNT: &str = "/sys/fs/cgroup";

/// The directories that a host's cgroup called `name` has, one in each hierarchy that systemd
/// uses: the unified one, and on a hybrid machine also `name=systemd`.
pub(crate) fn directories(name: &str) -> Vec<PathBuf> {
    let own = fs::read_to_string("/proc/self/cgroup").expect("/proc/self/cgroup is readable");
    let mut directories = Vec::new();
    for line in own.lines() {
        let mut fields = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (fields.next(), fields.next()) else { continue };
        let hierarchy = match controllers {
            "" if Path::new(MOUNT).join("cgroup.procs").exists() => Path::new(MOUNT).to_owned(),
            "" => Path::new(MOUNT).join("unified"),
            "name=systemd" => Path::new(MOUNT).join("systemd"),
            _ => continue,
        };
        if hierarchy.is_dir() {
            directories.push(hierarchy.join(path.trim_start_matches('/')).join(name));
        }
    }
    directories
}

/// The processes, by the machine's own ids, in the cgroup `name` and below it.
pub(crate) fn processes(name: &str) -> Vec<u32> {
    let mut found = Vec::new();
    for directory in directories(name) {
        collect(&directory, &mut found);
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn collect(directory: &Path, found: &mut Vec<u32>) {
    let listed = fs::read_to_string(directory.join("cgroup.procs")).unwrap_or_default();
    found.extend(listed.lines().filter_map(|line| line.parse::<u32>().ok()));
    for below in subdirectories(directory) {
        collect(&below, found);
    }
}

/// Removes the cgroup `name`, which must hold no process any more.
pub(crate) fn remove(name: &str) {
    for directory in directories(name) {
        remove_tree(&directory);
    }
}

/// Removes every cgroup whose name starts with `prefix`.
pub(crate) fn remove_all(prefix: &str) {
    for directory in directories(prefix) {
        let Some(parent) = directory.parent() else { continue };
        for below in subdirectories(parent) {
            let name = below.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with(prefix) {
                remove_tree(&below);
            }
        }
    }
}

/// A cgroup's files cannot be unlinked, its directories can be removed from the leaves up.
/// One that a dying process still holds stays for the next run's sweep.
fn remove_tree(directory: &Path) {
    for below in subdirectories(directory) {
        remove_tree(&below);
    }
    let _ = fs::remove_dir(directory);
}

fn subdirectories(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}
