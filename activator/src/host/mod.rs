//! A real host: Debian with systemd.

mod accounts;
mod apt;
mod command;
mod debs;
mod dpkg;
mod drift;
mod health;
pub(crate) mod install;
mod kernel;
mod lockout;
mod nft;
pub(crate) mod preflight;
mod repair;
mod secrets;
pub(crate) mod underway;
mod units;
pub(crate) mod watchdog;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use cairn_generation::Manifest;
use cairn_generation::diff::wanted;
use cairn_generation::layout::TARGET;
use cairn_generation::manifest::Content;
use cairn_generation::order;
use cairn_generation::wire::{Drift, Event, FailedUnit};

use accounts::Accounts;
use secrets::Keeper;
use units::{ServiceManager, Systemctl, Verb};

pub(crate) use command::Run;

use crate::disk::{Disk, Ids};
use crate::error::Error;
use crate::journal::Journal;
use crate::origin::Origin;
use crate::secrets::SecretEffects;
use crate::state::{Generation, State};
use crate::system::{Change, System, Tell};

/// How long started units are watched before they count as up.
const CALM: Duration = Duration::from_millis(500);
/// How long a unit may take to get from one state to another.
const PATIENCE: Duration = Duration::from_secs(180);
/// Where the confirmation of a new connection is left for the engine.
pub(crate) const CONFIRMED: &str = "/run/cairn/confirmed";

/// The host on which this program runs.
pub(crate) struct Host {
    disk: Disk,
    accounts: Accounts,
    keeper: Keeper,
    manager: Box<dyn ServiceManager>,
    /// Before sysinit.target: no unit may be touched yet.
    early: bool,
    started: BTreeSet<String>,
    /// Whether our own unit files are newer than what the manager knows.
    stale: Cell<bool>,
    /// Whether the watchdog looks after this very engine.
    armed: Cell<bool>,
}

impl Host {
    /// The host as it runs.
    pub(crate) fn running() -> Self {
        Self {
            disk: Disk,
            accounts: Accounts::new(Path::new("/")),
            keeper: Keeper::new(),
            manager: Box::new(Systemctl),
            early: false,
            started: BTreeSet::new(),
            stale: Cell::new(false),
            armed: Cell::new(false),
        }
    }

    /// The host while it boots.
    pub(crate) fn booting() -> Self {
        Self { early: true, ..Self::running() }
    }

    fn is_active(&self, unit: &str) -> Result<bool, Error> {
        let conditions = self.manager.condition(&BTreeSet::from([unit.to_owned()]))?;
        Ok(conditions.iter().any(|condition| condition.active == "active"))
    }

    fn bring_units(&mut self, change: &Change) -> Result<(), Error> {
        let plan = change.plan;
        let touched: BTreeSet<String> =
            plan.restart.iter().chain(&plan.start).chain(&plan.reload).cloned().collect();
        let gone = change.known.iter().flat_map(|known| known.units.keys());
        let gone = gone.filter(|unit| !change.to.manifest.units.contains_key(*unit)).cloned();
        self.manager.forget_failures(&gone.chain(touched.iter().cloned()).collect());
        let mut attempts = Attempts::new(change);
        let told = |outcome: Result<(), Error>| {
            // What the units themselves say is worth more than what systemctl says of them.
            outcome.or_else(|error| units::failures(&*self.manager, &touched).and(Err(error)))
        };
        for batch in order::batches(&change.to.manifest.order, &touched) {
            for (verb, units) in [
                (Verb::Reload, &plan.reload),
                (Verb::Restart, &plan.restart),
                (Verb::Start, &plan.start),
            ] {
                let units = batch.intersection(units).cloned().collect();
                attempts.take(told(self.manager.job(verb, &units)))?;
            }
        }
        // What it wants stands by now, in the order that was asked for.
        let target = BTreeSet::from([TARGET.to_owned()]);
        match (change.to.number > 0, self.is_active(TARGET)?) {
            (true, false) => attempts.take(told(self.manager.job(Verb::Start, &target)))?,
            (false, true) => attempts.take(self.manager.job(Verb::Stop, &target))?,
            _ => {}
        }
        self.started = plan.restart.union(&plan.start).cloned().collect();
        attempts.end()
    }
}

impl System for Host {
    fn owner(&self, user: &str, group: &str) -> Result<Option<Ids>, Error> {
        self.accounts.owner(user, group).map(Some)
    }

    fn allocate(&mut self, state: &State, to: &Manifest) -> Result<(), Error> {
        self.accounts.allocate(&self.disk, state, to)
    }

    fn running(&self) -> Result<Option<BTreeSet<String>>, Error> {
        if self.early { Ok(None) } else { self.manager.active().map(Some) }
    }

    fn preflight(&self, state: &State, from: &Manifest, to: &Generation) -> Result<(), Error> {
        preflight::check(state, from, to)
    }

    fn ways_in(
        &self,
        state: &State,
        from: &Generation,
        to: &Generation,
        origin: &Origin,
        (login, port): (&str, Option<u16>),
    ) -> Result<Option<Vec<String>>, Error> {
        match self.accounts.after(login, &self.with_passwords(state, to), origin)? {
            Some(account) => lockout::missing(state, from, to, origin, (&account, port)).map(Some),
            None => Ok(None),
        }
    }

    fn open_secrets(
        &self,
        state: &State,
        to: &Generation,
        way_back: bool,
    ) -> Result<SecretEffects, Error> {
        self.look_at_secrets(state, to, way_back)
    }

    fn secrets_stand(&self, state: &State, current: &Generation) -> Result<bool, Error> {
        self.secrets_stand(state, current)
    }

    fn capture(&self, state: &State, to: &Manifest, origin: &mut Origin) -> Result<(), Error> {
        kernel::capture(&to.kernel, origin);
        for path in to.directories.iter().filter_map(|line| crate::files::folder_of(line)) {
            for folder in Path::new(path).ancestors().filter(|folder| folder.parent().is_some()) {
                let folder = folder.to_string_lossy();
                if !state.host(&folder).exists() {
                    origin.folders.insert(folder.into_owned());
                }
            }
        }
        self.accounts.capture(to, origin)
    }

    fn install(&self, state: &State) -> Result<(), Error> {
        if install::install(&self.disk, state)? {
            self.stale.set(true);
        }
        Ok(())
    }

    fn arm(&self, state: &State, lease: Duration) -> Result<(), Error> {
        if self.early {
            return Ok(());
        }
        // A lease that lies there may be another engine's, which died: its units may be gone since.
        if self.armed.get() {
            return watchdog::renew(lease);
        }
        self.install(state)?;
        watchdog::arm(lease)?;
        self.armed.set(true);
        Ok(())
    }

    fn disarm(&self) {
        if !self.early {
            watchdog::disarm();
        }
        // One of an earlier switch confirms nothing: nonces are compared.
        let _ = fs::remove_file(CONFIRMED);
    }

    fn prepare(
        &mut self,
        state: &State,
        change: &Change,
        origin: &mut Origin,
        tell: Tell,
    ) -> Result<(), Error> {
        let mut attempts = Attempts::new(change);
        attempts.take(self.stage_secrets(state, change.to, tell))?;
        if !self.early {
            let installed = apt::install(&self.disk, state, &change.to.manifest, origin, tell);
            attempts.take(installed)?;
        }
        let remember = |origin: &Origin| origin.save(&self.disk, state);
        let accounts = self.with_passwords(state, change.to);
        attempts.take(self.accounts.bring(&self.disk, &accounts, origin, &remember))?;
        drop(accounts);
        if !self.early {
            // Down they go the other way round, as the generation that they are of has it.
            let edges = change.known.first().map(|from| &from.order);
            let batches = order::batches(edges.unwrap_or(&BTreeSet::new()), &change.plan.stop);
            for batch in batches.iter().rev() {
                attempts.take(self.manager.job(Verb::Stop, batch))?;
            }
        }
        attempts.end()
    }

    fn activate(
        &mut self,
        state: &State,
        change: &Change,
        origin: &Origin,
        tell: Tell,
    ) -> Result<(), Error> {
        let to = &change.to.manifest;
        let mut attempts = Attempts::new(change);
        attempts.take(self.flip_secrets(state, change.to))?;
        if self.stale.take() || defines_other_units(change) {
            attempts.take(self.manager.reload_definitions())?;
        }
        if !to.directories.is_empty()
            && change.known.iter().any(|known| known.directories != to.directories)
            && !self.early
        {
            attempts.take(create_directories(state))?;
        }
        let mut warn = |message| tell(Event::Warning { message });
        attempts.take(kernel::converge(change.known, &to.kernel, origin, &mut warn))?;
        attempts.take(nft::converge(change.known, to))?;
        if !self.early {
            let up = self.bring_units(change).and_then(|()| self.secrets_are_read());
            attempts.take(up)?;
        }
        attempts.end()
    }

    fn check(&self, to: &Manifest) -> Result<(), Error> {
        units::settle(&*self.manager, &self.started, CALM, PATIENCE)?;
        health::check(&*self.manager, &to.checks)
    }

    fn check_boot(&self, to: &Manifest) -> Result<(), Error> {
        units::settle(&*self.manager, &wanted(to), CALM, PATIENCE)?;
        health::check(&*self.manager, &to.checks)
    }

    fn await_confirmation(&self, journal: &Journal) -> Result<bool, Error> {
        let Some(nonce) = &journal.nonce else { return Ok(true) };
        let end = Instant::now() + Duration::from_secs(journal.confirm_timeout.into());
        while Instant::now() < end {
            if fs::read(CONFIRMED).is_ok_and(|said| said == nonce.as_bytes()) {
                return Ok(true);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(false)
    }

    fn settle(
        &mut self,
        state: &State,
        change: &Change,
        origin: &mut Origin,
        tell: Tell,
    ) -> Result<(), Error> {
        let to = &change.to.manifest;
        let mut attempts = Attempts { way_back: true, failed: Vec::new() };
        attempts.take(self.forget_secrets())?;
        if !self.early {
            attempts.take(apt::settle(&self.disk, state, to, origin, tell))?;
        } else if !apt::is_settled(state, to, origin) {
            let later = "packages are brought to this generation once the host is up";
            attempts.take(Err(Error::refused(later)))?;
        }
        attempts.take(self.accounts.settle(&self.disk, to, origin))?;
        kernel::settle(&to.kernel, origin);
        // Where something is left, a boot still has to lead through recovery.
        if change.to.number == 0 && attempts.failed.is_empty() {
            // A boot that finds a part of the units must find nothing else left to do: it might need them.
            origin.save(&self.disk, state)?;
            if !self.early {
                let recovery = BTreeSet::from(["cairn-recover.service".to_owned()]);
                attempts.take(self.manager.job(Verb::Stop, &recovery))?;
            }
            attempts.take(install::uninstall(&self.disk, state))?;
            if !self.early {
                attempts.take(self.manager.reload_definitions())?;
            }
        }
        attempts.end()
    }

    fn post_mortem(&self, manifest: &Manifest) -> Vec<FailedUnit> {
        match self.early {
            true => Vec::new(),
            false => units::post_mortem(&*self.manager, &drift::looked_at(manifest)),
        }
    }

    fn failed(&self, manifest: &Manifest) -> Result<BTreeSet<String>, Error> {
        let conditions = self.manager.condition(&wanted(manifest))?;
        let down = conditions.into_iter().filter(units::Condition::is_down);
        Ok(down.map(|one| one.unit).collect())
    }

    fn drift(
        &self,
        state: &State,
        current: &Generation,
        origin: &Origin,
    ) -> Result<Vec<Drift>, Error> {
        drift::of(self, state, current, origin)
    }

    fn repair(
        &mut self,
        state: &State,
        current: &Generation,
        drift: &[Drift],
        tell: Tell,
    ) -> Result<(), Error> {
        repair::repair(self, state, current, drift, tell)
    }

    fn boot_id(&self) -> String {
        let text = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        text.trim().to_owned()
    }
}

/// Applies the tmpfiles rules of the current generation.
fn create_directories(state: &State) -> Result<(), Error> {
    let lines = state.file("current/etc/tmpfiles.d/cairn.conf").display().to_string();
    let run = Run::new("systemd-tmpfiles").args(["--create".to_owned(), lines]);
    run.succeed().map(drop)
}

/// Forward, the first failure ends a switch. On the way back nothing does: the more of the host is
/// as it was, the better, and what failed is told at the end.
struct Attempts {
    way_back: bool,
    failed: Vec<String>,
}

impl Attempts {
    fn new(change: &Change) -> Self {
        Self { way_back: change.way_back, failed: Vec::new() }
    }

    fn take(&mut self, done: Result<(), Error>) -> Result<(), Error> {
        match done {
            Err(error) if self.way_back => {
                self.failed.push(error.to_string());
                Ok(())
            }
            other => other,
        }
    }

    fn end(self) -> Result<(), Error> {
        if self.failed.is_empty() { Ok(()) } else { Err(Error::refused(self.failed.join("; "))) }
    }
}

/// Whether unit files, drop-ins or `.wants` differ between the generations: the manager reads them
/// anew only then, because that takes its time.
fn defines_other_units(change: &Change) -> bool {
    let definitions = |manifest: &Manifest| {
        let files = manifest.files.iter().filter(|(path, _)| path.starts_with("/etc/systemd/"));
        let files: Vec<(String, Content)> =
            files.map(|(path, file)| (path.clone(), file.content.clone())).collect();
        let units = manifest.units.iter().map(|(name, unit)| {
            (name.clone(), unit.text.clone(), unit.wanted_by.clone(), unit.required_by.clone())
        });
        (files, units.collect::<Vec<_>>())
    };
    let to = definitions(&change.to.manifest);
    change.known.iter().any(|known| definitions(known) != to)
}
