//! Inputs, and the lock that pins them: fetched, verified, kept by content.

pub mod input;
pub mod lock;

use sha2::{Digest, Sha256};

/// A SHA-256 in 64 lower-case hex digits.
fn sha256_hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
