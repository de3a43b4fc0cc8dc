//! The program on the node: stage, switch, confirm, roll back, recover.
//!
//! A [`Node`] is a host, or a folder in its place (`--into`): the same engine, with the host's units,
//! packages, accounts and kernel behind [`system::System`]. The state machine of a switch, with what
//! is durable in each state and what recovery does from it, stands in [`journal`].

mod boot;
pub mod disk;
mod drift;
mod engine;
mod error;
mod files;
mod gc;
pub mod history;
mod host;
pub mod journal;
mod lock;
mod node;
mod origin;
mod pins;
pub mod program;
mod programs;
mod recovery;
mod relay;
mod repair;
mod secrets;
pub mod serve;
mod settling;
pub mod state;
pub mod system;
mod tree;

pub use error::{Error, Failure};
pub use node::{BlobSource, By, NoBlobs, Node, silent};
pub use origin::{Origin, Original};
pub use secrets::SecretEffects;
