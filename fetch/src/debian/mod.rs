//! Debian's archives: signed lists, indexes of packages, and what of them a host needs.

mod archive;
mod control;
mod index;
mod relation;
mod release;
mod solve;
mod trouble;
mod version;

pub use archive::{Archive, ArchiveError, Keyring, Origin, Snapshot};
pub use index::{Index, Package, Release};
pub use release::SignatureError;
pub use solve::{Asked, Chosen, Solution, base, solve};
pub use trouble::{Cause, Trouble};
pub use version::compare;
