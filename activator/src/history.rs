//! What happened to this node: one line of JSON a switch, only ever appended to.

use std::fs;
use std::io;
use std::path::PathBuf;

use cairn_generation::wire::HistoryEntry;

use crate::disk::Disk;
use crate::error::{Error, io};
use crate::journal::Journal;
use crate::state::{Generation, State};

/// All entries, oldest first. A line that was cut by a power failure is left out.
///
/// # Errors
/// When the file cannot be read, or a line before the last is no entry.
pub fn read(state: &State) -> Result<Vec<HistoryEntry>, Error> {
    let path = path(state);
    let text = match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(io("read", &path))?,
    };
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let lines = text.get(..whole).unwrap_or_default().split(|byte| *byte == b'\n');
    lines
        .filter(|line| !line.is_empty())
        .map(serde_json::from_slice)
        .collect::<Result<_, _>>()
        .map_err(|error| Error::State { path, why: error.to_string() })
}

/// The length of the whole lines.
pub fn length(state: &State) -> u64 {
    let text = fs::read(path(state)).unwrap_or_default();
    text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end as u64 + 1)
}

/// Appends the line of the switch in `journal`, unless it stands there already.
///
/// # Errors
/// When the file cannot be written.
pub fn append(
    disk: &Disk,
    state: &State,
    journal: &Journal,
    outcome: &str,
    cause: Option<String>,
) -> Result<(), Error> {
    if length(state) > journal.history_length {
        return Ok(());
    }
    let entry = HistoryEntry {
        at: jiff::Timestamp::now().to_string(),
        what: journal.what.clone(),
        from: journal.from,
        to: journal.to,
        to_id: journal.to_id,
        outcome: outcome.to_owned(),
        cause,
        deployer: journal.deployer.clone(),
        timings: journal.timings.clone(),
    };
    write(disk, state, &entry, journal.history_length)
}

/// Appends the line of something that was no switch: it led from a generation to the same.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn note(
    disk: &Disk,
    state: &State,
    what: &str,
    deployer: &str,
    current: &Generation,
    outcome: &str,
    cause: Option<String>,
) -> Result<(), Error> {
    let entry = HistoryEntry {
        at: jiff::Timestamp::now().to_string(),
        what: what.to_owned(),
        from: current.number,
        to: current.number,
        to_id: current.id,
        outcome: outcome.to_owned(),
        cause,
        deployer: deployer.to_owned(),
        timings: Default::default(),
    };
    write(disk, state, &entry, length(state))
}

/// Appends a line after the first `length` bytes.
fn write(disk: &Disk, state: &State, entry: &HistoryEntry, length: u64) -> Result<(), Error> {
    let path = path(state);
    let mut line = serde_json::to_vec(entry)
        .map_err(|error| Error::State { path: path.clone(), why: error.to_string() })?;
    line.push(b'\n');
    if fs::metadata(&path).is_ok_and(|metadata| metadata.len() > length) {
        disk.truncate(&path, length)?;
    }
    disk.append(&path, &line)?;
    disk.sync_parent(&path)
}

fn path(state: &State) -> PathBuf {
    state.file("history.jsonl")
}
