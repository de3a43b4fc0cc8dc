//! The work: 30 files, 5 units, 8 sysctls, a firewall, a user, a host name, and 10 packages that are
//! there already. One line of it has two versions.

use std::fs;
use std::path::Path;

use cairn_tests::{Fleet, Host};

/// What the line says.
#[derive(Clone, Copy)]
pub(crate) enum Version {
    /// At first.
    One,
    /// After the change.
    Two,
}

impl Version {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Version::One => "one",
            Version::Two => "two",
        }
    }
}

/// The work as definitions, with so many files and units.
pub(crate) fn definitions(version: Version, files: u32, units: u32) -> String {
    include_str!("work/host.definitions")
        .replace("VERSION", version.word())
        .replace("FILES", &files.to_string())
        .replace("UNITS", &units.to_string())
}

/// The fleet with this work.
pub(crate) fn define(fleet: &Fleet, host: &Host<'_>, version: Version) {
    fleet.define(host.address(), &definitions(version, 30, 5));
}

/// Writes the work for the peers into `folder`.
pub(crate) fn write(folder: &Path) {
    for (name, text) in [
        ("playbook.yml", include_str!("work/playbook.yml")),
        ("deploy.py", include_str!("work/deploy.py")),
        ("file.j2", include_str!("work/file.j2")),
        ("unit.j2", include_str!("work/unit.j2")),
        ("sysctl.j2", include_str!("work/sysctl.j2")),
        ("firewall.j2", include_str!("work/firewall.j2")),
    ] {
        fs::write(folder.join(name), text).unwrap();
    }
}

/// Whether the work is done, whoever did it.
pub(crate) fn assert_done(host: &Host<'_>, version: Version) {
    let seen = host.sh("
        cat /etc/bench/7.conf; ls /etc/bench | wc -l; id -un bench
        systemctl is-active bench-1 bench-5; sysctl -n net.core.somaxconn; nft list ruleset");
    let line = format!("version = {}\n", version.word());
    for part in [line.as_str(), "\n30\nbench\nactive\nactive\n1024\n", "policy drop", "443"] {
        assert!(seen.contains(part), "{part:?} is not in\n{seen}");
    }
}

/// Undoes the work, whoever did it.
pub(crate) fn forget(host: &Host<'_>) {
    host.sh(include_str!("work/forget.sh"));
}
