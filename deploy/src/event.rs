//! What a deployer tells while it works.

use cairn_generation::wire::Event;
use serde::Serialize;

/// Something that happened on the way to a host, or on it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "type")]
pub enum HostEvent {
    /// A connection is being made.
    Connecting {
        /// `user@address, port N`.
        to: String,
    },
    /// The activator is there and answers.
    Connected {
        /// Its version.
        version: String,
    },
    /// The activator is not there yet, and is sent.
    SendingActivator {
        /// As `uname -m` says.
        architecture: String,
        /// Its size.
        bytes: u64,
    },
    /// Blobs are being sent: how far.
    Sending {
        /// Blobs that arrived.
        blobs: u64,
        /// Blobs to send.
        blobs_total: u64,
        /// Uncompressed bytes that were sent.
        bytes: u64,
        /// Uncompressed bytes to send, without what was there before.
        bytes_total: u64,
    },
    /// What the host itself tells.
    Host(Event),
    /// The switch is being confirmed over a new connection.
    Confirming,
    /// The connection was lost while a switch was under way; the host goes on by itself.
    ConnectionLost {
        /// Why.
        message: String,
    },
}

/// Who is told what happens. One observer serves many hosts at once.
pub trait Observer: Send + Sync {
    /// `event` happened on the way to `host`, or on it.
    fn event(&self, host: &str, event: &HostEvent);
}

impl<F: Fn(&str, &HostEvent) + Send + Sync> Observer for F {
    fn event(&self, host: &str, event: &HostEvent) {
        self(host, event);
    }
}

/// Nobody is told.
#[derive(Debug, Clone, Copy, Default)]
pub struct Quiet;

impl Observer for Quiet {
    fn event(&self, _host: &str, _event: &HostEvent) {}
}
