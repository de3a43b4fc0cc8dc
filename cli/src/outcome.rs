//! How switches ended: a block for each host, and the exit code of all together.

use std::time::Duration;

use cairn_activator::Failure as NodeFailure;
use cairn_deploy::Effect;
use cairn_generation::wire::{Mode, Outcome};
use serde_json::json;

use crate::changes::Changes;
use crate::error::CommandError;
use crate::live::Seen;
use crate::style::{BAD, DIM, GOOD, STRONG, paint};
use crate::ui::Ui;

/// What was asked of hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// A new generation.
    Switch(Mode),
    /// An old one.
    Rollback(Mode),
}

impl Asked {
    pub(crate) fn mode(self) -> Mode {
        match self {
            Asked::Switch(mode) | Asked::Rollback(mode) => mode,
        }
    }
}

/// Why a host did not do what it was asked.
#[derive(Debug)]
pub(crate) struct Failure {
    /// A stable name.
    pub(crate) code: String,
    /// What happened.
    pub(crate) message: String,
    /// What to do.
    pub(crate) help: Option<String>,
    /// Whether the host is as it was.
    pub(crate) unchanged: bool,
}

impl From<cairn_deploy::Error> for Failure {
    fn from(error: cairn_deploy::Error) -> Failure {
        Failure {
            code: error.code().to_owned(),
            message: error.message(),
            help: error.help(),
            unchanged: error.effect() == Effect::Unchanged,
        }
    }
}

impl From<NodeFailure> for Failure {
    fn from(failure: NodeFailure) -> Failure {
        let code = "deploy::host-failed".to_owned();
        let (message, unchanged) = (failure.message, failure.unchanged);
        Failure { code, message, help: None, unchanged }
    }
}

impl From<cairn_activator::Error> for Failure {
    fn from(error: cairn_activator::Error) -> Failure {
        NodeFailure::from(error).into()
    }
}

/// Collects how hosts ended.
pub(crate) struct Endings<'u> {
    ui: &'u Ui,
    failed: usize,
    need_look: usize,
    all: usize,
}

impl<'u> Endings<'u> {
    pub(crate) fn new(ui: &'u Ui) -> Endings<'u> {
        Endings { ui, failed: 0, need_look: 0, all: 0 }
    }

    /// Counts a host that did what it was asked.
    pub(crate) fn add(&mut self) {
        self.all += 1;
    }

    /// Shows how a switch of `host` ended.
    pub(crate) fn switch(
        &mut self,
        host: &str,
        asked: Asked,
        seen: &Seen,
        result: &Result<Outcome, Failure>,
    ) {
        match result {
            Ok(outcome) => {
                self.all += 1;
                self.done(host, asked, seen, outcome);
            }
            Err(failure) => self.failure(host, failure),
        }
    }

    /// Shows why `host` failed.
    pub(crate) fn failure(&mut self, host: &str, failure: &Failure) {
        self.all += 1;
        self.failed += 1;
        self.need_look += usize::from(!failure.unchanged);
        self.ui.object(&json!({
            "type": "failed",
            "host": host,
            "code": failure.code,
            "message": failure.message,
            "help": failure.help,
            "unchanged": failure.unchanged,
        }));
        let sign = paint(BAD.bold(), "✗");
        self.ui.note(format_args!("{sign} {}: {}", paint(STRONG, host), failure.message));
        if let Some(help) = &failure.help {
            self.ui.note(format_args!("  {} {help}", paint(DIM, "help:")));
        }
        let after = match failure.unchanged {
            true => format!("{host} is as it was"),
            false => paint(BAD, format_args!("{host} needs a look: `cairn status {host}`")),
        };
        self.ui.note(format_args!("  {after}"));
    }

    /// The error of all hosts together.
    pub(crate) fn finish(self) -> Result<(), CommandError> {
        if self.failed == 0 {
            return Ok(());
        }
        if self.all > 1 && !self.ui.is_json() {
            self.ui.note(format_args!("{} of {} hosts failed", self.failed, self.all));
        }
        Err(CommandError::host(self.need_look > 0))
    }

    fn done(&self, host: &str, asked: Asked, seen: &Seen, outcome: &Outcome) {
        self.ui.object(&json!({
            "type": "done",
            "host": host,
            "mode": asked.mode(),
            "changed": outcome.changed,
            "generation": outcome.generation,
            "id": outcome.id,
            "timings": outcome.timings,
        }));
        let generation = generation(outcome);
        let name = paint(STRONG, host);
        let dry = asked.mode() == Mode::DryActivate;
        let changes = Changes::of(&seen.actions, self.ui.verbose() > 0);
        if changes.is_empty() && (dry || !outcome.changed) {
            self.ui.line(format_args!("nothing to do: {name} is at {generation}"));
            return;
        }
        // A switch that only puts drift right has no changes to list.
        if !changes.is_empty() {
            self.ui.line(format_args!("{name}{}", if dry { " would change:" } else { "" }));
            self.ui.line(&changes);
        }
        if dry {
            return;
        }
        let now = match asked {
            Asked::Switch(Mode::Test) | Asked::Rollback(Mode::Test) => {
                format!("runs {generation} until its next boot")
            }
            Asked::Switch(Mode::Boot) | Asked::Rollback(Mode::Boot) => {
                format!("comes up in {generation} at its next boot")
            }
            Asked::Switch(_) => format!("is at {generation}"),
            Asked::Rollback(_) => format!("is back at {generation}"),
        };
        let took = paint(DIM, format_args!("in {}", seconds(seen.took)));
        self.ui.line(format_args!("{} {name} {now} {took}", paint(GOOD, "✓")));
        if self.ui.verbose() > 0 {
            self.timings(outcome);
        }
    }

    fn timings(&self, outcome: &Outcome) {
        let steps: Vec<String> = outcome
            .timings
            .iter()
            .map(|(step, took)| {
                let name = json!(step);
                format!("{} {took} ms", name.as_str().unwrap_or_default())
            })
            .collect();
        if !steps.is_empty() {
            self.ui.line(paint(DIM, format_args!("  on the host: {}", steps.join(", "))));
        }
    }
}

fn generation(outcome: &Outcome) -> String {
    match outcome.id {
        Some(id) => format!("generation {} ({})", outcome.generation, id.short()),
        None => "generation 0, the host as found".to_owned(),
    }
}

/// `0.4 s`, `12 s`
pub(crate) fn seconds(took: Duration) -> String {
    match took.as_secs_f64() {
        short if short < 0.1 => format!("{:.2} s", short),
        short if short < 10.0 => format!("{:.1} s", short),
        long => format!("{long:.0} s"),
    }
}
