//! The base image: Debian 12 as an administrator finds it after a minimal installation.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cache;
use crate::lab::SERVICES;
use crate::tool::must;

const SUITE: &str = "bookworm";
const PACKAGES: &str = "systemd,systemd-sysv,dbus,openssh-server,nftables,iproute2,sudo,\
    ca-certificates,procps,kmod,tzdata,libnss-systemd,iputils-ping,restic,wireguard-tools,\
    wireguard-go,python3,python3-apt";

/// The root of the base image, made by debootstrap at first need (about a minute).
///
/// `CAIRN_DEBIAN_MIRROR` names another mirror than Debian's.
pub(crate) fn image() -> PathBuf {
    let mirror = std::env::var("CAIRN_DEBIAN_MIRROR")
        .unwrap_or_else(|_| "http://deb.debian.org/debian".to_owned());
    let recipe = format!("{mirror} {}", include_str!("base.rs"));
    cache::directory("base", &recipe, |root| {
        eprintln!("making the base image of the test hosts from {mirror}");
        let mut debootstrap = Command::new("debootstrap");
        debootstrap.args(["--variant=minbase", &format!("--include={PACKAGES}"), SUITE]);
        must(debootstrap.arg(root).arg(&mirror));
        finish(root);
    })
}

/// What every host has beyond its packages.
fn finish(root: &Path) {
    let etc = root.join("etc");
    // Each host has an identity of its own.
    for name in ["hostname", "machine-id", "resolv.conf"] {
        remove(&etc.join(name));
    }
    for entry in fs::read_dir(etc.join("ssh")).unwrap().flatten() {
        if entry.file_name().to_string_lossy().starts_with("ssh_host_") {
            remove(&entry.path());
        }
    }
    // Nothing but the lab's own repository can be reached.
    let source = format!("deb [trusted=yes] http://{SERVICES}/debian ./\n");
    fs::write(etc.join("apt/sources.list"), source).unwrap();
    for lists in ["var/lib/apt/lists", "var/cache/apt/archives"] {
        let lists = root.join(lists);
        fs::remove_dir_all(&lists).unwrap();
        fs::create_dir_all(lists.join("partial")).unwrap();
    }
    // The network comes from networkd, as on a cloud image; its files are each host's own.
    let system = etc.join("systemd/system");
    fs::create_dir_all(system.join("sockets.target.wants")).unwrap();
    let networkd = "/lib/systemd/system/systemd-networkd";
    for (unit, kind) in [("multi-user.target.wants", "service"), ("sockets.target.wants", "socket")]
    {
        let link = system.join(unit).join(format!("systemd-networkd.{kind}"));
        symlink(format!("{networkd}.{kind}"), link).unwrap();
    }
    // Nobody logs in at a console, and a test's clock must not start work of its own.
    for unit in [
        "systemd-networkd-wait-online.service",
        "console-getty.service",
        "apt-daily.timer",
        "apt-daily-upgrade.timer",
        "dpkg-db-backup.timer",
        "e2scrub_all.timer",
        "fstrim.timer",
        "systemd-tmpfiles-clean.timer",
    ] {
        let link = system.join(unit);
        remove(&link);
        symlink("/dev/null", link).unwrap();
    }
    // A login beside root that may become root without a password.
    must(Command::new("chroot").arg(root).args([
        "useradd",
        "--create-home",
        "--shell=/bin/bash",
        "deploy",
    ]));
    fs::write(etc.join("sudoers.d/deploy"), "deploy ALL=(ALL) NOPASSWD: ALL\n").unwrap();
    // One that may not, for the refusals.
    must(Command::new("chroot").arg(root).args([
        "useradd",
        "--create-home",
        "--shell=/bin/bash",
        "guest",
    ]));
}

fn remove(path: &Path) {
    if path.symlink_metadata().is_ok() {
        fs::remove_file(path).unwrap();
    }
}
