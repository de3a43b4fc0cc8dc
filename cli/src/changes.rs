//! What a switch does to a host, for people: one block a host, sorted by what it is about.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use anstyle::Style;
use cairn_generation::wire::{Action, UnitAction};

use crate::style::{ACTION, BAD, CHANGED, DIM, GOOD, paint};

/// One change: a sign or verb, and what it happens to.
struct Change {
    style: Style,
    sign: &'static str,
    what: String,
}

/// More changes than this in one section are counted, not listed.
const LONGEST: usize = 24;

/// Changes by section, in the order in which people look for them.
#[derive(Default)]
pub(crate) struct Changes {
    whole: bool,
    files: Vec<Change>,
    units: Vec<Change>,
    packages: Vec<Change>,
    users: Vec<Change>,
    kernel: Vec<Change>,
    firewall: Vec<Change>,
    folders: Vec<Change>,
    secrets: Vec<Change>,
}

impl Changes {
    /// The changes that these actions are; long lists are shortened unless `whole`.
    pub(crate) fn of(actions: &[Action], whole: bool) -> Changes {
        let mut changes = Changes { whole, ..Changes::default() };
        let mut units: BTreeMap<&str, BTreeSet<&'static str>> = BTreeMap::new();
        for action in actions {
            match action {
                Action::AddFile { path } => changes.files.push(added(path)),
                Action::ChangeFile { path } => changes.files.push(changed(path)),
                Action::RemoveFile { path } => changes.files.push(removed(path)),
                Action::AdoptFile { path } => {
                    changes.files.push(changed(format!("{path} (adopted; kept in generation 0)")));
                }
                Action::Unit { unit, does } => {
                    units.entry(unit).or_default().insert(verb(*does));
                }
                Action::InstallPackage { package } => changes.packages.push(added(package)),
                Action::RemovePackage { package } => changes.packages.push(removed(package)),
                Action::User { user, does } => changes.users.push(named("user", user, does)),
                Action::Group { group, does } => changes.users.push(named("group", group, does)),
                Action::Sysctl { key, value } => {
                    changes.kernel.push(changed(format!("{key} = {value}")));
                }
                Action::LoadModule { module } => {
                    changes.kernel.push(added(format!("module {module}")));
                }
                Action::Hostname { hostname } => {
                    changes.kernel.push(changed(format!("host name {hostname}")));
                }
                Action::Nftables { table, does } if does == "remove" => {
                    changes.firewall.push(removed(format!("table {table}")));
                }
                Action::Nftables { table, .. } => {
                    changes.firewall.push(changed(format!("table {table}")));
                }
                Action::Secret { secret, does } => {
                    changes.secrets.push(named("secret", secret, does))
                }
                Action::Template { template, does } => {
                    changes.secrets.push(named("template", template, does));
                }
                Action::Directory { line } => changes.folders.push(added(line)),
            }
        }
        changes.units = units.into_iter().map(|(unit, verbs)| unit_change(unit, &verbs)).collect();
        changes.files.sort_by(|a, b| a.what.cmp(&b.what));
        changes
    }

    /// Whether nothing changes.
    pub(crate) fn is_empty(&self) -> bool {
        self.sections().iter().all(|(_, changes)| changes.is_empty())
    }

    fn sections(&self) -> [(&'static str, &[Change]); 8] {
        [
            ("files", &self.files),
            ("units", &self.units),
            ("packages", &self.packages),
            ("users", &self.users),
            ("kernel", &self.kernel),
            ("firewall", &self.firewall),
            ("folders", &self.folders),
            ("secrets", &self.secrets),
        ]
    }
}

/// Two spaces, the section's name, the sign, what it happens to; no line break at the end.
impl fmt::Display for Changes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        for (name, changes) in self.sections() {
            // One line too many is not worth a line that says so.
            let long = !self.whole && changes.len() > LONGEST + 1;
            let shown = if long { LONGEST } else { changes.len() };
            let width = changes.iter().map(|change| change.sign.len()).max().unwrap_or(0);
            for (index, change) in changes.iter().take(shown).enumerate() {
                if !std::mem::take(&mut first) {
                    writeln!(f)?;
                }
                let name = if index == 0 { name } else { "" };
                let name = paint(DIM, format_args!("{name:<10}"));
                let sign = paint(change.style, format_args!("{:<width$}", change.sign));
                write!(f, "  {name}{sign} {}", change.what)?;
            }
            if long {
                let more = format!("… and {} more: see them with -v", changes.len() - shown);
                write!(f, "\n  {:<10}{}", "", paint(DIM, more))?;
            }
        }
        Ok(())
    }
}

fn added(what: impl Into<String>) -> Change {
    Change { style: GOOD, sign: "+", what: what.into() }
}

fn changed(what: impl Into<String>) -> Change {
    Change { style: CHANGED, sign: "~", what: what.into() }
}

fn removed(what: impl Into<String>) -> Change {
    Change { style: BAD, sign: "-", what: what.into() }
}

/// `user alice`, with the sign of what happens to it.
fn named(kind: &str, name: &str, does: &str) -> Change {
    let what = format!("{kind} {name}");
    match does {
        "add" => added(what),
        "remove" => removed(what),
        _ => changed(what),
    }
}

fn verb(does: UnitAction) -> &'static str {
    match does {
        UnitAction::Stop => "stop",
        UnitAction::Start => "start",
        UnitAction::Restart => "restart",
        UnitAction::Reload => "reload",
    }
}

/// A unit that is stopped and started again is restarted, to whoever looks on.
fn unit_change(unit: &str, verbs: &BTreeSet<&'static str>) -> Change {
    let both = verbs.contains("stop") && verbs.contains("start");
    let sign = if both { "restart" } else { verbs.first().copied().unwrap_or("restart") };
    let style = match sign {
        "start" => GOOD,
        "stop" => BAD,
        _ => ACTION,
    };
    Change { style, sign, what: unit.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_in_order() {
        let unit = |unit: &str, does| Action::Unit { unit: unit.to_owned(), does };
        let actions = [
            Action::InstallPackage { package: "vim".into() },
            unit("a.service", UnitAction::Stop),
            Action::User { user: "alice".into(), does: "add".into() },
            Action::ChangeFile { path: "/etc/motd".into() },
            Action::AddFile { path: "/etc/a".into() },
            Action::Sysctl { key: "vm.swappiness".into(), value: "10".into() },
            unit("a.service", UnitAction::Start),
            unit("b.service", UnitAction::Start),
        ];
        let shown = Changes::of(&actions, false).to_string();
        insta::assert_snapshot!(anstream::adapter::strip_str(&shown), @"
        files     + /etc/a
                  ~ /etc/motd
        units     restart a.service
                  start   b.service
        packages  + vim
        users     + user alice
        kernel    ~ vm.swappiness = 10
        ");
        assert!(Changes::of(&[], false).is_empty());
    }

    #[test]
    fn long_lists_are_counted() {
        let file = |n| Action::AddFile { path: format!("/etc/{n}") };
        let actions: Vec<_> = (0..100).map(file).collect();
        let lines = |whole| Changes::of(&actions, whole).to_string().lines().count();
        assert_eq!((lines(false), lines(true)), (LONGEST + 1, 100));
    }
}
