//! What a switch does beside files: packages, accounts, kernel, firewall, units, health.
//!
//! A real host does it; a folder that is switched with `--into` only has it listed.

use std::collections::BTreeSet;
use std::time::Duration;

use cairn_generation::Manifest;
use cairn_generation::diff::UnitPlan;
use cairn_generation::wire::{Drift, Event, FailedUnit};

use crate::disk::Ids;
use crate::error::Error;
use crate::journal::Journal;
use crate::origin::Origin;
use crate::secrets::SecretEffects;
use crate::state::{Generation, State};

/// Where events go.
pub type Tell<'a> = &'a mut dyn FnMut(Event);

/// One transition between generations, whichever way it goes.
pub struct Change<'a> {
    /// Everything that may have left traces on the host.
    pub known: &'a [&'a Manifest],
    /// What the host is to be.
    pub to: &'a Generation,
    /// What happens to units.
    pub plan: &'a UnitPlan,
    /// Whether the host goes back: then what fails is told at the end, and stops nothing.
    pub way_back: bool,
}

/// The host beside its files. Every method is idempotent: it compares, and does what is missing.
pub trait System {
    /// Numbers of an owner; none where owners are recorded, not applied.
    ///
    /// # Errors
    /// When the host has no such user or group and is not about to get it.
    fn owner(&self, user: &str, group: &str) -> Result<Option<Ids>, Error>;

    /// Chooses ids for the accounts that `to` adds, so that its tree can be owned by them.
    ///
    /// # Errors
    /// When the account files cannot be read or an id is taken.
    fn allocate(&mut self, state: &State, to: &Manifest) -> Result<(), Error>;

    /// Managed units that are active; none where there is no service manager.
    ///
    /// # Errors
    /// When the service manager does not answer.
    fn running(&self) -> Result<Option<BTreeSet<String>>, Error>;

    /// Tries everything that can fail, on the staged tree.
    ///
    /// # Errors
    /// When the host would refuse something; nothing has changed then.
    fn preflight(&self, state: &State, from: &Manifest, to: &Generation) -> Result<(), Error>;

    /// Decrypts every secret of `to` and verifies it, in memory. What their being shown does.
    ///
    /// # Errors
    /// When a required one cannot be had; on the way back it is a warning as well.
    fn open_secrets(
        &self,
        state: &State,
        to: &Generation,
        way_back: bool,
    ) -> Result<SecretEffects, Error>;

    /// Whether all secrets of `current` are shown as they should be.
    ///
    /// # Errors
    /// When the host cannot be asked.
    fn secrets_stand(&self, state: &State, current: &Generation) -> Result<bool, Error>;

    /// What would keep a login from coming back after a switch through the port that it came
    /// through; none when there is no such login then.
    ///
    /// # Errors
    /// When the host's files cannot be read.
    fn ways_in(
        &self,
        state: &State,
        from: &Generation,
        to: &Generation,
        origin: &Origin,
        through: (&str, Option<u16>),
    ) -> Result<Option<Vec<String>>, Error>;

    /// Adds to generation 0 what `to` is about to set.
    ///
    /// # Errors
    /// When the host's present values cannot be read.
    fn capture(&self, state: &State, to: &Manifest, origin: &mut Origin) -> Result<(), Error>;

    /// Makes sure that every boot leads through recovery.
    ///
    /// # Errors
    /// When the file system refuses.
    fn install(&self, state: &State) -> Result<(), Error>;

    /// Makes sure that the host goes back without us, or renews that promise.
    ///
    /// # Errors
    /// When no timer can be set.
    fn arm(&self, state: &State, lease: Duration) -> Result<(), Error>;

    /// The switch is over: nothing is left to watch.
    fn disarm(&self);

    /// Installs packages and adds accounts, then stops what is to be stopped.
    ///
    /// # Errors
    /// When any of it fails.
    fn prepare(
        &mut self,
        state: &State,
        change: &Change,
        origin: &mut Origin,
        tell: Tell,
    ) -> Result<(), Error>;

    /// After the flip: brings kernel, firewall and units to the generation.
    ///
    /// # Errors
    /// When a unit fails or a table is refused.
    fn activate(
        &mut self,
        state: &State,
        change: &Change,
        origin: &Origin,
        tell: Tell,
    ) -> Result<(), Error>;

    /// Waits until the generation's checks pass.
    ///
    /// # Errors
    /// When one does not, by its deadline.
    fn check(&self, to: &Manifest) -> Result<(), Error>;

    /// The same after a boot: every unit that the generation wants was started.
    ///
    /// # Errors
    /// As [`System::check`].
    fn check_boot(&self, to: &Manifest) -> Result<(), Error>;

    /// Waits for the confirmation. Whether it came in time.
    ///
    /// # Errors
    /// When nothing can be waited for.
    fn await_confirmation(&self, journal: &Journal) -> Result<bool, Error>;

    /// Removes packages and accounts that came with Cairn and that `to` does not name.
    ///
    /// # Errors
    /// When one cannot be removed.
    fn settle(
        &mut self,
        state: &State,
        change: &Change,
        origin: &mut Origin,
        tell: Tell,
    ) -> Result<(), Error>;

    /// Units of `manifest` that have failed, each with the end of its journal. As far as the service
    /// manager answers: this is for people to read.
    fn post_mortem(&self, manifest: &Manifest) -> Vec<FailedUnit>;

    /// Units that `manifest` wants and that are not up.
    ///
    /// # Errors
    /// When the service manager does not answer.
    fn failed(&self, manifest: &Manifest) -> Result<BTreeSet<String>, Error>;

    /// What beside files is not as `current` says.
    ///
    /// # Errors
    /// When the host cannot be asked.
    fn drift(
        &self,
        state: &State,
        current: &Generation,
        origin: &Origin,
    ) -> Result<Vec<Drift>, Error>;

    /// After packages, accounts and files of `current` were put right: puts the rest of `drift`
    /// right, and brings units that had to do with it to what stands there now.
    ///
    /// # Errors
    /// When something could not be put right; the rest is.
    fn repair(
        &mut self,
        state: &State,
        current: &Generation,
        drift: &[Drift],
        tell: Tell,
    ) -> Result<(), Error>;

    /// Names this boot, so that a journal of an earlier one is told apart.
    fn boot_id(&self) -> String;
}

/// A folder in the place of a host: nothing beside its files is touched.
#[derive(Debug, Clone, Copy, Default)]
pub struct Listing;

impl System for Listing {
    fn owner(&self, _: &str, _: &str) -> Result<Option<Ids>, Error> {
        Ok(None)
    }

    fn allocate(&mut self, _: &State, _: &Manifest) -> Result<(), Error> {
        Ok(())
    }

    fn running(&self) -> Result<Option<BTreeSet<String>>, Error> {
        Ok(None)
    }

    fn preflight(&self, _: &State, _: &Manifest, _: &Generation) -> Result<(), Error> {
        Ok(())
    }

    /// Plaintext in a folder would stay on a disk: there is none.
    fn open_secrets(&self, _: &State, to: &Generation, _: bool) -> Result<SecretEffects, Error> {
        let mut effects = SecretEffects::default();
        let count = to.manifest.secrets.files().len();
        if count > 0 {
            effects.warnings.push(format!(
                "{count} secrets and templates stay encrypted: a folder is no host, and has no memory to keep \
                 them in"
            ));
        }
        Ok(effects)
    }

    fn secrets_stand(&self, _: &State, _: &Generation) -> Result<bool, Error> {
        Ok(true)
    }

    fn ways_in(
        &self,
        _: &State,
        _: &Generation,
        _: &Generation,
        _: &Origin,
        _: (&str, Option<u16>),
    ) -> Result<Option<Vec<String>>, Error> {
        Ok(Some(Vec::new()))
    }

    fn capture(&self, _: &State, _: &Manifest, _: &mut Origin) -> Result<(), Error> {
        Ok(())
    }

    fn install(&self, _: &State) -> Result<(), Error> {
        Ok(())
    }

    fn arm(&self, _: &State, _: Duration) -> Result<(), Error> {
        Ok(())
    }

    fn disarm(&self) {}

    fn prepare(&mut self, _: &State, _: &Change, _: &mut Origin, _: Tell) -> Result<(), Error> {
        Ok(())
    }

    fn activate(&mut self, _: &State, _: &Change, _: &Origin, _: Tell) -> Result<(), Error> {
        Ok(())
    }

    fn check(&self, _: &Manifest) -> Result<(), Error> {
        Ok(())
    }

    fn check_boot(&self, _: &Manifest) -> Result<(), Error> {
        Ok(())
    }

    fn await_confirmation(&self, _: &Journal) -> Result<bool, Error> {
        Ok(true)
    }

    fn settle(&mut self, _: &State, _: &Change, _: &mut Origin, _: Tell) -> Result<(), Error> {
        Ok(())
    }

    fn post_mortem(&self, _: &Manifest) -> Vec<FailedUnit> {
        Vec::new()
    }

    fn failed(&self, _: &Manifest) -> Result<BTreeSet<String>, Error> {
        Ok(BTreeSet::new())
    }

    fn drift(&self, _: &State, _: &Generation, _: &Origin) -> Result<Vec<Drift>, Error> {
        Ok(Vec::new())
    }

    fn repair(&mut self, _: &State, _: &Generation, _: &[Drift], _: Tell) -> Result<(), Error> {
        Ok(())
    }

    fn boot_id(&self) -> String {
        String::new()
    }
}
