//! Secrets of a real host: in the vault at /run/cairn, read by its services, accounts and people.

use std::borrow::Cow;
use std::cell::{Ref, RefCell};
use std::path::Path;

use cairn_generation::Manifest;
use cairn_generation::wire::{Drift, DriftKind, Event};

use crate::error::Error;
use crate::host::Host;
use crate::host::watchdog::RUN_DIR;
use crate::secrets::{Opened, Pending, SecretEffects, Vault, open};
use crate::state::{Generation, State};
use crate::system::Tell;

/// The vault, and what was decrypted for the switch under way.
#[derive(Debug)]
pub(crate) struct Keeper {
    vault: Vault,
    /// By the number of their generation: a switch decrypts once.
    opened: RefCell<Option<(u64, Opened)>>,
    /// The folder that is to be shown next; none where the right one is.
    staged: Option<String>,
    pending: RefCell<Pending>,
}

impl Keeper {
    pub(crate) fn new() -> Self {
        Self {
            vault: Vault::at(Path::new(RUN_DIR)),
            opened: RefCell::default(),
            staged: None,
            pending: RefCell::default(),
        }
    }
}

impl Host {
    /// Decrypts the secrets of `to`; what was decrypted before is taken as it is.
    pub(super) fn opened(&self, state: &State, to: &Generation) -> Result<Ref<'_, Opened>, Error> {
        let known = |kept: &Option<(u64, Opened)>| {
            kept.as_ref().is_some_and(|(number, _)| *number == to.number)
        };
        if !known(&self.keeper.opened.borrow()) {
            let owner = |user: &str, group: &str| self.accounts.owner(user, group);
            let opened = open(state, &to.manifest.secrets, &owner)?;
            *self.keeper.opened.borrow_mut() = Some((to.number, opened));
        }
        Ref::filter_map(self.keeper.opened.borrow(), |kept| kept.as_ref().map(|(_, opened)| opened))
            .map_err(|_| Error::refused("the secrets of another generation are open"))
    }

    /// Decrypts the secrets of `to` anew, and says what that will do.
    pub(super) fn look_at_secrets(
        &self,
        state: &State,
        to: &Generation,
        way_back: bool,
    ) -> Result<SecretEffects, Error> {
        self.close();
        let opened = match self.opened(state, to) {
            // Staging them meets it again, and tells of it with whatever else did not come up.
            Err(_) if way_back => return Ok(SecretEffects::default()),
            other => other?,
        };
        if !way_back {
            opened.refuse_missing()?;
        }
        let warnings = opened.missing.iter().filter(|one| one.optional);
        let mut effects = SecretEffects {
            warnings: warnings.map(|one| one.why.clone()).collect(),
            ..SecretEffects::default()
        };
        if !self.early {
            let differences = self.keeper.vault.differences(&opened)?;
            let touched = opened.units_of(differences.iter().map(|drift| drift.name.as_str()));
            let owed = Pending::load(&self.keeper.vault.pending())?;
            effects.restart = touched.0.into_iter().chain(owed.restart).collect();
            effects.reload = touched.1.into_iter().chain(owed.reload).collect();
        }
        *self.keeper.pending.borrow_mut() =
            Pending { restart: effects.restart.clone(), reload: effects.reload.clone() };
        Ok(effects)
    }

    /// Wipes what was decrypted from our own memory.
    fn close(&self) {
        *self.keeper.opened.borrow_mut() = None;
    }

    /// Writes what is to be shown where nobody is led to yet. What cannot be had though it must is an
    /// error then: all others are staged.
    pub(super) fn stage_secrets(
        &mut self,
        state: &State,
        to: &Generation,
        tell: Tell,
    ) -> Result<(), Error> {
        self.keeper.staged = None;
        let opened = self.opened(state, to)?;
        let mut staged = None;
        if !opened.files.is_empty() && !self.keeper.vault.differences(&opened)?.is_empty() {
            let mut warnings = Vec::new();
            staged = Some(self.keeper.vault.stage(&opened, &mut warnings)?);
            warnings.into_iter().for_each(|message| tell(Event::Warning { message }));
        }
        let whole = opened.refuse_missing();
        drop(opened);
        self.keeper.staged = staged;
        whole
    }

    /// Shows it.
    pub(super) fn flip_secrets(&mut self, state: &State, to: &Generation) -> Result<(), Error> {
        let vault = &self.keeper.vault;
        if let Some(staged) = &self.keeper.staged {
            if !self.early {
                self.keeper.pending.borrow().save(&vault.pending())?;
            }
            vault.flip(staged)?;
            self.keeper.staged = None;
        }
        if self.opened(state, to)?.files.is_empty() {
            self.keeper.vault.hide()?;
        }
        Ok(())
    }

    /// Units have heard of what they read.
    pub(super) fn secrets_are_read(&self) -> Result<(), Error> {
        Pending::clear(&self.keeper.vault.pending())
    }

    /// Nobody goes back any more: what was shown before is wiped, and what is in our own memory.
    pub(super) fn forget_secrets(&self) -> Result<(), Error> {
        self.close();
        self.keeper.vault.wipe_others()
    }

    /// Whether all secrets are shown as they should be.
    pub(super) fn secrets_stand(&self, state: &State, current: &Generation) -> Result<bool, Error> {
        if current.manifest.secrets.is_empty() {
            return Ok(true);
        }
        self.close();
        let differences = self.keeper.vault.differences(&*self.opened(state, current)?);
        self.close();
        Ok(differences?.is_empty())
    }

    /// Secrets that are not as they should be, and those that the host cannot decrypt any more.
    pub(super) fn secrets_drift(
        &self,
        state: &State,
        current: &Generation,
    ) -> Result<Vec<Drift>, Error> {
        if current.manifest.secrets.is_empty() {
            return Ok(Vec::new());
        }
        self.close();
        let opened = match self.opened(state, current) {
            Ok(opened) => opened,
            // An owner who is gone is told with the accounts.
            Err(error) => {
                let what = format!("cannot be looked at: {error}");
                return Ok(vec![Drift::new(DriftKind::Secret, "files", what)]);
            }
        };
        let mut drift = self.keeper.vault.differences(&opened)?;
        let lost = |path: &str| opened.missing.iter().any(|missing| missing.path == path);
        drift.retain(|one| !lost(&one.name));
        let required = opened.missing.iter().filter(|missing| !missing.optional);
        drift.extend(required.map(|missing| {
            Drift::new(DriftKind::Secret, &missing.path, "cannot be decrypted any more")
        }));
        Ok(drift)
    }

    /// `manifest` with the passwords that are secrets, for the account files alone.
    pub(super) fn with_passwords<'m>(
        &self,
        state: &State,
        of: &'m Generation,
    ) -> Cow<'m, Manifest> {
        let from_secrets = |manifest: &Manifest| {
            manifest.users.values().any(|user| user.password_secret.is_some())
        };
        if !from_secrets(&of.manifest) {
            return Cow::Borrowed(&of.manifest);
        }
        // What does not open is told elsewhere, and leaves passwords as they are.
        let Ok(opened) = self.opened(state, of) else { return Cow::Borrowed(&of.manifest) };
        let mut manifest = of.manifest.clone();
        for user in manifest.users.values_mut() {
            if let Some(secret) = &user.password_secret {
                user.hashed_password = opened.password(secret);
            }
        }
        Cow::Owned(manifest)
    }
}
