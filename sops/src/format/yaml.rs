//! YAML as sops reads and writes it, with comments.

mod read;
mod scalar;
mod write;

pub(crate) use read::{Aliases, read};
pub(crate) use write::write;
