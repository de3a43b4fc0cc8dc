//! What real hosts need of the machine that runs the suites.

use std::path::Path;

/// The programs that the harness runs, each with the Debian package that brings it.
const TOOLS: &[(&str, &str)] = &[
    ("systemd-nspawn", "systemd-container"),
    ("debootstrap", "debootstrap"),
    ("ip", "iproute2"),
    ("nft", "nftables"),
    ("nsenter", "util-linux"),
    ("unshare", "util-linux"),
    ("ssh", "openssh-client"),
    ("ssh-keygen", "openssh-client"),
    ("dpkg-deb", "dpkg"),
    ("apt-ftparchive", "apt-utils"),
    ("strace", "strace"),
    ("cc", "gcc"),
    ("qemu-storage-daemon", "qemu-utils"),
    ("mke2fs", "e2fsprogs"),
];

/// Says why real hosts cannot be made here, or `None` where they can.
#[must_use]
pub fn hosts_missing() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("real hosts need root".to_owned());
    }
    let missing: Vec<&str> =
        TOOLS.iter().filter(|(tool, _)| !on_path(tool)).map(|(_, package)| *package).collect();
    (!missing.is_empty()).then(|| format!("not installed: {}", missing.join(" ")))
}

fn on_path(tool: &str) -> bool {
    let path = std::env::var("PATH").unwrap_or_default();
    path.split(':').chain(["/usr/sbin", "/sbin"]).any(|dir| Path::new(dir).join(tool).exists())
}
