//! A node: the host, or a folder in its place, and all that can be asked of it.

use std::io::Read;
use std::path::{Path, PathBuf};

use cairn_generation::wire::{Drift, Event, History, HostStatus, Mode, Outcome, SwitchOptions};
use cairn_generation::{BlobId, Store};

use serde::{Deserialize, Serialize};

use crate::disk::Disk;
use crate::drift;
use crate::engine::{Engine, Target};
use crate::error::{Error, Failure};
use crate::gc;
use crate::history;
use crate::journal::{Journal, Phase};
use crate::lock::Lock;
use crate::pins;
use crate::recovery;
use crate::repair;
use crate::state::State;
use crate::system::{Listing, System, Tell};

/// Where blobs come from that the node does not have yet.
pub trait BlobSource {
    /// The content of a blob; what comes is verified.
    ///
    /// # Errors
    /// When it is not there.
    fn blob(&self, id: &BlobId) -> Result<Box<dyn Read + '_>, std::io::Error>;
}

impl BlobSource for Store {
    fn blob(&self, id: &BlobId) -> Result<Box<dyn Read + '_>, std::io::Error> {
        Ok(Box::new(std::fs::File::open(self.path(id))?))
    }
}

/// Nothing: all blobs were sent before.
#[derive(Debug, Clone, Copy)]
pub struct NoBlobs;

impl BlobSource for NoBlobs {
    fn blob(&self, _: &BlobId) -> Result<Box<dyn Read + '_>, std::io::Error> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}

/// Who asks for something.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct By {
    /// `user@machine`.
    pub deployer: String,
    /// The login that it came through; none where there was no connection.
    pub login: Option<String>,
}

/// A node that can be switched.
pub struct Node {
    pub(crate) state: State,
    pub(crate) disk: Disk,
    pub(crate) system: Box<dyn System>,
}

impl Node {
    /// The folder `root` in the place of a host: files are real, owners are recorded, whatever
    /// would be done to units, users, packages and the kernel is only told as events.
    ///
    /// # Errors
    /// When `root` cannot be made.
    pub fn at_root(root: &Path) -> Result<Self, Error> {
        std::fs::create_dir_all(root).map_err(crate::error::io("make the folder", root))?;
        // Links are relative, and relative paths must mean the same from every folder.
        let root: PathBuf = root.canonicalize().map_err(crate::error::io("find", root))?;
        Ok(Self::new(&root, Disk, Box::new(Listing)))
    }

    /// A node made of these parts.
    pub fn new(root: &Path, disk: Disk, system: Box<dyn System>) -> Self {
        Self { state: State::at(root), disk, system }
    }

    /// Switches to the generation whose canonical manifest is `manifest`.
    ///
    /// # Errors
    /// When the switch failed; [`Failure::unchanged`] says whether the node is as it was before.
    pub fn switch(
        &mut self,
        manifest: &[u8],
        blobs: &dyn BlobSource,
        options: &SwitchOptions,
        tell: Tell,
    ) -> Result<Outcome, Failure> {
        let what = match options.mode {
            Mode::Switch | Mode::DryActivate => "switch",
            Mode::Test => "test",
            Mode::Boot => "boot",
        };
        Engine::new(self, tell).run(Target::Manifest { text: manifest, blobs }, what, options)
    }

    /// Switches to a kept generation: a number, an id or its first digits; none for the one
    /// before the current one.
    ///
    /// # Errors
    /// As [`Node::switch`], and when no such generation is kept or it is damaged.
    pub fn rollback(
        &mut self,
        to: Option<&str>,
        options: &SwitchOptions,
        tell: Tell,
    ) -> Result<Outcome, Failure> {
        Engine::new(self, tell).run(Target::Kept(to), "rollback", options)
    }

    /// Whether the node is in this generation already, wholly: then a switch would do nothing.
    ///
    /// # Errors
    /// When the state does not read back.
    pub fn is_in(
        &mut self,
        manifest: &[u8],
        options: &SwitchOptions,
    ) -> Result<Option<Outcome>, Error> {
        if !self.is_known() || Journal::load(&self.state)?.is_some() {
            return Ok(None);
        }
        let target = Target::Manifest { text: manifest, blobs: &NoBlobs };
        Engine::new(self, &mut silent).already_there(&target, options)
    }

    /// Ends a switch that was cut off: the node comes to its confirmed generation. None when there
    /// was nothing to end.
    ///
    /// # Errors
    /// When the node could not be brought there; it needs a look.
    pub fn recover(&mut self, tell: Tell) -> Result<Option<Outcome>, Failure> {
        if !self.is_known() {
            return Ok(None);
        }
        let _lock = Lock::take(&self.state, "recovery")?;
        recovery::recover(self, tell).map_err(recovery::failure)
    }

    /// The state of the node, compared with its generation.
    ///
    /// # Errors
    /// When the state does not read back.
    pub fn status(&self) -> Result<HostStatus, Error> {
        let current = self.state.current()?;
        let confirmed = self.state.confirmed()?;
        let drift = drift::of(self, &current)?;
        let journal = Journal::load(&self.state)?;
        let under_way = journal.as_ref().is_some_and(|open| open.phase != Phase::Settling);
        Ok(HostStatus {
            generation: current.number,
            id: current.id,
            confirmed: confirmed.number,
            confirmed_id: confirmed.id,
            next: self.state.number_at(&self.state.next_link()),
            switching: under_way || Lock::is_taken(&self.state),
            unsettled: journal.and_then(|journal| journal.cause).filter(|_| !under_way),
            drift,
            failed_units: self.system.failed(&current.manifest)?,
            kept: self.state.kept()?,
            // One that cannot be read is gc's to complain about.
            pinned: pins::read(&self.state).unwrap_or_default(),
        })
    }

    /// How the node differs from its current generation.
    ///
    /// # Errors
    /// When the state does not read back, or the host cannot be asked.
    pub fn drift(&self) -> Result<Vec<Drift>, Error> {
        drift::of(self, &self.state.current()?)
    }

    /// Makes true again what drifted from the current generation, and touches nothing else.
    ///
    /// # Errors
    /// When something could not be made true: it needs a look.
    pub fn repair(&mut self, by: &By, tell: Tell) -> Result<Outcome, Failure> {
        if !self.is_known() {
            return Ok(outcome(0, None, false));
        }
        let _lock = Lock::take(&self.state, &by.deployer)?;
        recovery::recover(self, tell).map_err(recovery::failure)?;
        repair::repair(self, by, tell)
    }

    /// Every attempt of the past, and lines that somebody changed.
    ///
    /// # Errors
    /// When the history cannot be read.
    pub fn history(&self) -> Result<History, Error> {
        history::read(&self.state)
    }

    /// Canonical manifest of the current generation; none on a node as found.
    ///
    /// # Errors
    /// When the state does not read back.
    pub fn current(&self) -> Result<Option<Vec<u8>>, Error> {
        let current = self.state.current()?;
        Ok((current.number > 0).then_some(current.text))
    }

    /// Blobs of the node.
    ///
    /// # Errors
    /// When the store cannot be opened.
    pub fn store(&self) -> Result<Store, Error> {
        self.state.init(&self.disk)?;
        self.state.store()
    }

    /// Pins a kept generation (a number, an id or its first digits), so that [`Node::gc`] leaves it,
    /// or lets it go again. Whether that changed anything is in the outcome, with the generation.
    ///
    /// # Errors
    /// When no such generation is kept, or a switch is under way.
    pub fn pin(&mut self, wanted: &str, remove: bool) -> Result<Outcome, Failure> {
        if !self.is_known() {
            return Err(Error::NoGeneration { wanted: wanted.to_owned() }.into());
        }
        let _lock = Lock::take(&self.state, "pin")?;
        let (number, id) = match (self.state.find(wanted), wanted.parse()) {
            (Ok(generation), _) => (generation.number, generation.id),
            // A pin may outlive its generation's manifest.
            (Err(_), Ok(number)) if remove => (number, None),
            (Err(error), _) => return Err(error.into()),
        };
        let changed = match remove {
            true => pins::remove(&self.disk, &self.state, number)?,
            false => pins::add(&self.disk, &self.state, &self.state.load(number)?)?,
        };
        Ok(outcome(number, id, changed))
    }

    /// Removes generations beyond the newest `keep`, blobs that none of the kept ones names, and
    /// activators of earlier switches. Current, confirmed and pinned generations stay, and what a
    /// switch under way needs.
    ///
    /// # Errors
    /// When a switch is under way, or the file system refuses.
    pub fn gc(&mut self, keep: u32, tell: Tell) -> Result<Outcome, Failure> {
        if !self.is_known() {
            return Ok(outcome(0, None, false));
        }
        let _lock = Lock::take(&self.state, "gc")?;
        recovery::recover(self, tell).map_err(recovery::failure)?;
        let removed = gc::collect(&self.disk, &self.state, keep)?;
        let current = self.state.current()?;
        Ok(outcome(current.number, current.id, removed > 0))
    }

    fn is_known(&self) -> bool {
        std::fs::symlink_metadata(self.state.confirmed_link()).is_ok()
    }
}

pub(crate) fn outcome(
    generation: u64,
    id: Option<cairn_generation::GenerationId>,
    changed: bool,
) -> Outcome {
    Outcome { changed, generation, id, timings: std::collections::BTreeMap::new() }
}

/// Tells nobody.
pub fn silent(_: Event) {}
