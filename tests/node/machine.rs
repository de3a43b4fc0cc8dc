//! The only program of a small machine: it comes up, recovers, says how it is, and is switched to
//! and fro until somebody takes its power.
//!
//! What it says on the console, a line each: `up <generation> <digest> <whole | what is wrong>`, then
//! `begin <from> <to>` and `done <to>` for each switch.

use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use cairn_activator::{Node, silent};
use cairn_tests::{digest, outside};
use nix::mount::{MsFlags, mount};
use rustix::time::{ClockId, clock_gettime, clock_settime};

const DISK: &str = "/dev/nvme0n1";
const ROOT: &str = "/disk/host";

/// Lives until it is killed.
pub(crate) fn live() -> Result<(), Box<dyn Error>> {
    let none: Option<&str> = None;
    mount(none, "/dev", Some("devtmpfs"), MsFlags::empty(), none)?;
    mount(none, "/proc", Some("proc"), MsFlags::empty(), none)?;
    let wait = || std::thread::sleep(Duration::from_millis(10));
    while !Path::new(DISK).exists() {
        wait();
    }
    mount(Some(DISK), "/disk", Some("ext4"), MsFlags::MS_NOATIME, Some("commit=1"))?;
    let mut node = Node::at_root(Path::new(ROOT))?;
    node.recover(&mut silent).map_err(|failure| failure.to_string())?;
    let status = node.status()?;
    let whole = !status.switching && status.drift.is_empty() && node.history().is_ok();
    let state = if whole { "whole".to_owned() } else { format!("{status:?}") };
    println!("up {} {} {state}", status.generation, digest(&outside(Path::new(ROOT))));
    let mut from = status.generation;
    for turn in 0_usize.. {
        let (to, words) = match from {
            0 => (1, ["switch", "/world/one.json"]),
            1 => (2, ["switch", "/world/two.json"]),
            _ if turn.is_multiple_of(2) => (1, ["rollback", "1"]),
            _ => (0, ["rollback", "0"]),
        };
        println!("begin {from} {to}");
        // Nothing may depend on the clock.
        let mut now = clock_gettime(ClockId::Realtime);
        now.tv_sec -= 3600;
        clock_settime(ClockId::Realtime, now)?;
        let ended = Command::new("/init").args([ROOT, "/world/blobs"]).args(words).output()?;
        if !ended.status.success() {
            return Err(String::from_utf8_lossy(&ended.stderr).into());
        }
        println!("done {to}");
        from = to;
    }
    Ok(())
}
