//! What deployer and activator say to each other over the standard input and output of one process.
//!
//! A frame is a kind (one byte), a length (four bytes, big endian) and so many bytes. The first frame
//! of each side is a [`Hello`]; the deployer then sends [`Request`]s, one at a time, and the
//! activator answers each with [`Event`]s, of which the last is [`Event::Done`] or [`Event::Failed`].
//! Blobs travel as frames of compressed chunks. Unknown fields are refused: both sides are of one
//! protocol version or do not speak.

mod drift;
mod frame;
mod history;
mod message;

pub use drift::{Drift, DriftKind};

pub use frame::{FrameError, Kind, MAX_FRAME, read, read_message, write, write_message};
pub use history::{FailedUnit, History, HistoryEntry};
pub use message::{
    Action, Blob, Event, Hello, HostStatus, Mode, Outcome, PROTOCOL, Request, Step, SwitchOptions,
    UnitAction,
};
