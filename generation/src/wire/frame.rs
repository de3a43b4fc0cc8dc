//! Length-prefixed frames.

use std::io::{self, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// No frame is longer: a larger length is a broken or hostile peer, and is not allocated.
pub const MAX_FRAME: u32 = 16 << 20;

/// What a frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A message as JSON.
    Message,
    /// A piece of a blob, compressed with zstd by itself; an empty one ends the blob.
    Chunk,
}

/// Why a frame cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The peer closed the connection between two frames.
    #[error("the connection was closed")]
    Closed,
    /// The connection failed, or ended within a frame.
    #[error("the connection failed: {0}")]
    Io(#[from] io::Error),
    /// The bytes are no frame of this protocol.
    #[error("not a frame of this protocol: {0}")]
    Malformed(String),
}

/// Writes one frame and flushes.
///
/// # Errors
/// When the connection fails, or `payload` is longer than [`MAX_FRAME`].
pub fn write(mut out: impl Write, kind: Kind, payload: &[u8]) -> Result<(), FrameError> {
    let length = u32::try_from(payload.len())
        .ok()
        .filter(|length| *length <= MAX_FRAME)
        .ok_or_else(|| FrameError::Malformed(format!("{} bytes are too long", payload.len())))?;
    out.write_all(&[kind as u8])?;
    out.write_all(&length.to_be_bytes())?;
    out.write_all(payload)?;
    Ok(out.flush()?)
}

/// Reads one frame.
///
/// # Errors
/// [`FrameError::Closed`] at a clean end; otherwise when the connection fails within a frame, or
/// the bytes are no frame.
pub fn read(mut input: impl Read) -> Result<(Kind, Vec<u8>), FrameError> {
    let mut kind = [0];
    if input.read(&mut kind)? == 0 {
        return Err(FrameError::Closed);
    }
    let kind = match kind {
        [0] => Kind::Message,
        [1] => Kind::Chunk,
        [other] => return Err(FrameError::Malformed(format!("a frame of kind {other}"))),
    };
    let mut length = [0; 4];
    input.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length);
    if length > MAX_FRAME {
        return Err(FrameError::Malformed(format!("a frame of {length} bytes")));
    }
    // Grows as bytes arrive: a length alone allocates nothing.
    let mut payload = Vec::new();
    let count = input.take(length.into()).read_to_end(&mut payload)?;
    if count < length as usize {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
    }
    Ok((kind, payload))
}

/// Writes `message` as one frame.
///
/// # Errors
/// As [`write`].
pub fn write_message(out: impl Write, message: &impl Serialize) -> Result<(), FrameError> {
    let payload =
        serde_json::to_vec(message).map_err(|error| FrameError::Malformed(error.to_string()))?;
    write(out, Kind::Message, &payload)
}

/// Reads one frame that must be a message.
///
/// # Errors
/// As [`read`], and when the frame is a chunk or says something that `T` does not know.
pub fn read_message<T: DeserializeOwned>(input: impl Read) -> Result<T, FrameError> {
    match read(input)? {
        (Kind::Message, payload) => serde_json::from_slice(&payload)
            .map_err(|error| FrameError::Malformed(error.to_string())),
        (Kind::Chunk, _) => Err(FrameError::Malformed("a chunk outside a blob".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn round_trip() {
        let mut bytes = Vec::new();
        write(&mut bytes, Kind::Chunk, b"stone").unwrap();
        write_message(&mut bytes, &["a"]).unwrap();
        let mut input = &bytes[..];
        assert_eq!(read(&mut input).unwrap(), (Kind::Chunk, b"stone".to_vec()));
        assert_eq!(read_message::<Vec<String>>(&mut input).unwrap(), ["a"]);
        assert!(matches!(read(&mut input), Err(FrameError::Closed)));
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_an_error_or_a_frame(bytes: Vec<u8>) {
            let mut input = &bytes[..];
            while read(&mut input).is_ok() {}
        }
    }
}
