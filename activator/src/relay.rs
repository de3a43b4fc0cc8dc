//! Between the connection and the engine: a folder in /run/cairn for each switch.
//!
//! The engine runs in a transient unit of its own and appends its events to a file; the connection
//! reads along. A connection that breaks takes nothing with it.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cairn_generation::wire::{Event, Outcome, SwitchOptions};
use serde::{Deserialize, Serialize};

use crate::disk::Disk;
use crate::error::{Error, Failure, io};
use crate::host::Run;
use crate::host::watchdog::RUN_DIR;
use crate::node::{By, NoBlobs, Node};
use crate::state::{read_json, write_json};

/// What the engine is asked to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Order {
    Switch { manifest: String, options: SwitchOptions },
    Rollback { to: Option<String>, options: SwitchOptions },
    Repair { by: By },
}

/// Starts an engine for `order` and hands its events on until it is done.
///
/// # Errors
/// When no engine can be started, or `send` fails: the engine goes on then.
pub(crate) fn start(
    order: &Order,
    send: &mut dyn FnMut(&Event) -> Result<(), Error>,
) -> Result<(), Error> {
    let disk = Disk;
    let run = Path::new(RUN_DIR);
    disk.create_dirs(run, 0o700)?;
    sweep(run);
    let folder = tempfile::Builder::new()
        .prefix("switch-")
        .tempdir_in(run)
        .map_err(io("make a folder in", run))?
        .keep();
    write_json(&disk, &folder.join("order.json"), order)?;
    let events = folder.join("events");
    File::create(&events).map_err(io("create", &events))?;
    let program = std::env::current_exe().map_err(io("find", Path::new("/proc/self/exe")))?;
    let unit = format!("cairn-{}", folder.file_name().unwrap_or_default().to_string_lossy());
    Run::new("systemd-run")
        .args(["--quiet", "--collect", "--service-type=exec", "--description=Cairn: a switch"])
        .args([format!("--unit={unit}"), "--".to_owned()])
        .args([program.display().to_string(), "engine".to_owned(), folder.display().to_string()])
        .succeed()?;
    follow(&events, send)
}

fn follow(events: &Path, send: &mut dyn FnMut(&Event) -> Result<(), Error>) -> Result<(), Error> {
    let file = File::open(events).map_err(io("open", events))?;
    let mut reader = BufReader::new(&file);
    let (mut line, mut quiet, mut is_dead) = (Vec::new(), 0_u32, false);
    loop {
        reader.read_until(b'\n', &mut line).map_err(io("read", events))?;
        if line.last() == Some(&b'\n') {
            let event: Event = serde_json::from_slice(&line).map_err(|error| Error::State {
                path: events.to_owned(),
                why: error.to_string(),
            })?;
            line.clear();
            quiet = 0;
            send(&event)?;
            if matches!(event, Event::Done(_) | Event::Failed { .. }) {
                return Ok(());
            }
            continue;
        }
        if is_dead {
            return send(&Event::Failed {
                step: None,
                message: KILLED.to_owned(),
                unchanged: false,
            });
        }
        // The engine holds a lock on the file while it lives. It is looked for once more afterwards:
        // its last event may have come in between.
        is_dead = quiet > 200 && file.try_lock_shared().is_ok();
        quiet += 1;
        std::thread::sleep(Duration::from_millis(5));
    }
}

const KILLED: &str =
    "the switch was killed; the host goes back to its confirmed generation: ask for its status";

/// Carries out the order in `folder`: what `cairn-activator engine` does.
///
/// # Errors
/// When the folder cannot be read or written.
pub(crate) fn engine(node: &mut Node, folder: &Path) -> Result<(), Error> {
    let path: PathBuf = folder.join("events");
    let mut file = OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(&path)
        .map_err(io("open", &path))?;
    file.lock().map_err(io("lock", &path))?;
    let order: Option<Order> = read_json(&folder.join("order.json"))?;
    let Some(order) = order else {
        return Err(Error::refused(format!("{} holds no order", folder.display())));
    };
    // Nobody may be reading any more: the switch goes on.
    let mut tell = |event: Event| drop(write_event(&mut file, &event));
    let done = match order {
        Order::Switch { manifest, options } => {
            node.switch(manifest.as_bytes(), &NoBlobs, &options, &mut tell)
        }
        Order::Rollback { to, options } => node.rollback(to.as_deref(), &options, &mut tell),
        Order::Repair { by } => node.repair(&by, &mut tell),
    };
    tell(last_event(done));
    Ok(())
}

/// The event that ends the answer to a request.
pub(crate) fn last_event(done: Result<Outcome, Failure>) -> Event {
    match done {
        Ok(outcome) => Event::Done(outcome),
        Err(Failure { step, message, unchanged }) => Event::Failed { step, message, unchanged },
    }
}

fn write_event(file: &mut File, event: &Event) -> Result<(), std::io::Error> {
    let mut line = serde_json::to_vec(event)?;
    line.push(b'\n');
    file.write_all(&line)
}

/// Folders of switches that are over.
fn sweep(run: &Path) {
    for entry in fs::read_dir(run).into_iter().flatten().flatten() {
        let is_old = entry.file_name().to_string_lossy().starts_with("switch-");
        let over =
            || File::open(entry.path().join("events")).is_ok_and(|file| file.try_lock().is_ok());
        let aged = || {
            let modified = entry.metadata().and_then(|found| found.modified());
            modified.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > Duration::from_secs(60)))
        };
        if is_old && aged() && over() {
            // Left for the next sweep, or the next boot.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
