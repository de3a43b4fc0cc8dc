//! A switch, step by step, as DESIGN lists them. What is durable after each, and what happens when
//! it is cut off, stands in [`crate::journal`].

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use cairn_generation::diff::{Running, UnitPlan, diff, unit_plan};
use cairn_generation::layout::template_of;
use cairn_generation::wire::{
    Action, Event, HistoryEntry, Mode, Outcome, Step, SwitchOptions, UnitAction,
};
use cairn_generation::{GenerationId, Manifest, Store};

use crate::error::{Error, Failure};
use crate::files::{Files, Survey};
use crate::history;
use crate::journal::{Journal, Phase};
use crate::lock::Lock;
use crate::node::{BlobSource, Node, outcome};
use crate::origin::Origin;
use crate::programs;
use crate::recovery::{self, Direction};
use crate::secrets::SecretEffects;
use crate::settling;
use crate::state::Generation;
use crate::system::{Change, Tell};
use crate::tree;

/// What a switch goes to.
pub(crate) enum Target<'a> {
    /// A manifest that was sent.
    Manifest {
        /// Its canonical text.
        text: &'a [u8],
        /// Blobs that may be missing.
        blobs: &'a dyn BlobSource,
    },
    /// A generation that lies here; none for the one before the current one.
    Kept(Option<&'a str>),
}

/// How long the watchdog lets the engine work on the steps that have no deadline of their own:
/// packages are downloaded, units started. Longer than any of their deadlines.
pub(crate) const LEASE: Duration = Duration::from_secs(3600);
/// What the watchdog grants beyond a deadline.
const GRACE: Duration = Duration::from_secs(60);

/// One switch.
pub(crate) struct Engine<'a> {
    node: &'a mut Node,
    tell: Tell<'a>,
    timings: BTreeMap<Step, u64>,
    step: Option<(Step, Instant)>,
}

/// What a switch knows before it does anything.
struct Plan {
    from: Generation,
    to: Generation,
    units: UnitPlan,
    /// Managed units that run.
    active: BTreeSet<String>,
    /// All units that run.
    running: BTreeSet<String>,
    /// Our own files that somebody changed: what they hold is kept before anything is done.
    drifted: BTreeSet<String>,
    actions: Vec<Action>,
}

impl Plan {
    /// Files that appear where somebody else's stand are adopted.
    fn adopt(&mut self, survey: &Survey) {
        for action in &mut self.actions {
            if let Action::AddFile { path } = action
                && survey.adopted.contains(path)
            {
                *action = Action::AdoptFile { path: std::mem::take(path) };
            }
        }
    }

    /// Units whose secrets are others are restarted or reloaded too.
    fn tell_of(&mut self, secrets: &SecretEffects) {
        for (does, units) in self.units.touch(&secrets.restart, &secrets.reload, &self.running) {
            let actions = units.into_iter().map(|unit| Action::Unit { unit, does });
            self.actions.extend(actions);
        }
    }
}

impl<'a> Engine<'a> {
    pub(crate) fn new(node: &'a mut Node, tell: Tell<'a>) -> Self {
        Self { node, tell, timings: BTreeMap::new(), step: None }
    }

    /// The whole of a switch; whatever fails leads back to the confirmed generation.
    pub(crate) fn run(
        mut self,
        target: Target,
        what: &str,
        options: &SwitchOptions,
    ) -> Result<Outcome, Failure> {
        if options.mode == Mode::DryActivate {
            return self.dry(target, options);
        }
        self.node.state.init(&self.node.disk)?;
        let _lock = Lock::take(&self.node.state, &options.deployer)?;
        recovery::recover(self.node, self.tell).map_err(recovery::failure)?;
        let mut attempt = self.attempt(&target, what, options);
        match self.already_there(&target, options) {
            Ok(Some(outcome)) => return Ok(outcome),
            Ok(None) => {}
            Err(error) => return Err(self.refuse(attempt, &error)),
        }
        self.enter(Step::Stage);
        let staged = self.stage(target);
        let mut plan = match staged.and_then(|to| self.plan(to)) {
            Ok(plan) => plan,
            Err(error) => return Err(self.refuse(attempt, &error)),
        };
        (attempt.to, attempt.to_id) = (plan.to.number, plan.to.id);
        self.enter(Step::Preflight);
        let mut origin = match self.preflight(&mut plan, options) {
            Ok(origin) => origin,
            Err(error) => return Err(self.refuse(attempt, &error)),
        };
        if options.mode == Mode::Boot {
            return match self.leave_for_boot(&plan) {
                Ok(outcome) => {
                    self.note(HistoryEntry { outcome: "next boot".to_owned(), ..attempt });
                    Ok(outcome)
                }
                Err(error) => Err(self.refuse(attempt, &error)),
            };
        }
        self.enter(Step::Journal);
        let mut journal = self.journal(&plan, what, options)?;
        if let Err(error) = self.carry_out(&plan, &mut journal, &mut origin) {
            self.go_back(journal, &error)?;
        }
        Ok(self.end(&plan))
    }

    /// Whether everything is as the target says: then nothing is written, not even history.
    pub(crate) fn already_there(
        &self,
        target: &Target,
        options: &SwitchOptions,
    ) -> Result<Option<Outcome>, Error> {
        let state = &self.node.state;
        let Some(number) = state.number_at(&state.current_link()) else { return Ok(None) };
        let settled =
            options.mode == Mode::Test || state.number_at(&state.confirmed_link()) == Some(number);
        let current = state.current()?;
        let same = match target {
            Target::Manifest { text, .. } => current.id == Some(GenerationId::of(text)),
            Target::Kept(wanted) => self.find(*wanted)?.number == current.number,
        };
        if !settled || !same || state.number_at(&state.next_link()).is_some() {
            return Ok(None);
        }
        let owners = |user: &str, group: &str| self.node.system.owner(user, group);
        let files = Files { disk: &self.node.disk, state, owners: &owners };
        let whole = files.stand(&current)?
            && self.node.system.secrets_stand(state, &current)?
            && tree::verify(state, &current, &owners).is_none()
            && programs::are_there(&state.store_folder(), &current.manifest);
        Ok(whole.then(|| outcome(current.number, current.id, false)))
    }

    /// Says what a switch would do, after trying everything that can fail. Only what lies on the side
    /// is written: blobs, and the tree that is tried.
    fn dry(mut self, target: Target, options: &SwitchOptions) -> Result<Outcome, Failure> {
        self.node.state.init(&self.node.disk)?;
        let _lock = Lock::take(&self.node.state, &options.deployer)?;
        self.enter(Step::Stage);
        let staged = self.stage(target);
        let tried = staged.and_then(|to| self.plan(to)).and_then(|mut plan| {
            self.enter(Step::Preflight);
            let origin = Origin::load(&self.node.state)?;
            self.try_out(&mut plan, options, &origin)?;
            Ok(plan)
        });
        let plan = tried.map_err(|error| self.fail(&error, true))?;
        for action in plan.actions {
            (self.tell)(Event::Action(action));
        }
        Ok(outcome(plan.from.number, plan.from.id, false))
    }

    fn stage(&mut self, target: Target) -> Result<Generation, Error> {
        let to = match target {
            Target::Manifest { text, blobs } => self.receive(text, blobs)?,
            Target::Kept(wanted) => self.find(wanted)?,
        };
        let node = &mut *self.node;
        programs::refuse_other_content(&node.state.current()?.manifest, &to.manifest)?;
        node.system.allocate(&node.state, &to.manifest)?;
        let store = node.state.store()?;
        programs::lay_out(&node.disk, &store, &to.manifest)?;
        let owners = |user: &str, group: &str| node.system.owner(user, group);
        tree::stage(&node.disk, &node.state, &store, &to, &owners)?;
        // Blobs that units name by their place in the store are used as they lie there.
        node.disk.sync_fs(node.state.folder())?;
        Ok(to)
    }

    fn receive(&self, text: &[u8], blobs: &dyn BlobSource) -> Result<Generation, Error> {
        // Read before a number is drawn: what is no manifest gets none.
        let mut to = Generation::decode(0, text)?;
        let store = self.node.state.store()?;
        fetch(&store, &to.manifest, blobs)?;
        if let Some(id) = &to.id {
            to.number = self.node.state.number(&self.node.disk, id)?;
        }
        Ok(to)
    }

    fn find(&self, wanted: Option<&str>) -> Result<Generation, Error> {
        if let Some(wanted) = wanted {
            return self.node.state.find(wanted);
        }
        let current = self.node.state.current()?.number;
        let kept = self.node.state.kept()?;
        let before = history::read(&self.node.state)?
            .entries
            .into_iter()
            .rev()
            .find(|entry| {
                entry.to == current
                    && entry.from != current
                    && entry.what != "rollback"
                    && ["confirmed", "tested"].contains(&entry.outcome.as_str())
            })
            .map(|entry| entry.from)
            .filter(|number| *number == 0 || kept.contains_key(number));
        match before {
            Some(number) => self.node.state.load(number),
            None => Err(Error::refused(
                "no generation before the current one is kept: name one, or `0` for the host as found",
            )),
        }
    }

    fn plan(&mut self, to: Generation) -> Result<Plan, Error> {
        let from = self.node.state.current()?;
        self.plan_between(from, to)
    }

    fn plan_between(&self, from: Generation, to: Generation) -> Result<Plan, Error> {
        let active = self.node.system.running()?;
        let running = match &active {
            Some(units) => Running::Active(units),
            None => Running::AsWanted,
        };
        let mut units = unit_plan(&from.manifest, &to.manifest, running);
        Origin::load(&self.node.state)?.give_back_units(&to.manifest, &mut units);
        let actions = diff(&from.manifest, &to.manifest, running)?;
        let managed = |unit: &String| {
            let template = template_of(unit);
            from.manifest.units.contains_key(unit)
                || template.is_some_and(|template| from.manifest.units.contains_key(&template))
        };
        let running = active.unwrap_or_default();
        let active = running.iter().filter(|unit| managed(unit)).cloned().collect();
        Ok(Plan { from, to, units, active, running, drifted: BTreeSet::new(), actions })
    }

    fn preflight(&mut self, plan: &mut Plan, options: &SwitchOptions) -> Result<Origin, Error> {
        let mut origin = Origin::load(&self.node.state)?;
        let survey = self.try_out(plan, options, &origin)?;
        let node = &mut *self.node;
        let owners = |user: &str, group: &str| node.system.owner(user, group);
        let files = Files { disk: &node.disk, state: &node.state, owners: &owners };
        for path in &survey.drifted {
            let kept = files.keep_drifted(path)?;
            let stays = plan.to.layout.paths().any(|managed| managed == path);
            let becomes = if stays { "is put right" } else { "goes" };
            (self.tell)(Event::Warning {
                message: format!(
                    "{path} was changed on the host since the last switch: it {becomes}, and what stood there is kept at {}",
                    kept.display()
                ),
            });
        }
        for path in &survey.adopted {
            origin.capture(&node.disk, &node.state, path)?;
        }
        // What is managed for the first time, where nothing was, has no original any more.
        origin.files.retain(|path, _| {
            survey.adopted.contains(path)
                || plan.from.layout.paths().any(|managed| managed == path)
                || !plan.to.layout.paths().any(|managed| managed == path)
        });
        let fresh = plan.to.manifest.units.iter().filter(|(name, unit)| {
            unit.text.is_some() && !plan.from.manifest.units.contains_key(*name)
        });
        let fresh: BTreeSet<&String> = fresh.map(|(name, _)| name).collect();
        origin.units.retain(|unit| !fresh.contains(unit));
        origin.units.extend(plan.running.iter().filter(|unit| fresh.contains(unit)).cloned());
        origin.folders.extend(survey.folders);
        plan.drifted = survey.drifted;
        node.system.capture(&node.state, &plan.to.manifest, &mut origin)?;
        origin.save(&node.disk, &node.state)?;
        Ok(origin)
    }

    /// Everything that can fail, tried on the staged tree. What comes to light of it joins the plan.
    fn try_out(
        &mut self,
        plan: &mut Plan,
        options: &SwitchOptions,
        origin: &Origin,
    ) -> Result<Survey, Error> {
        let node = &*self.node;
        let owners = |user: &str, group: &str| node.system.owner(user, group);
        let files = Files { disk: &node.disk, state: &node.state, owners: &owners };
        let survey = files.survey(&plan.from, &plan.to, &options.adopt, origin)?;
        node.system.preflight(&node.state, &plan.from.manifest, &plan.to)?;
        let secrets = node.system.open_secrets(&node.state, &plan.to, false)?;
        if let Some(login) = &options.login {
            self.keep_way_in(plan, options, origin, login)?;
        }
        plan.adopt(&survey);
        plan.tell_of(&secrets);
        secrets.warnings.into_iter().for_each(|message| (self.tell)(Event::Warning { message }));
        Ok(survey)
    }

    /// Refuses what surely shuts the login out that deploys.
    fn keep_way_in(
        &self,
        plan: &Plan,
        options: &SwitchOptions,
        origin: &Origin,
        login: &str,
    ) -> Result<(), Error> {
        let node = &*self.node;
        let through = (login, options.port);
        let missing = node.system.ways_in(&node.state, &plan.from, &plan.to, origin, through)?;
        let Some(missing) = missing else {
            return Err(Error::refused(format!(
                "this would remove the login {login}, which deploys: keep it in `users.users`, or deploy \
                 through another"
            )));
        };
        if missing.is_empty() || options.allow_lockout {
            return Ok(());
        }
        Err(Error::refused(format!(
            "this would shut the login {login} out, which deploys: {}. If that is meant, say so with \
             `deployment.allowLockout = true`",
            missing.join("; ")
        )))
    }

    /// Only `next` is written: recovery takes it at the next boot. What is confirmed already needs
    /// no trial.
    fn leave_for_boot(&mut self, plan: &Plan) -> Result<Outcome, Error> {
        for action in &plan.actions {
            (self.tell)(Event::Action(action.clone()));
        }
        let node = &*self.node;
        node.system.install(&node.state)?;
        let next = node.state.next_link();
        if node.state.number_at(&node.state.confirmed_link()) == Some(plan.to.number) {
            node.disk.remove_file(&next)?;
        } else {
            node.disk.replace_link(&next, &format!("generations/{}", plan.to.folder()))?;
        }
        node.disk.sync_dir(node.state.folder())?;
        self.close_step();
        Ok(Outcome { timings: self.timings.clone(), ..outcome(plan.to.number, plan.to.id, true) })
    }

    fn journal(&self, plan: &Plan, what: &str, options: &SwitchOptions) -> Result<Journal, Error> {
        let node = &*self.node;
        // Recovery has ended every switch but for what could not be removed.
        let left = Journal::load(&node.state)?.and_then(|settling| settling.cause);
        Ok(Journal {
            phase: Phase::Intent,
            mode: options.mode,
            what: what.to_owned(),
            from: plan.from.number,
            to: plan.to.number,
            to_id: plan.to.id,
            confirmed: node.state.number_at(&node.state.confirmed_link()).unwrap_or(0),
            deployer: options.deployer.clone(),
            login: options.login.clone(),
            nonce: options.nonce.clone(),
            confirm_timeout: options.confirm_timeout,
            boot_id: self.node.system.boot_id(),
            started: jiff::Timestamp::now().to_string(),
            history_length: history::length(&self.node.state),
            active: plan.active.clone(),
            timings: self.timings.clone(),
            cause: None,
            left,
        })
    }

    /// Steps 3 to 9. An error anywhere leads back.
    fn carry_out(
        &mut self,
        plan: &Plan,
        journal: &mut Journal,
        origin: &mut Origin,
    ) -> Result<(), Error> {
        journal.save(&self.node.disk, &self.node.state)?;
        self.enter(Step::ArmWatchdog);
        self.node.system.arm(&self.node.state, LEASE)?;

        let known = [&plan.from.manifest, &plan.to.manifest];
        let change = Change { known: &known, to: &plan.to, plan: &plan.units, way_back: false };
        self.enter(Step::Prepare);
        self.announce(plan, Step::Prepare);
        journal.advance(Phase::Prepared, &self.node.disk, &self.node.state)?;
        let node = &mut *self.node;
        node.system.prepare(&node.state, &change, origin, self.tell)?;

        self.enter(Step::Flip);
        self.announce(plan, Step::Flip);
        let node = &mut *self.node;
        journal.advance(Phase::Flipping, &node.disk, &node.state)?;
        let owners = |user: &str, group: &str| node.system.owner(user, group);
        Files { disk: &node.disk, state: &node.state, owners: &owners }.converge(
            &[&plan.from],
            &plan.to,
            origin,
            &plan.drifted,
        )?;

        self.enter(Step::Activate);
        self.announce(plan, Step::Activate);
        let node = &mut *self.node;
        journal.advance(Phase::Activated, &node.disk, &node.state)?;
        node.system.activate(&node.state, &change, origin, self.tell)?;

        self.enter(Step::Check);
        self.node.system.check(&plan.to.manifest)?;

        self.confirm(journal)?;
        self.commit(plan, journal, origin)
    }

    fn confirm(&mut self, journal: &mut Journal) -> Result<(), Error> {
        self.enter(Step::Confirm);
        let node = &*self.node;
        journal.timings = self.timings.clone();
        journal.advance(Phase::Checked, &node.disk, &node.state)?;
        if journal.nonce.is_none() {
            return Ok(());
        }
        let wait = Duration::from_secs(journal.confirm_timeout.into());
        node.system.arm(&node.state, wait + GRACE)?;
        (self.tell)(Event::AwaitingConfirmation { seconds: journal.confirm_timeout });
        if self.node.system.await_confirmation(journal)? {
            return Ok(());
        }
        Err(Error::refused(format!(
            "no confirmation came within {} seconds: the deployer could not reach the host any more",
            journal.confirm_timeout
        )))
    }

    /// From the rename of `confirmed` on, a kill leads forward.
    fn commit(
        &mut self,
        plan: &Plan,
        journal: &mut Journal,
        origin: &mut Origin,
    ) -> Result<(), Error> {
        self.close_step();
        journal.timings = self.timings.clone();
        let node = &mut *self.node;
        if journal.mode == Mode::Test {
            journal.advance(Phase::Tested, &node.disk, &node.state)?;
            history::append(&node.disk, &node.state, journal, "tested", None, Vec::new())?;
            let left = settling::handed_on(journal);
            return settling::close(node, journal.clone(), left.as_ref());
        }
        let target = format!("generations/{}", plan.to.folder());
        node.disk.replace_link(&node.state.confirmed_link(), &target)?;
        // An earlier `boot` is overtaken.
        node.disk.remove_file(&node.state.next_link())?;
        node.disk.sync_dir(node.state.folder())?;
        let left = settling::settle(node, &plan.to, origin, self.tell)?;
        let cause = left.as_ref().map(ToString::to_string);
        history::append(&node.disk, &node.state, journal, "confirmed", cause, Vec::new())?;
        settling::close(node, journal.clone(), left.as_ref())?;
        settling::warn(left.as_ref(), self.tell);
        Ok(())
    }

    fn end(&mut self, plan: &Plan) -> Outcome {
        self.close_step();
        Outcome { timings: self.timings.clone(), ..outcome(plan.to.number, plan.to.id, true) }
    }

    /// A step failed: the same path as after a kill, at once. Succeeds when the switch had been
    /// committed before, because then that path leads forward.
    fn go_back(&mut self, mut journal: Journal, error: &Error) -> Result<(), Failure> {
        let step = self.step.map(|(step, _)| step);
        self.enter(Step::RollBack);
        journal.cause = Some(error.to_string());
        journal.timings = self.timings.clone();
        match recovery::back(self.node, journal, self.tell) {
            Ok(Direction::Forward) => {
                (self.tell)(Event::Warning { message: error.to_string() });
                Ok(())
            }
            Ok(Direction::Back { trouble: None }) => {
                Err(Failure { step, message: error.to_string(), unchanged: true })
            }
            Ok(Direction::Back { trouble: Some(trouble) }) => Err(Failure {
                step,
                message: format!(
                    "{error}; the host went back, but not all of it came up: {trouble}"
                ),
                unchanged: false,
            }),
            Err(second) => Err(Failure {
                step,
                message: format!("{error}; going back failed too: {second}"),
                unchanged: false,
            }),
        }
    }

    fn fail(&self, error: &Error, unchanged: bool) -> Failure {
        let step = self.step.map(|(step, _)| step);
        Failure { step, message: error.to_string(), unchanged }
    }

    /// What history says of this switch unless it gets as far as its journal.
    fn attempt(&self, target: &Target, what: &str, options: &SwitchOptions) -> HistoryEntry {
        let state = &self.node.state;
        let from = state.number_at(&state.current_link()).unwrap_or_default();
        HistoryEntry {
            started: jiff::Timestamp::now().to_string(),
            what: what.to_owned(),
            from,
            to: from,
            to_id: match target {
                Target::Manifest { text, .. } => Some(GenerationId::of(text)),
                Target::Kept(_) => None,
            },
            deployer: options.deployer.clone(),
            login: options.login.clone(),
            ..HistoryEntry::default()
        }
    }

    /// Nothing was done, which history is told.
    fn refuse(&mut self, attempt: HistoryEntry, error: &Error) -> Failure {
        let failure = self.fail(error, true);
        self.close_step();
        let (outcome, cause) = ("unchanged".to_owned(), Some(error.to_string()));
        self.note(HistoryEntry { outcome, cause, ..attempt });
        failure
    }

    /// A line of history that nothing depends on.
    fn note(&mut self, attempt: HistoryEntry) {
        let entry = HistoryEntry { timings: self.timings.clone(), ..attempt };
        history::note_or_warn(&self.node.disk, &self.node.state, entry, self.tell);
    }

    fn announce(&mut self, plan: &Plan, step: Step) {
        for action in plan.actions.iter().filter(|action| step_of(action) == step) {
            (self.tell)(Event::Action(action.clone()));
        }
    }

    fn enter(&mut self, step: Step) {
        self.close_step();
        self.step = Some((step, Instant::now()));
        (self.tell)(Event::Step { step });
    }

    fn close_step(&mut self) {
        if let Some((step, since)) = &self.step {
            let spent = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.timings.insert(*step, spent);
        }
    }
}

/// The step in which an action is done.
fn step_of(action: &Action) -> Step {
    match action {
        Action::InstallPackage { .. }
        | Action::User { .. }
        | Action::Group { .. }
        | Action::Unit { does: UnitAction::Stop, .. } => Step::Prepare,
        Action::AddFile { .. }
        | Action::ChangeFile { .. }
        | Action::RemoveFile { .. }
        | Action::AdoptFile { .. } => Step::Flip,
        _ => Step::Activate,
    }
}

/// Brings blobs that are missing or damaged.
fn fetch(store: &Store, manifest: &Manifest, blobs: &dyn BlobSource) -> Result<(), Error> {
    for id in manifest.blobs() {
        let Err(broken) = store.verify(&id) else { continue };
        match blobs.blob(&id) {
            Ok(reader) => store.put_unflushed(&id, reader)?,
            Err(_) => return Err(broken.into()),
        }
    }
    Ok(())
}
