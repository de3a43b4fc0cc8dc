//! A stand-in for the activator: speaks the wire, keeps blobs in a real store, and switches nothing
//! but a few files of its state. How a switch goes is the text of the manifest.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cairn_generation::wire::{self, Blob, Event, Hello, Kind, Outcome, Request, Step};
use cairn_generation::{BlobId, GenerationId, Store};

struct Fake {
    state: PathBuf,
    store: Store,
}

pub(crate) fn serve(state: &Path) {
    let store = Store::open(state.join("store")).unwrap();
    let fake = Fake { state: state.to_owned(), store };
    let (mut input, mut out) = (std::io::stdin().lock(), std::io::stdout().lock());
    let version = "fake".to_owned();
    let protocol = fake.read("protocol").parse().unwrap_or(wire::PROTOCOL);
    wire::write_message(&mut out, &Hello { protocol, version }).unwrap();
    let _: Hello = wire::read_message(&mut input).unwrap();
    while let Ok(request) = wire::read_message(&mut input) {
        fake.note(&request);
        fake.answer(request, &mut input, &mut out);
    }
}

impl Fake {
    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.state.join(name)).unwrap_or_default()
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.state.join(name), text).unwrap();
    }

    fn note(&self, request: &Request) {
        let line = serde_json::to_string(request).unwrap();
        let line: String = line.chars().take(200).collect();
        self.write("requests", &format!("{}{line}\n", self.read("requests")));
    }

    fn answer(&self, request: Request, input: &mut impl Read, out: &mut impl Write) {
        let mut tell = |event: Event| wire::write_message(&mut *out, &event).unwrap();
        match request {
            Request::Have { blobs } => {
                let blobs = blobs.into_iter().filter(|id| !self.store.has(id));
                let there = |id: &BlobId| self.part(id).metadata().map_or(0, |meta| meta.len());
                tell(Event::Missing { blobs: blobs.map(|id| (id, there(&id))).collect() });
            }
            Request::Put(blob) => {
                if let Err(message) = self.put(&blob, input) {
                    return tell(Event::Failed { step: None, message, unchanged: true });
                }
            }
            Request::Get { blob } => {
                let content = self.store.get(&blob).unwrap();
                tell(Event::Blob(Blob { id: blob, offset: 0, size: content.len() as u64 }));
                for piece in content.chunks(1000) {
                    let chunk = zstd::bulk::compress(piece, 1).unwrap();
                    wire::write(&mut *out, Kind::Chunk, &chunk).unwrap();
                }
                wire::write(&mut *out, Kind::Chunk, &[]).unwrap();
                return wire::write_message(&mut *out, &Event::Done(self.outcome(false))).unwrap();
            }
            Request::Switch { manifest, options } => {
                let id = GenerationId::of(manifest.as_bytes());
                self.write("goal", &format!("{id} {}", options.nonce.unwrap()));
                tell(Event::Step { step: Step::Stage });
                match manifest.as_str() {
                    "fails" => {
                        self.write("goal", "");
                        let message = "foo.service did not start".to_owned();
                        let step = Some(Step::Check);
                        return tell(Event::Failed { step, message, unchanged: true });
                    }
                    // The connection is cut while the engine goes on.
                    "cut" => std::process::exit(0),
                    // …and it goes back before anybody asks.
                    "cut-and-back" => {
                        self.write("goal", "");
                        std::process::exit(0)
                    }
                    _ => {}
                }
                let seconds = options.confirm_timeout;
                tell(Event::AwaitingConfirmation { seconds });
                let deadline = Instant::now() + Duration::from_secs(seconds.into());
                while !self.read("goal").is_empty() {
                    if Instant::now() > deadline {
                        self.write("goal", "");
                        let message = "nobody confirmed".to_owned();
                        let step = Some(Step::Confirm);
                        return tell(Event::Failed { step, message, unchanged: true });
                    }
                    std::thread::sleep(Duration::from_millis(10));
                }
                return tell(Event::Done(self.outcome(true)));
            }
            Request::Confirm { nonce } => {
                let goal = self.read("goal");
                if goal.split(' ').nth(1) != Some(&nonce) {
                    let message = "no switch waits for this".to_owned();
                    return tell(Event::Failed { step: None, message, unchanged: true });
                }
                self.write("current", goal.split(' ').next().unwrap());
                self.write("goal", "");
            }
            Request::Current => tell(Event::Manifest { manifest: Some("{}".to_owned()) }),
            Request::Status => tell(Event::Status(wire::HostStatus {
                generation: 7,
                id: self.current(),
                confirmed: 7,
                confirmed_id: self.current(),
                next: None,
                switching: !self.read("goal").is_empty(),
                unsettled: None,
                drift: Vec::new(),
                failed_units: BTreeSet::new(),
                kept: BTreeMap::new(),
                pinned: BTreeSet::new(),
            })),
            Request::History => tell(Event::History(Box::new(wire::HistoryEntry {
                at: "2026-01-01T00:00:00Z".to_owned(),
                what: "switch".to_owned(),
                from: 6,
                to: 7,
                to_id: None,
                outcome: "rolled back".to_owned(),
                cause: Some("the watchdog ended it".to_owned()),
                deployer: "me@here".to_owned(),
                ..wire::HistoryEntry::default()
            }))),
            // What no test looks at is done at once.
            _ => {}
        }
        tell(Event::Done(self.outcome(false)));
    }

    fn put(&self, blob: &Blob, input: &mut impl Read) -> Result<(), String> {
        let part = self.part(&blob.id);
        let mut content = std::fs::read(&part).unwrap_or_default();
        assert_eq!(content.len() as u64, blob.offset);
        while let Ok((Kind::Chunk, chunk)) = wire::read(&mut *input) {
            if chunk.is_empty() {
                return match self.read("full").is_empty() {
                    true => self.store.put_as(&blob.id, &content[..]).map_err(|e| e.to_string()),
                    false => Err("no space left on device".to_owned()),
                };
            }
            content.extend(zstd::bulk::decompress(&chunk, 1 << 20).unwrap());
            std::fs::write(&part, &content).unwrap();
        }
        std::process::exit(1)
    }

    fn part(&self, id: &BlobId) -> PathBuf {
        self.state.join(format!("{id}.part"))
    }

    fn current(&self) -> Option<GenerationId> {
        self.read("current").parse().ok()
    }

    fn outcome(&self, changed: bool) -> Outcome {
        Outcome { changed, generation: 7, id: self.current(), timings: BTreeMap::new() }
    }
}
