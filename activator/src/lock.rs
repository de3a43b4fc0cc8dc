//! One switch at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

use crate::error::{Error, io};
use crate::state::State;

/// The right to change this node; given back when dropped, or when its process dies.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock, and writes down who has it.
    ///
    /// # Errors
    /// [`Error::Busy`] when another process has it, with who and since when.
    pub(crate) fn take(state: &State, holder: &str) -> Result<Self, Error> {
        let path = state.file("lock");
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(io("open", &path))?;
        match patiently(|| file.try_lock()) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // Without the name the refusal is as true.
                let _ = file.read_to_string(&mut text);
                let holder = if text.is_empty() { text } else { format!(" ({})", text.trim()) };
                return Err(Error::Busy { holder });
            }
            Err(TryLockError::Error(error)) => return Err(io("lock", &path)(error)),
        }
        let note = format!("by {holder}, since {}", jiff::Timestamp::now());
        file.set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| file.write_all(note.as_bytes()))
            .map_err(io("write", &path))?;
        Ok(Self { _file: file })
    }

    /// Whether somebody has it.
    pub(crate) fn is_taken(state: &State) -> bool {
        File::open(state.file("lock"))
            .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }
}

/// Whoever only asks whether the lock is taken holds it for a moment.
fn patiently(mut take: impl FnMut() -> Result<(), TryLockError>) -> Result<(), TryLockError> {
    for _ in 0..10 {
        match take() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(10)),
            other => return other,
        }
    }
    take()
}
