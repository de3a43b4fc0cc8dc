//! Blobs on their way to a host: compressed in chunks, from where an earlier sending stopped.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::atomic::{AtomicU64, Ordering};

use cairn_generation::wire::{Blob, Event, Kind, Request};
use cairn_generation::{BlobId, Store};
use tokio::io::{AsyncRead, AsyncWrite};

use super::Session;
use super::frames::{self, Broken};
use crate::error::{Cause, Error};
use crate::event::{HostEvent, Observer};

/// Uncompressed bytes of a chunk: enough to compress well, few enough to see progress.
const CHUNK: u64 = 1 << 20;
/// zstd's own default: faster than most networks.
const LEVEL: i32 = 3;

/// Why sending stopped.
enum Stopped {
    Unread(BlobId, io::Error),
    Broken(Broken),
    Refused(Cause),
}

impl From<Broken> for Stopped {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

/// Sends blobs one after the other, without waiting for each to be kept.
pub(super) async fn blobs(
    session: &mut Session,
    store: &Store,
    missing: Vec<(BlobId, u64)>,
    observer: &dyn Observer,
) -> Result<(), Error> {
    if missing.is_empty() {
        return Ok(());
    }
    let measured = missing.into_iter().map(|(id, there)| measure(store, id, there));
    let sent = match measured.collect::<Result<Vec<_>, _>>() {
        Ok(blobs) => {
            let progress = Progress::new(&session.host, &blobs, observer);
            let (out, input) = (&mut session.process.stdin, &mut session.process.stdout);
            tokio::try_join!(
                put_all(out, store, &blobs, &progress),
                kept_all(input, blobs.len(), &progress)
            )
        }
        Err(stopped) => Err(stopped),
    };
    match sent {
        Ok(_) => Ok(()),
        Err(Stopped::Broken(broken)) => Err(session.broken(broken, "while blobs were sent").await),
        Err(Stopped::Refused(cause)) => Err(session.error(cause)),
        Err(Stopped::Unread(blob, error)) => {
            let message = format!("{}: {error}", store.path(&blob).display());
            Err(session.error(Cause::Blob { blob, message }))
        }
    }
}

fn measure(store: &Store, id: BlobId, there: u64) -> Result<Blob, Stopped> {
    let size = store.path(&id).metadata().map_err(|error| Stopped::Unread(id, error))?.len();
    // What is there beyond the end cannot be ours: the host gets all of it again.
    let offset = if there > size { 0 } else { there };
    Ok(Blob { id, offset, size })
}

async fn put_all(
    mut out: impl AsyncWrite + Unpin,
    store: &Store,
    blobs: &[Blob],
    progress: &Progress<'_>,
) -> Result<(), Stopped> {
    for blob in blobs {
        match put(&mut out, store, blob, progress).await {
            // What the host said before it closed tells more: it is still being read.
            Err(Stopped::Broken(Broken::Closed(_))) => return Ok(()),
            other => other?,
        }
    }
    Ok(())
}

async fn put(
    mut out: impl AsyncWrite + Unpin,
    store: &Store,
    blob: &Blob,
    progress: &Progress<'_>,
) -> Result<(), Stopped> {
    let unread = |error| Stopped::Unread(blob.id, error);
    let mut file = File::open(store.path(&blob.id)).map_err(unread)?;
    file.seek(SeekFrom::Start(blob.offset)).map_err(unread)?;
    frames::write_message(&mut out, &Request::Put(blob.clone())).await?;
    let mut rest = blob.size - blob.offset;
    let mut piece = Vec::new();
    while rest > 0 {
        piece.clear();
        let count = (&mut file).take(CHUNK.min(rest)).read_to_end(&mut piece).map_err(unread)?;
        if count == 0 {
            return Err(unread(io::Error::other("it became shorter while it was sent")));
        }
        let chunk = zstd::bulk::compress(&piece, LEVEL).map_err(unread)?;
        frames::write(&mut out, Kind::Chunk, &chunk).await?;
        rest -= count as u64;
        progress.sent(count as u64);
    }
    Ok(frames::write(&mut out, Kind::Chunk, &[]).await?)
}

async fn kept_all(
    mut input: impl AsyncRead + Unpin,
    count: usize,
    progress: &Progress<'_>,
) -> Result<(), Stopped> {
    for _ in 0..count {
        loop {
            match frames::read_message(&mut input).await? {
                Event::Done(_) => break,
                Event::Failed { step, message, unchanged } => {
                    return Err(Stopped::Refused(Cause::Failed { step, message, unchanged }));
                }
                event => progress.observer.event(progress.host, &HostEvent::Host(event)),
            }
        }
        progress.kept();
    }
    Ok(())
}

/// At most `room` bytes of a chunk.
pub(super) fn decompress(chunk: &[u8], room: usize) -> io::Result<Vec<u8>> {
    let mut piece = Vec::new();
    let limit = (room as u64).saturating_add(1);
    zstd::stream::Decoder::new(chunk)?.take(limit).read_to_end(&mut piece)?;
    if piece.len() > room {
        return Err(io::Error::other("it is longer than was said"));
    }
    Ok(piece)
}

struct Progress<'a> {
    host: &'a str,
    observer: &'a dyn Observer,
    blobs: AtomicU64,
    blobs_total: u64,
    bytes: AtomicU64,
    bytes_total: u64,
}

impl<'a> Progress<'a> {
    fn new(host: &'a str, blobs: &[Blob], observer: &'a dyn Observer) -> Self {
        let progress = Self {
            host,
            observer,
            blobs: AtomicU64::new(0),
            blobs_total: blobs.len() as u64,
            bytes: AtomicU64::new(0),
            bytes_total: blobs.iter().map(|blob| blob.size - blob.offset).sum(),
        };
        progress.tell();
        progress
    }

    fn sent(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.tell();
    }

    fn kept(&self) {
        self.blobs.fetch_add(1, Ordering::Relaxed);
        self.tell();
    }

    fn tell(&self) {
        let event = HostEvent::Sending {
            blobs: self.blobs.load(Ordering::Relaxed),
            blobs_total: self.blobs_total,
            bytes: self.bytes.load(Ordering::Relaxed),
            bytes_total: self.bytes_total,
        };
        self.observer.event(self.host, &event);
    }
}
