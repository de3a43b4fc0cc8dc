//! The frames of `cairn_generation::wire`, over streams that are not blocking.

use cairn_generation::wire::{self, FrameError, Kind, MAX_FRAME};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// Why a conversation cannot go on.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The stream ended or failed.
    Closed(String),
    /// The peer says what is not understood.
    Malformed(String),
}

impl From<std::io::Error> for Broken {
    fn from(error: std::io::Error) -> Self {
        Self::Closed(match error.kind() {
            std::io::ErrorKind::UnexpectedEof => "the host closed it".to_owned(),
            _ => error.to_string(),
        })
    }
}

impl From<FrameError> for Broken {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::Io(error) => error.into(),
            FrameError::Closed => Self::Closed("the host closed it".to_owned()),
            FrameError::Malformed(message) => Self::Malformed(message),
        }
    }
}

pub(crate) async fn write(
    mut out: impl AsyncWrite + Unpin,
    kind: Kind,
    payload: &[u8],
) -> Result<(), Broken> {
    let mut frame = Vec::with_capacity(payload.len() + 5);
    wire::write(&mut frame, kind, payload)?;
    out.write_all(&frame).await?;
    Ok(out.flush().await?)
}

pub(crate) async fn read(mut input: impl AsyncRead + Unpin) -> Result<(Kind, Vec<u8>), Broken> {
    let mut head = [0; 5];
    input.read_exact(&mut head).await?;
    let [kind, length @ ..] = head;
    let mut frame = head.to_vec();
    let length = u32::from_be_bytes(length);
    if kind <= 1 && length <= MAX_FRAME {
        // Grows as bytes arrive: a length alone allocates nothing.
        input.take(length.into()).read_to_end(&mut frame).await?;
    }
    // The rules of the format are kept in one place.
    Ok(wire::read(&frame[..])?)
}

pub(crate) async fn write_message(
    out: impl AsyncWrite + Unpin,
    message: &impl Serialize,
) -> Result<(), Broken> {
    let payload =
        serde_json::to_vec(message).map_err(|error| Broken::Malformed(error.to_string()))?;
    write(out, Kind::Message, &payload).await
}

pub(crate) async fn read_message<T: DeserializeOwned>(
    input: impl AsyncRead + Unpin,
) -> Result<T, Broken> {
    match read(input).await? {
        (Kind::Message, payload) => {
            serde_json::from_slice(&payload).map_err(|error| Broken::Malformed(error.to_string()))
        }
        (Kind::Chunk, _) => Err(Broken::Malformed("a chunk outside a blob".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn taken(bytes: &[u8]) -> Vec<String> {
        let mut input = bytes;
        let mut taken = Vec::new();
        loop {
            match read(&mut input).await {
                Ok((kind, payload)) => taken.push(format!("{kind:?} {}", payload.len())),
                Err(broken) => {
                    taken.push(format!("{broken:?}"));
                    return taken;
                }
            }
        }
    }

    #[tokio::test]
    async fn as_the_blocking_ones() {
        let mut bytes = Vec::new();
        write(&mut bytes, Kind::Chunk, b"stone").await.unwrap();
        write_message(&mut bytes, &["a"]).await.unwrap();
        let mut blocking = &bytes[..];
        assert_eq!(wire::read(&mut blocking).unwrap(), (Kind::Chunk, b"stone".to_vec()));
        assert_eq!(wire::read_message::<Vec<String>>(&mut blocking).unwrap(), ["a"]);
        let end = "Closed(\"the host closed it\")";
        assert_eq!(taken(&bytes).await, ["Chunk 5", "Message 5", end]);
        assert_eq!(taken(&bytes[..7]).await, [end]);
        let long = [0, 255, 255, 255, 255, 1];
        assert_eq!(taken(&long).await, ["Malformed(\"a frame of 4294967295 bytes\")"]);
        assert_eq!(taken(b"Welcome").await, ["Malformed(\"a frame of kind 87\")"]);
    }
}
