//! systemd: units are driven, listed, and asked why they failed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use cairn_generation::wire::FailedUnit;

use crate::error::Error;
use crate::host::command::Run;

/// Whoever starts and stops units.
pub(crate) trait ServiceManager {
    /// Units that are active, or on their way.
    fn active(&self) -> Result<BTreeSet<String>, Error>;
    /// Reads unit files anew.
    fn reload_definitions(&self) -> Result<(), Error>;
    /// Does one thing to several units, in one transaction, and waits for it.
    fn job(&self, verb: Verb, units: &BTreeSet<String>) -> Result<(), Error>;
    /// How a unit is.
    fn condition(&self, units: &BTreeSet<String>) -> Result<Vec<Condition>, Error>;
    /// The end of the journal of a unit's last run, oldest line first.
    fn last_words(&self, condition: &Condition, lines: u32) -> Vec<String>;
    /// Forgets that units failed.
    fn forget_failures(&self, units: &BTreeSet<String>);
}

/// What is done to units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Stop,
    Start,
    Restart,
    Reload,
}

/// How one unit is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) unit: String,
    pub(crate) load: String,
    pub(crate) active: String,
    pub(crate) sub: String,
    pub(crate) result: String,
    pub(crate) kind: String,
    pub(crate) invocation: String,
    /// When it last ceased to be inactive, as systemd writes and reads it; empty before the first time.
    pub(crate) since: String,
    /// A oneshot that counts as active after its program ended.
    pub(crate) remains: bool,
    /// It was asked to start, and its own conditions kept it from that.
    pub(crate) unmet: bool,
    /// Paths of the drop-ins that it was read with.
    pub(crate) drop_ins: Vec<String>,
}

impl Condition {
    /// Failed, or about to be started once more because it failed.
    pub(crate) fn is_failed(&self) -> bool {
        self.active == "failed"
            || self.sub == "auto-restart"
            || (self.load != "loaded" && self.load != "masked" && !self.load.is_empty())
    }

    /// Not up, though nothing keeps it from that: not its own end, nor its own conditions.
    pub(crate) fn is_down(&self) -> bool {
        let done = self.kind == "oneshot" && !self.remains;
        self.is_failed() || (self.active == "inactive" && !done && !self.unmet)
    }

    /// Neither up nor down yet.
    pub(crate) fn is_moving(&self) -> bool {
        ["activating", "deactivating", "reloading"].contains(&self.active.as_str())
    }
}

/// `systemctl`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Systemctl;

/// Longer than any unit's own timeout should be.
const PATIENCE: Duration = Duration::from_secs(300);

impl ServiceManager for Systemctl {
    fn active(&self) -> Result<BTreeSet<String>, Error> {
        let listed = Run::new("systemctl")
            .args(["list-units", "--all", "--plain", "--no-legend", "--full", "--no-pager"])
            .args(["--state=active,activating,reloading"])
            .succeed()?;
        Ok(listed
            .lines()
            .filter_map(|line| line.split_whitespace().next())
            .map(str::to_owned)
            .collect())
    }

    fn reload_definitions(&self) -> Result<(), Error> {
        Run::new("systemctl").args(["daemon-reload"]).within(PATIENCE).succeed().map(drop)
    }

    fn job(&self, verb: Verb, units: &BTreeSet<String>) -> Result<(), Error> {
        if units.is_empty() {
            return Ok(());
        }
        let verb = match verb {
            Verb::Stop => "stop",
            Verb::Start => "start",
            Verb::Restart => "restart",
            Verb::Reload => "reload-or-restart",
        };
        let ended = Run::new("systemctl")
            .args([verb, "--no-ask-password", "--"])
            .args(units.iter().cloned())
            .within(PATIENCE)
            .end()?;
        // A unit that is not loaded is not running either.
        if ended.success || (verb == "stop" && ended.code == Some(5)) {
            return Ok(());
        }
        Err(Error::refused(format!("`systemctl {verb}` failed: {}", ended.said())))
    }

    fn condition(&self, units: &BTreeSet<String>) -> Result<Vec<Condition>, Error> {
        if units.is_empty() {
            return Ok(Vec::new());
        }
        let shown = Run::new("systemctl")
            .args([
                "show",
                "--no-pager",
                "--property=Id,LoadState,ActiveState,SubState,Result,Type,InvocationID,InactiveExitTimestamp,RemainAfterExit,\
                 ConditionResult,ConditionTimestampMonotonic,DropInPaths",
                "--",
            ])
            .args(units.iter().cloned())
            .succeed()?;
        Ok(shown
            .split("\n\n")
            .filter(|block| !block.trim().is_empty())
            .map(parse_condition)
            .collect())
    }

    fn last_words(&self, condition: &Condition, lines: u32) -> Vec<String> {
        let run = Run::new("journalctl")
            .args(["--no-pager", "--quiet", "--output=cat"])
            .args([format!("--lines={lines}")])
            .within(Duration::from_secs(10));
        // Not by its invocation: the lines of a program that is gone when they are read have none.
        let run = run.args(["--unit", &condition.unit]);
        let run = match condition.since.as_str() {
            "" => run,
            since => run.args(["--since", since]),
        };
        let ended = run.end();
        ended.map(|ended| ended.output.lines().map(str::to_owned).collect()).unwrap_or_default()
    }

    fn forget_failures(&self, units: &BTreeSet<String>) {
        if !units.is_empty() {
            // Nothing depends on it: a failed state only hides later ones.
            let _ = Run::new("systemctl")
                .args(["reset-failed", "--"])
                .args(units.iter().cloned())
                .end();
        }
    }
}

fn parse_condition(block: &str) -> Condition {
    let mut condition = Condition::default();
    let (mut unmet, mut looked_at) = (false, false);
    for line in block.lines() {
        let Some((key, value)) = line.split_once('=') else { continue };
        let field = match key {
            "Id" => &mut condition.unit,
            "LoadState" => &mut condition.load,
            "ActiveState" => &mut condition.active,
            "SubState" => &mut condition.sub,
            "Result" => &mut condition.result,
            "Type" => &mut condition.kind,
            "InvocationID" => &mut condition.invocation,
            "InactiveExitTimestamp" => &mut condition.since,
            "RemainAfterExit" => {
                condition.remains = value == "yes";
                continue;
            }
            "ConditionResult" => {
                unmet = value == "no";
                continue;
            }
            "ConditionTimestampMonotonic" => {
                looked_at = value != "0";
                continue;
            }
            "DropInPaths" => {
                condition.drop_ins = value.split_whitespace().map(str::to_owned).collect();
                continue;
            }
            _ => continue,
        };
        value.clone_into(field);
    }
    condition.unmet = unmet && looked_at;
    condition
}

/// Names the units among `units` that failed, each with the end of its journal.
pub(crate) fn failures(
    manager: &dyn ServiceManager,
    units: &BTreeSet<String>,
) -> Result<(), Error> {
    let failed: Vec<Condition> =
        manager.condition(units)?.into_iter().filter(Condition::is_failed).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let told: Vec<String> = failed.iter().map(|condition| describe(manager, condition)).collect();
    Err(Error::refused(told.join("\n")))
}

/// Units among `units` that failed, each with the end of its journal.
pub(crate) fn post_mortem(
    manager: &dyn ServiceManager,
    units: &BTreeSet<String>,
) -> Vec<FailedUnit> {
    let conditions = manager.condition(units).unwrap_or_default();
    let failed = conditions.into_iter().filter(|one| one.load == "loaded" && one.is_failed());
    let told = failed.take(10).map(|one| {
        let short = |line: String| line.chars().take(500).collect();
        let journal = manager.last_words(&one, 30).into_iter().map(short).collect();
        FailedUnit { unit: one.unit, why: one.result, journal }
    });
    told.collect()
}

fn describe(manager: &dyn ServiceManager, condition: &Condition) -> String {
    let why = match condition.load.as_str() {
        "loaded" | "" if condition.active == "active" => "it is started over and over".to_owned(),
        "loaded" | "" if condition.result.is_empty() => condition.sub.clone(),
        "loaded" | "" => condition.result.clone(),
        load => load.to_owned(),
    };
    let mut text = format!("{} failed ({why})", condition.unit);
    for line in manager.last_words(condition, 10) {
        text.push_str("\n    ");
        text.push_str(&line);
    }
    text
}

/// Waits until none of `units` is between two states, and they had `calm` to fail.
///
/// # Errors
/// When one failed, or is still moving at the end of `patience`.
pub(crate) fn settle(
    manager: &dyn ServiceManager,
    units: &BTreeSet<String>,
    calm: Duration,
    patience: Duration,
) -> Result<(), Error> {
    let begin = Instant::now();
    let mut runs: BTreeMap<String, Condition> = BTreeMap::new();
    while !units.is_empty() {
        failures(manager, units)?;
        let now = manager.condition(units)?;
        for condition in now.iter().filter(|condition| condition.active == "active") {
            let run = runs.entry(condition.unit.clone()).or_insert_with(|| condition.clone());
            // Nobody starts units meanwhile but systemd, because they ended: up again, such a unit
            // looks well by itself.
            if run.invocation != condition.invocation {
                return Err(Error::refused(describe(manager, run)));
            }
        }
        if !now.iter().any(Condition::is_moving) && begin.elapsed() >= calm {
            return Ok(());
        }
        if begin.elapsed() >= patience {
            return Err(Error::refused(
                "units are still being started; raise their timeouts or look at them",
            ));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read() {
        let text = "Id=a.service\nLoadState=loaded\nActiveState=activating\nSubState=auto-restart\nResult=exit-code\n";
        let condition = parse_condition(text);
        assert!(condition.is_failed() && condition.is_moving());
        assert!(
            !parse_condition("Id=a\nLoadState=loaded\nActiveState=active\nSubState=running\n")
                .is_failed()
        );
        assert!(parse_condition("Id=a\nLoadState=not-found\nActiveState=inactive\n").is_failed());
    }
}
