//! A host's own files: what makes a clone of the base image this host and no other.

use std::fs;
use std::net::Ipv4Addr;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use crate::lab::{Lab, SERVICES};
use crate::ssh;
use crate::tool::must;

/// Where a host's writable files are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disk {
    /// The machine's disk: as much room as there is.
    Large,
    /// A file system of this many megabytes, to be filled.
    Small(u32),
}

/// The logins that the lab's key opens, with their homes and ids.
const LOGINS: [(&str, u32); 3] = [("root", 0), ("home/deploy", 1000), ("home/guest", 1001)];

/// Makes the writable layer of the host `name` and gives its place, as the lab sees it.
pub(crate) fn make(lab: &Lab, name: &str, address: Ipv4Addr, kind: Disk) -> PathBuf {
    let disk = lab.directory().join("hosts").join(name);
    let seen = lab.seen(&disk);
    fs::create_dir(&seen).unwrap();
    if let Disk::Small(megabytes) = kind {
        let options = format!("mode=755,size={megabytes}m");
        must(lab.enter("mount").args(["-t", "tmpfs", "-o", &options, "disk"]).arg(&disk));
    }
    for directory in ["upper", "work", "root"] {
        fs::create_dir(seen.join(directory)).unwrap();
    }
    let root = seen.join("upper");
    permit(&root, 0o755);
    identify(&root, name, address);
    for (home, id) in LOGINS {
        let home = root.join(home);
        let ssh = home.join(".ssh");
        let keys = ssh.join("authorized_keys");
        write(&keys, lab.home().public_key());
        for (path, mode) in [(&home, 0o700), (&ssh, 0o700), (&keys, 0o600)] {
            permit(path, mode);
            chown(path, Some(id), Some(id)).unwrap();
        }
    }
    let keys = root.join("etc/ssh");
    fs::create_dir_all(&keys).unwrap();
    let public = ssh::key(&keys.join("ssh_host_ed25519_key"), name);
    lab.home().trust(&[name, &address.to_string()], &public);
    disk
}

fn identify(root: &Path, name: &str, address: Ipv4Addr) {
    let machine_id = blake3::hash(format!("{name} {address}").as_bytes()).to_hex();
    write(&root.join("etc/machine-id"), &format!("{}\n", &machine_id[..32]));
    write(&root.join("etc/hostname"), &format!("{name}\n"));
    write(&root.join("etc/hosts"), &format!("127.0.0.1 localhost\n127.0.1.1 {name}\n"));
    write(
        &root.join("etc/systemd/network/10-host0.network"),
        &format!(
            "[Match]\nName=host0\n\n\
             [Network]\nAddress={address}/24\nDHCP=no\nIPv6AcceptRA=no\nLinkLocalAddressing=no\n\n\
             [Route]\nDestination={SERVICES}/32\nScope=link\n"
        ),
    );
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    permit(path, 0o644);
}

fn permit(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
