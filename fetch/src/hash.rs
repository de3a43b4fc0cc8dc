//! SHA-256 of what is read.

use std::io::{self, Read, Write};

use sha2::{Digest, Sha256};

/// A SHA-256 in the making.
#[derive(Clone, Default)]
pub(crate) struct Hasher(Sha256);

impl Hasher {
    /// Copies all of `from`, and counts it in; each piece's length is told.
    pub(crate) fn copy(
        &mut self,
        mut from: impl Read,
        to: &mut impl Write,
        told: &dyn Fn(u64),
    ) -> io::Result<u64> {
        let mut buffer = vec![0; 64 << 10];
        let mut all = 0;
        loop {
            let count = match from.read(&mut buffer) {
                Ok(0) => return Ok(all),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let piece = buffer.get(..count).unwrap_or_default();
            self.0.update(piece);
            to.write_all(piece)?;
            all += count as u64;
            told(count as u64);
        }
    }

    /// 64 lower-case hex digits.
    pub(crate) fn hex(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The SHA-256 of these bytes, in hex.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    Hasher(Sha256::new_with_prefix(bytes)).hex()
}

/// The SHA-256 of all that can be read, in hex.
pub(crate) fn sha256_of(from: impl Read) -> io::Result<String> {
    let mut hasher = Hasher::default();
    hasher.copy(from, &mut io::sink(), &|_| ())?;
    Ok(hasher.hex())
}
