//! What happened to this node: one line of JSON an attempt, only ever appended to.
//!
//! Each line carries the BLAKE3 of the one before it, and `history.head` the number and hash of the
//! last: a line that was changed, added or removed is seen. Whatever somebody made of the file, it
//! is read as far as it goes, and nothing else depends on it.

use std::fs;
use std::io;
use std::path::PathBuf;

use cairn_generation::BlobId;
use cairn_generation::wire::{Event, FailedUnit, History, HistoryEntry};
use serde::{Deserialize, Serialize};

use crate::disk::Disk;
use crate::error::{Error, io};
use crate::journal::Journal;
use crate::state::{State, read_json, write_json};
use crate::system::Tell;

/// Which line is the last. Written after it: a crash, or a full disk, leaves it one line behind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    number: u64,
    hash: String,
}

/// All entries that can be read. A line that was cut by a power failure is left out.
///
/// # Errors
/// When the file cannot be read.
pub fn read(state: &State) -> Result<History, Error> {
    let text = content(state)?;
    let mut history = History::default();
    let (mut previous, mut number) = (hash(b""), Some(0));
    for (index, line) in lines(&text).enumerate() {
        let place = index as u64 + 1;
        match serde_json::from_slice::<HistoryEntry>(line) {
            Err(_) => {
                history.broken.insert(place, "is no entry".to_owned());
                number = None;
            }
            Ok(entry) => {
                if entry.previous != previous {
                    let why = "does not follow the line before it, which was changed or removed";
                    history.broken.insert(place, why.to_owned());
                } else if number.is_some_and(|number| entry.number != number + 1) {
                    history.broken.insert(place, "does not have the next number".to_owned());
                }
                number = Some(entry.number);
                history.entries.push(entry);
            }
        }
        previous = hash(line);
    }
    look_at_end(state, &text, &mut history);
    Ok(history)
}

/// Whether the last line is the one that was last written.
fn look_at_end(state: &State, text: &[u8], history: &mut History) {
    let count = lines(text).count() as u64;
    let last = lines(text).last();
    let entry = last.and_then(|line| serde_json::from_slice::<HistoryEntry>(line).ok());
    let first = entry.as_ref().is_some_and(|entry| entry.number == 1);
    let wrong = match (read_json::<Head>(&head_path(state)), last) {
        (Ok(Some(head)), Some(last)) => {
            let behind = entry.as_ref().is_some_and(|entry| follows(entry, &head));
            match hash(last) == head.hash || behind {
                true => None,
                false if entry.is_some_and(|entry| entry.number < head.number) => {
                    Some((count + 1, format!("is gone, and all up to number {}", head.number)))
                }
                false => Some((count, "is not the line that was last written".to_owned())),
            }
        }
        (Ok(Some(head)), None) => {
            Some((1, format!("is gone, and all up to number {}", head.number)))
        }
        (Ok(None), None) => None,
        (Ok(None), Some(_)) if first => None,
        (Ok(None), Some(_)) => {
            Some((count, "may not be the last: history.head is gone".to_owned()))
        }
        (Err(error), _) => Some((count.max(1), format!("may not be the last: {error}"))),
    };
    if let Some((place, why)) = wrong {
        history.broken.entry(place).or_insert(why);
    }
}

fn follows(entry: &HistoryEntry, head: &Head) -> bool {
    entry.number == head.number + 1 && entry.previous == head.hash
}

/// The length of the whole lines.
pub fn length(state: &State) -> u64 {
    whole(&fs::read(path(state)).unwrap_or_default()) as u64
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
    units: Vec<FailedUnit>,
) -> Result<(), Error> {
    if length(state) > journal.history_length {
        // It may have been cut off between the line and the head.
        write_head(disk, state, &last(state, &content(state)?));
        return Ok(());
    }
    let entry = HistoryEntry {
        started: journal.started.clone(),
        what: journal.what.clone(),
        from: journal.from,
        to: journal.to,
        to_id: journal.to_id,
        outcome: outcome.to_owned(),
        cause,
        deployer: journal.deployer.clone(),
        login: journal.login.clone(),
        timings: journal.timings.clone(),
        units,
        ..HistoryEntry::default()
    };
    note(disk, state, entry)
}

/// Appends this entry, with its number, its time and its place in the chain. Durable when it returns.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn note(disk: &Disk, state: &State, entry: HistoryEntry) -> Result<(), Error> {
    let path = path(state);
    let text = content(state)?;
    let end = last(state, &text);
    let entry = HistoryEntry {
        number: end.number + 1,
        previous: end.hash.clone(),
        at: jiff::Timestamp::now().to_string(),
        ..entry
    };
    let line = serde_json::to_vec(&entry)
        .map_err(|error| Error::State { path: path.clone(), why: error.to_string() })?;
    let length = whole(&text);
    if text.len() > length {
        disk.truncate(&path, length as u64)?;
    }
    let head = head_path(state);
    // It may be one line behind, but not two.
    if end.number > 0 && read_json::<Head>(&head).ok().flatten().as_ref() != Some(&end) {
        write_json(disk, &head, &end)?;
    }
    disk.append(&path, &[line.as_slice(), b"\n"].concat())?;
    disk.sync_parent(&path)?;
    write_head(disk, state, &Head { number: entry.number, hash: hash(&line) });
    Ok(())
}

/// [`note`] where nothing depends on the line: a warning says that it is missing.
pub(crate) fn note_or_warn(disk: &Disk, state: &State, entry: HistoryEntry, tell: Tell) {
    if let Err(error) = note(disk, state, entry) {
        tell(Event::Warning { message: format!("history has no line of this: {error}") });
    }
}

/// What the line tells of is over: a full disk must not make a failure of it now.
fn write_head(disk: &Disk, state: &State, head: &Head) {
    let _ = write_json(disk, &head_path(state), head);
}

/// What the next line follows: the line that was last written, even where somebody has changed or
/// removed it since, so that the break stays to be seen.
fn last(state: &State, text: &[u8]) -> Head {
    let head = read_json::<Head>(&head_path(state)).ok().flatten();
    let line = lines(text).last();
    let entry = line.and_then(|line| serde_json::from_slice::<HistoryEntry>(line).ok());
    match (head, line, entry) {
        (Some(head), Some(line), Some(entry)) if follows(&entry, &head) => {
            Head { number: entry.number, hash: hash(line) }
        }
        (Some(head), _, _) => head,
        (None, Some(line), entry) => {
            let number = entry.map_or(lines(text).count() as u64, |entry| entry.number);
            Head { number, hash: hash(line) }
        }
        (None, None, _) => Head { number: 0, hash: hash(b"") },
    }
}

fn content(state: &State) -> Result<Vec<u8>, Error> {
    let path = path(state);
    match fs::read(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        other => other.map_err(io("read", &path)),
    }
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = text.get(..whole(text)).unwrap_or_default().split(|byte| *byte == b'\n');
    lines.filter(|line| !line.is_empty())
}

fn whole(text: &[u8]) -> usize {
    text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1)
}

fn hash(line: &[u8]) -> String {
    BlobId::of(line).to_string()
}

fn path(state: &State) -> PathBuf {
    state.file("history.jsonl")
}

fn head_path(state: &State) -> PathBuf {
    state.file("history.head")
}

#[cfg(test)]
mod tests;
