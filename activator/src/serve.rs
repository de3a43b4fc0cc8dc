//! The node's side of the wire: requests on standard input, events on standard output.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cairn_generation::wire::{
    Blob, Event, FrameError, Hello, Kind, Mode, Outcome, PROTOCOL, Request, SwitchOptions, read,
    read_message, write, write_message,
};
use cairn_generation::{BlobId, Store};

use crate::disk::Disk;
use crate::error::{Error, Failure, io};
use crate::host::CONFIRMED;
use crate::host::preflight::has_room;
use crate::journal::{Journal, Phase};
use crate::lock::Lock;
use crate::node::{By, NoBlobs, Node, outcome};
use crate::relay::{self, Order, last_event};

/// Bytes of a blob in one chunk that is sent.
const CHUNK: usize = 1 << 20;
/// A chunk is never larger when it is unpacked.
const LARGEST: usize = 64 << 20;

/// One connection.
struct Connection<'a> {
    node: &'a mut Node,
    input: &'a mut dyn Read,
    output: &'a mut dyn Write,
}

/// Why a request was not carried out.
enum Broken {
    /// The other side is gone or speaks nonsense: nobody can be told.
    Wire(FrameError),
    /// Something that the other side is told.
    Refused(Failure),
}

impl From<FrameError> for Broken {
    fn from(error: FrameError) -> Self {
        Self::Wire(error)
    }
}

impl From<Error> for Broken {
    fn from(error: Error) -> Self {
        Self::Refused(error.into())
    }
}

impl From<cairn_generation::store::StoreError> for Broken {
    fn from(error: cairn_generation::store::StoreError) -> Self {
        Error::from(error).into()
    }
}

/// Answers requests until the other side closes.
///
/// # Errors
/// When the connection breaks within a frame, or the other side speaks another protocol.
pub fn serve(
    node: &mut Node,
    input: &mut dyn Read,
    output: &mut dyn Write,
) -> Result<(), FrameError> {
    let hello = Hello { protocol: PROTOCOL, version: env!("CARGO_PKG_VERSION").to_owned() };
    write_message(&mut *output, &hello)?;
    let theirs: Hello = read_message(&mut *input)?;
    if theirs.protocol != PROTOCOL {
        return Err(FrameError::Malformed(format!(
            "protocol {} of version {}; this is protocol {PROTOCOL}",
            theirs.protocol, theirs.version
        )));
    }
    let mut connection = Connection { node, input, output };
    loop {
        let request = match read_message(&mut *connection.input) {
            Err(FrameError::Closed) => return Ok(()),
            other => other?,
        };
        match connection.answer(request) {
            Ok(()) => {}
            Err(Broken::Refused(failure)) => connection.send(&last_event(Err(failure)))?,
            Err(Broken::Wire(error)) => return Err(error),
        }
    }
}

impl Connection<'_> {
    fn answer(&mut self, request: Request) -> Result<(), Broken> {
        match request {
            Request::Have { blobs } => {
                let store = self.node.store()?;
                let missing = blobs
                    .into_iter()
                    .filter(|id| store.verify(id).is_err())
                    .map(|id| (id, part_size(&store, &id)))
                    .collect::<BTreeMap<_, _>>();
                self.send(&Event::Missing { blobs: missing })?;
                self.done()
            }
            Request::Put(blob) => self.take_blob(&blob),
            Request::Get { blob } => self.give_blob(&blob),
            Request::Switch { manifest, options } => self.switch(manifest, options),
            Request::Rollback { to, options } => self.rollback(to, options),
            Request::Confirm { nonce } => {
                let outcome = self.confirm(&nonce)?;
                Ok(self.send(&Event::Done(outcome))?)
            }
            Request::Current => {
                let manifest = self.node.current()?;
                let manifest = manifest.map(|text| String::from_utf8_lossy(&text).into_owned());
                self.send(&Event::Manifest { manifest })?;
                self.done()
            }
            Request::Status => {
                let status = self.node.status()?;
                self.send(&Event::Status(status))?;
                self.done()
            }
            Request::Drift => {
                for drift in self.node.drift()? {
                    self.send(&Event::Drift(drift))?;
                }
                self.done()
            }
            Request::Repair { deployer } => {
                self.relay(&Order::Repair { by: By { deployer, login: login() } })
            }
            Request::History => {
                let history = self.node.history()?;
                for entry in history.entries {
                    self.send(&Event::History(entry.into()))?;
                }
                for (line, why) in history.broken {
                    self.send(&Event::HistoryBroken { line, why })?;
                }
                self.done()
            }
            Request::Pin { generation, remove } => {
                let outcome = self.node.pin(&generation, remove).map_err(Broken::Refused)?;
                Ok(self.send(&Event::Done(outcome))?)
            }
            Request::Gc { keep } => {
                let (events, done) = collected(|tell| self.node.gc(keep, tell));
                self.finish(events, done)
            }
        }
    }

    fn switch(&mut self, manifest: String, options: SwitchOptions) -> Result<(), Broken> {
        let options = SwitchOptions { login: login(), port: port(), ..options };
        if options.mode == Mode::DryActivate {
            let (events, done) =
                collected(|tell| self.node.switch(manifest.as_bytes(), &NoBlobs, &options, tell));
            return self.finish(events, done);
        }
        // A switch that has nothing to do is answered without an engine: it is the common case.
        if let Some(outcome) = self.node.is_in(manifest.as_bytes(), &options)? {
            return Ok(self.send(&Event::Done(outcome))?);
        }
        self.relay(&Order::Switch { manifest, options })
    }

    fn rollback(&mut self, to: Option<String>, options: SwitchOptions) -> Result<(), Broken> {
        let options = SwitchOptions { login: login(), port: port(), ..options };
        if options.mode == Mode::DryActivate {
            let (events, done) =
                collected(|tell| self.node.rollback(to.as_deref(), &options, tell));
            return self.finish(events, done);
        }
        self.relay(&Order::Rollback { to, options })
    }

    fn relay(&mut self, order: &Order) -> Result<(), Broken> {
        let (mut lost, output) = (None, &mut *self.output);
        let mut send = |event: &Event| {
            write_message(&mut *output, event).map_err(|error| {
                let text = error.to_string();
                lost = Some(error);
                Error::refused(text)
            })
        };
        let relayed = relay::start(order, &mut send);
        match lost {
            Some(error) => Err(error.into()),
            None => Ok(relayed?),
        }
    }

    /// The nonce is compared with the journal's: one of another switch, or a late one, confirms
    /// nothing.
    fn confirm(&mut self, nonce: &str) -> Result<Outcome, Broken> {
        let state = &self.node.state;
        let refused = |why: &str| Broken::from(Error::refused(why));
        let Some(journal) = Journal::under_way(state)?.filter(|_| Lock::is_taken(state)) else {
            return Err(refused("no switch waits for a confirmation: it is over"));
        };
        if journal.nonce.as_deref() != Some(nonce) {
            return Err(refused("the nonce is that of another switch"));
        }
        if journal.phase != Phase::Checked {
            return Err(refused("the switch does not wait for its confirmation yet"));
        }
        Disk.replace_file(Path::new(CONFIRMED), nonce.as_bytes(), 0o600, None)?;
        let end = Instant::now() + Duration::from_secs(u64::from(journal.confirm_timeout) + 60);
        while Instant::now() < end {
            let same = Journal::under_way(state)?.is_some_and(|now| now.started == journal.started);
            if !same {
                let current = state.current()?;
                if current.number == journal.to {
                    return Ok(outcome(current.number, current.id, true));
                }
                return Err(refused("the confirmation came too late: the host has gone back"));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Err(refused("the switch did not end after its confirmation"))
    }

    /// What arrived of a blob stays under a name of its own, so that a cut connection costs little.
    fn take_blob(&mut self, blob: &Blob) -> Result<(), Broken> {
        let store = self.node.store()?;
        let part = part_path(&store, &blob.id);
        let mut size = blob.offset;
        let mut trouble: Option<Error> = None;
        // The blob, and its copy in the tree that is laid out from it.
        let more = blob.size.saturating_sub(blob.offset).saturating_add(blob.size);
        let room = has_room(store.folder(), more);
        let mut file = match room.and_then(|()| open_part(&part, blob.offset)) {
            Ok(file) => Some(file),
            Err(error) => {
                trouble = Some(error);
                None
            }
        };
        // Whatever is wrong, the rest of the blob is read: the next request comes after it.
        loop {
            let (kind, chunk) = read(&mut *self.input)?;
            if kind != Kind::Chunk {
                return Err(FrameError::Malformed("a message within a blob".to_owned()).into());
            }
            if chunk.is_empty() {
                break;
            }
            let Some(file) = file.as_mut().filter(|_| trouble.is_none()) else { continue };
            match unpack(&chunk) {
                Ok(content) => {
                    size += content.len() as u64;
                    if size > blob.size {
                        trouble = Some(Error::refused(format!(
                            "the blob {} is longer than was said",
                            blob.id
                        )));
                    } else if let Err(error) = file.write_all(&content) {
                        trouble = Some(io("write", &part)(error));
                    }
                }
                Err(error) => {
                    trouble = Some(Error::refused(format!(
                        "the blob {} arrived damaged: {error}",
                        blob.id
                    )))
                }
            }
        }
        if let Some(error) = trouble {
            // It is not continued, and what it takes of a full disk is wanted elsewhere.
            let _ = fs::remove_file(&part);
            return Err(error.into());
        }
        drop(file);
        let kept = store.take(&blob.id, &part);
        if kept.is_err() {
            // What is damaged is not continued.
            let _ = fs::remove_file(&part);
        }
        kept?;
        self.done()
    }

    fn give_blob(&mut self, id: &BlobId) -> Result<(), Broken> {
        let content = self.node.store()?.get(id)?;
        self.send(&Event::Blob(Blob { id: *id, offset: 0, size: content.len() as u64 }))?;
        for piece in content.chunks(CHUNK) {
            let packed = zstd::bulk::compress(piece, 3)
                .map_err(|error| Error::refused(format!("cannot compress: {error}")))?;
            write(&mut *self.output, Kind::Chunk, &packed)?;
        }
        write(&mut *self.output, Kind::Chunk, &[])?;
        self.done()
    }

    fn finish(&mut self, events: Vec<Event>, done: Result<Outcome, Failure>) -> Result<(), Broken> {
        for event in &events {
            self.send(event)?;
        }
        Ok(self.send(&last_event(done))?)
    }

    fn done(&mut self) -> Result<(), Broken> {
        let current = self.node.state.current()?;
        Ok(self.send(&Event::Done(outcome(current.number, current.id, false)))?)
    }

    fn send(&mut self, event: &Event) -> Result<(), FrameError> {
        write_message(&mut *self.output, event)
    }
}

/// The login behind this process: whoever used sudo, or else its own.
fn login() -> Option<String> {
    let named = |name| std::env::var(name).ok().filter(|name: &String| !name.is_empty());
    named("SUDO_USER").or_else(|| named("USER")).or_else(|| named("LOGNAME"))
}

/// The port that this process's connection came to. sshd says it to the login's own processes, and
/// sudo does not pass it on.
fn port() -> Option<u16> {
    let mut process = std::process::id();
    while process > 1 {
        let environment = fs::read(format!("/proc/{process}/environ")).ok()?;
        let mut variables = environment.split(|byte| *byte == 0);
        if let Some(said) = variables.find_map(|one| one.strip_prefix(b"SSH_CONNECTION=")) {
            return std::str::from_utf8(said).ok()?.split(' ').nth(3)?.parse().ok();
        }
        let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
        process = parent.trim().parse().ok()?;
    }
    None
}

fn collected(
    run: impl FnOnce(&mut dyn FnMut(Event)) -> Result<Outcome, Failure>,
) -> (Vec<Event>, Result<Outcome, Failure>) {
    let mut events = Vec::new();
    let done = run(&mut |event| events.push(event));
    (events, done)
}

fn part_path(store: &Store, id: &BlobId) -> PathBuf {
    store.folder().join(format!(".part-{id}"))
}

fn part_size(store: &Store, id: &BlobId) -> u64 {
    fs::metadata(part_path(store, id)).map_or(0, |found| found.len())
}

fn open_part(part: &Path, offset: u64) -> Result<fs::File, Error> {
    let mut options = OpenOptions::new();
    options.create(true).append(true).mode(0o600);
    let file = options.open(part).map_err(io("open", part))?;
    // The sender starts where it was told to, or anew.
    file.set_len(offset).map_err(io("cut", part))?;
    Ok(file)
}

fn unpack(chunk: &[u8]) -> Result<Vec<u8>, std::io::Error> {
    let mut content = Vec::new();
    let limit = LARGEST as u64 + 1;
    zstd::stream::Decoder::new(chunk)?.take(limit).read_to_end(&mut content)?;
    if content.len() > LARGEST {
        return Err(std::io::Error::other("a chunk is too large"));
    }
    Ok(content)
}

#[cfg(test)]
mod tests;
