//! The harness of the end-to-end suites: real Debian hosts, a network of their own, and the
//! `cairn` command run as a user would run it.
//!
//! A [`Lab`] is a network namespace with a bridge, an apt repository and a file mirror. A
//! [`Host`] in it is Debian 12 with systemd and OpenSSH, under systemd-nspawn. [`Cairn`] runs
//! the command inside the lab's network, the only place from which its hosts are reachable.
//!
//! Everything of a lab lives in one PID namespace whose init waits on a pipe that the test
//! holds: when the test ends, however it ends, the kernel takes the whole lab with it.
//!
//! A harness stops a test by panicking, so the workspace's lints against that are off here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]
// Every function here panics when the machine does not do what was asked; saying so at each
// would hide what is particular to it.
#![allow(clippy::missing_panics_doc)]

mod apt;
mod base;
mod cache;
mod cairn;
mod cgroup;
mod disk;
mod fleet;
mod host;
mod lab;
mod mirror;
mod needs;
mod outside;
mod releases;
mod snapshot;
mod sops;
mod ssh;
pub mod strace;
mod suite;
mod tool;

pub use apt::{Deb, Repository};
pub use cairn::{Cairn, Outcome, program};
pub use disk::Disk;
pub use fleet::Fleet;
pub use host::Host;
pub use lab::Lab;
pub use needs::hosts_missing;
pub use outside::{Outside, digest, outside};
pub use releases::Releases;
pub use snapshot::Snapshot;
pub use sops::{encrypted, encrypted_as};
pub use suite::{Case, run, run_each};
