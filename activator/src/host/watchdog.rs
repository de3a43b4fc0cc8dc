//! A host goes back without us: a timer of systemd's own looks after the switch.
//!
//! The engine holds the node's lock for as long as it lives, and leaves a lease: until when it may
//! take. The timer runs `recover --watchdog` every few seconds. Where the lock is free, the engine
//! is dead and recovery begins; where the lease is over, the engine hangs and is killed first.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::disk::Disk;
use crate::error::Error;
use crate::host::command::Run;
use crate::host::install::PROGRAM;
use crate::state::{read_json, write_json};

/// Files of the running system: gone with it.
pub(crate) const RUN_DIR: &str = "/run/cairn";
const LEASE: &str = "/run/cairn/lease";
const UNIT: &str = "cairn-watchdog";

#[derive(Debug, Serialize, Deserialize)]
struct Lease {
    process: u32,
    /// Seconds since boot, suspended time included: no clock that is set moves it.
    until: u64,
}

/// Sets the lease of this engine, or one that takes longer.
///
/// # Errors
/// When the file system refuses.
pub(crate) fn renew(lease: Duration) -> Result<(), Error> {
    let disk = Disk;
    disk.create_dirs(Path::new(RUN_DIR), 0o700)?;
    let until = since_boot() + lease.as_secs();
    write_json(&disk, Path::new(LEASE), &Lease { process: std::process::id(), until })
}

/// Sets the lease of this engine, and starts the timer.
///
/// # Errors
/// When the file system refuses, or systemd takes no timer.
pub(crate) fn arm(lease: Duration) -> Result<(), Error> {
    renew(lease)?;
    let timer = || {
        Run::new("systemd-run")
            .args(["--quiet", "--collect", "--unit", UNIT, "--on-active=5", "--on-unit-active=5"])
            .args([
                "--timer-property=AccuracySec=1s",
                "--description=Cairn: watches over a switch",
                "--",
            ])
            .args([PROGRAM, "recover", "--watchdog"])
            .end()
    };
    let mut ended = timer()?;
    if !ended.success {
        // One is left of an engine that died after its work was done.
        stop();
        ended = timer()?;
    }
    match ended.success {
        true => Ok(()),
        false => {
            let _ = fs::remove_file(LEASE);
            Err(Error::refused(format!(
                "systemd takes no timer for the watchdog: {}",
                ended.said()
            )))
        }
    }
}

/// Nothing is under way any more.
pub(crate) fn disarm() {
    let _ = fs::remove_file(LEASE);
    stop();
}

fn stop() {
    // A timer that stays finds nothing to do.
    let _ = Run::new("systemctl").args(["stop", &format!("{UNIT}.timer")]).end();
}

/// Kills an engine whose lease is over. Whether it was.
///
/// # Errors
/// When the lease cannot be read.
pub(crate) fn end_expired() -> Result<bool, Error> {
    let Some(lease) = read_json::<Lease>(Path::new(LEASE))? else { return Ok(false) };
    if since_boot() < lease.until {
        return Ok(false);
    }
    let program = fs::read_link(format!("/proc/{}/exe", lease.process)).unwrap_or_default();
    let is_ours = program
        .file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with("cairn-activator"));
    let process = i32::try_from(lease.process).ok().and_then(rustix::process::Pid::from_raw);
    if let (true, Some(process)) = (is_ours, process) {
        // It may have ended by itself in between.
        let _ = rustix::process::kill_process(process, rustix::process::Signal::KILL);
    }
    Ok(true)
}

fn since_boot() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    u64::try_from(time.tv_sec).unwrap_or_default()
}
