//! The artifact that compiler, deployer and activator share: what a generation is, how it is
//! named, stored, laid out as a tree, compared with another, and sent over a wire.
//!
//! Nothing here knows the language that generations are written in, nor how one is switched to.

pub mod canonical;
pub mod diff;
pub mod id;
pub mod layout;
pub mod manifest;
pub mod order;
pub mod secrets;
pub mod store;
pub mod unitfile;
pub mod wire;

pub use id::{BlobId, GenerationId};
pub use manifest::Manifest;
pub use store::Store;
