//! What a switch from one generation to another does, as data.
//!
//! One function decides: `cairn diff`, `dry-activate` and the engine all ask it.

use std::collections::{BTreeMap, BTreeSet};

use crate::layout::{Entry, Layout, LayoutError, layout, template_of};
use crate::manifest::{Manifest, OnChange, Unit};
use crate::unitfile::{self, Difference};
use crate::wire::{Action, UnitAction};

/// What is known of the units that run.
#[derive(Debug, Clone, Copy)]
pub enum Running<'a> {
    /// Nothing: every unit that the old generation wants is taken to run.
    AsWanted,
    /// These units are active, or on their way.
    Active(&'a BTreeSet<String>),
}

/// What happens to units, in the order of a switch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitPlan {
    /// Stopped under their old definitions.
    pub stop: BTreeSet<String>,
    /// Reloaded under their new ones.
    pub reload: BTreeSet<String>,
    /// Restarted under their new ones.
    pub restart: BTreeSet<String>,
    /// Started under their new ones.
    pub start: BTreeSet<String>,
}

impl UnitPlan {
    /// Units of which something else changed than their definition, such as what they read: those of
    /// `running` that nothing happens to yet are restarted, or reloaded. What came of it.
    pub fn touch(
        &mut self,
        restart: &BTreeSet<String>,
        reload: &BTreeSet<String>,
        running: &BTreeSet<String>,
    ) -> [(UnitAction, BTreeSet<String>); 2] {
        let free = |plan: &Self, unit: &String| {
            running.contains(unit)
                && !plan.stop.contains(unit)
                && !plan.restart.contains(unit)
                && !plan.start.contains(unit)
        };
        let restarted: BTreeSet<String> =
            restart.iter().filter(|unit| free(self, unit)).cloned().collect();
        self.restart.extend(restarted.iter().cloned());
        self.reload.retain(|unit| !restarted.contains(unit));
        let reloaded: BTreeSet<String> = reload
            .iter()
            .filter(|unit| free(self, unit) && !self.reload.contains(*unit))
            .cloned()
            .collect();
        self.reload.extend(reloaded.iter().cloned());
        [(UnitAction::Reload, reloaded), (UnitAction::Restart, restarted)]
    }
}

/// Everything that a switch changes, in the order in which it does.
///
/// # Errors
/// When one of the manifests has no tree.
pub fn diff(old: &Manifest, new: &Manifest, running: Running) -> Result<Vec<Action>, LayoutError> {
    let (old_layout, new_layout) = (layout(old)?, layout(new)?);
    let units = unit_plan(old, new, running);
    let mut actions = Vec::new();
    packages_in(old, new, &mut actions);
    accounts(old, new, &mut actions);
    push_units(&units.stop, UnitAction::Stop, &mut actions);
    files(&old_layout, &new_layout, &mut actions);
    secrets(old, new, &mut actions);
    kernel(old, new, &mut actions);
    nftables(old, new, &mut actions);
    push_units(&units.reload, UnitAction::Reload, &mut actions);
    push_units(&units.restart, UnitAction::Restart, &mut actions);
    push_units(&units.start, UnitAction::Start, &mut actions);
    packages_out(old, new, &mut actions);
    Ok(actions)
}

/// What happens to each unit.
pub fn unit_plan(old: &Manifest, new: &Manifest, running: Running) -> UnitPlan {
    let wanted_before = wanted(old);
    let wanted_now = wanted(new);
    let runs = |name: &str| match running {
        Running::AsWanted => wanted_before.contains(name),
        Running::Active(units) => units.contains(name),
    };
    let mut plan = UnitPlan::default();
    for (name, unit) in old.units.iter().filter(|(name, _)| !new.units.contains_key(*name)) {
        if unit.text.is_none() && runs(name) {
            // The host's own unit stays, without what came with its triggers.
            let difference = difference(unit, &Unit::default());
            apply(name, unit, difference, new, &runs, &mut plan);
        } else if unit.text.is_some() && goes(unit) && runs(name) {
            plan.stop.insert(name.clone());
        }
    }
    let drop_ins = changed_drop_ins(old, new);
    for (name, unit) in &new.units {
        let up = wanted_now.contains(name);
        let Some(before) = old.units.get(name) else {
            // One of the host: it runs under another definition than it has from now on, or has
            // not read what comes with its triggers.
            if runs(name) {
                let difference = match drop_ins.contains(name) {
                    true => Difference::Restart,
                    false => difference(&Unit::default(), unit),
                };
                apply(name, unit, difference, new, &runs, &mut plan);
            } else if up && !runs(name) {
                plan.start.insert(name.clone());
            }
            continue;
        };
        let mut difference = difference(before, unit);
        if drop_ins.contains(name) {
            difference = Difference::Restart;
        }
        if runs(name) {
            apply(name, unit, difference, new, &runs, &mut plan);
        } else if up && (difference > Difference::None || !wanted_before.contains(name)) {
            plan.start.insert(name.clone());
        }
    }
    instances(old, new, running, &mut plan);
    plan.restart.retain(|name| !plan.stop.contains(name));
    plan.reload.retain(|name| !plan.stop.contains(name) && !plan.restart.contains(name));
    plan
}

/// Units that come up with `cairn.target`, by themselves or through another managed unit.
pub fn wanted(manifest: &Manifest) -> BTreeSet<String> {
    let mut up = BTreeSet::new();
    loop {
        let found: Vec<&String> = manifest
            .units
            .iter()
            .filter(|(name, unit)| {
                let mut wanters = unit.wanted_by.iter().chain(&unit.required_by);
                !up.contains(*name)
                    && !unit.only_manual_start
                    && !refuses(unit, "RefuseManualStart")
                    && !name.contains("@.")
                    && wanters.any(|wanter| up.contains(wanter) || !is_managed(manifest, wanter))
            })
            .map(|(name, _)| name)
            .collect();
        if found.is_empty() {
            return up;
        }
        up.extend(found.into_iter().cloned());
    }
}

fn is_managed(manifest: &Manifest, name: &str) -> bool {
    manifest.units.get(name).is_some_and(|unit| unit.text.is_some())
}

fn difference(old: &Unit, new: &Unit) -> Difference {
    let text = match (&old.text, &new.text) {
        (None, None) => Difference::None,
        (Some(old), Some(new)) => unitfile::compare(old, new),
        _ => Difference::Restart,
    };
    let triggers = if old.restart_triggers != new.restart_triggers {
        Difference::Restart
    } else if old.reload_triggers != new.reload_triggers {
        Difference::Reload
    } else {
        Difference::None
    };
    text.max(triggers)
}

/// Plans for one running unit that is to come to its new definition.
fn apply(
    name: &str,
    unit: &Unit,
    difference: Difference,
    new: &Manifest,
    runs: &dyn Fn(&str) -> bool,
    plan: &mut UnitPlan,
) {
    let kind = name.rsplit_once('.').map_or("", |(_, kind)| kind);
    match (difference, kind) {
        (Difference::None, _) => {}
        // Their properties take effect with the daemon-reload; a stop would take others along.
        (_, "target" | "slice" | "path") => {}
        // The root is never unmounted.
        (_, "mount") if name == "-.mount" => drop(plan.reload.insert(name.to_owned())),
        (Difference::Reload, _) => {
            plan.reload.insert(name.to_owned());
        }
        (Difference::Restart, _) if unit.only_manual_start || refuses(unit, "RefuseManualStop") => {
        }
        (Difference::Restart, "socket") => stop_socket(name, new, runs, plan),
        (Difference::Restart, "service") => match unit.on_change {
            OnChange::StopStart => stop_service(name, new, runs, plan),
            OnChange::Restart => drop(plan.restart.insert(name.to_owned())),
            OnChange::Reload => drop(plan.reload.insert(name.to_owned())),
            OnChange::Nothing => {}
        },
        (Difference::Restart, _) => match unit.on_change {
            OnChange::StopStart | OnChange::Restart => drop(plan.restart.insert(name.to_owned())),
            OnChange::Reload => drop(plan.reload.insert(name.to_owned())),
            OnChange::Nothing => {}
        },
    }
}

/// Whether a unit is stopped when it is no longer there.
fn goes(unit: &Unit) -> bool {
    !unit.keep_on_removal && !refuses(unit, "RefuseManualStop")
}

/// Whether the unit's own text keeps people, and us, from starting or stopping it.
fn refuses(unit: &Unit, key: &str) -> bool {
    let text = unit.text.as_deref().unwrap_or_default();
    // Asked of every unit: most say nothing of the kind.
    text.contains(key) && unitfile::is_true(&unitfile::parse(text), "Unit", key)
}

/// A service that a socket starts is started by its socket again, not by us.
fn stop_service(name: &str, new: &Manifest, runs: &dyn Fn(&str) -> bool, plan: &mut UnitPlan) {
    plan.stop.insert(name.to_owned());
    let sockets = sockets_of(name, new);
    let active: Vec<&String> = sockets.iter().filter(|socket| runs(socket)).collect();
    if active.is_empty() {
        plan.start.insert(name.to_owned());
    }
    for socket in active {
        plan.stop.insert(socket.clone());
        plan.start.insert(socket.clone());
    }
}

/// systemd refuses to start a socket whose service runs.
fn stop_socket(name: &str, new: &Manifest, runs: &dyn Fn(&str) -> bool, plan: &mut UnitPlan) {
    plan.stop.insert(name.to_owned());
    plan.start.insert(name.to_owned());
    let services = new.units.keys().filter(|unit| sockets_of(unit, new).iter().any(|s| s == name));
    for service in services.filter(|service| runs(service)) {
        plan.stop.insert(service.clone());
    }
}

/// The sockets of a managed service: those that it names, else the one of its own name.
fn sockets_of(service: &str, manifest: &Manifest) -> Vec<String> {
    let Some(base) = service.strip_suffix(".service") else { return Vec::new() };
    let text = manifest.units.get(service).and_then(|unit| unit.text.as_deref()).unwrap_or("");
    let sections = unitfile::parse(text);
    if unitfile::is_true(&sections, "Service", "X-NotSocketActivated") {
        return Vec::new();
    }
    let named = sections.get("Service").and_then(|keys| keys.get("Sockets"));
    let sockets: Vec<String> = match named {
        Some(values) => {
            values.iter().flat_map(|value| value.split_whitespace()).map(str::to_owned).collect()
        }
        None => vec![format!("{base}.socket")],
    };
    sockets.into_iter().filter(|socket| manifest.units.contains_key(socket)).collect()
}

/// Running instances of a managed template follow it.
fn instances(old: &Manifest, new: &Manifest, running: Running, plan: &mut UnitPlan) {
    let Running::Active(active) = running else { return };
    for name in active {
        let Some(template) = template_of(name) else { continue };
        if new.units.get(name).is_some_and(|unit| unit.text.is_some()) {
            continue;
        }
        match (old.units.get(&template), new.units.get(&template)) {
            (Some(before), Some(unit)) => {
                apply(
                    name,
                    unit,
                    difference(before, unit),
                    new,
                    &|unit| active.contains(unit),
                    plan,
                );
            }
            (Some(before), None) if before.text.is_some() && goes(before) => {
                plan.stop.insert(name.clone());
            }
            _ => {}
        }
    }
}

/// Units with a managed drop-in that came, went or changed.
fn changed_drop_ins(old: &Manifest, new: &Manifest) -> BTreeSet<String> {
    let paths: BTreeSet<&String> = old.files.keys().chain(new.files.keys()).collect();
    paths
        .into_iter()
        .filter(|path| old.files.get(*path) != new.files.get(*path))
        .filter_map(|path| {
            let rest = path.strip_prefix("/etc/systemd/system/")?;
            let (unit, file) = rest.split_once(".d/")?;
            file.ends_with(".conf").then(|| unit.to_owned())
        })
        .collect()
}

fn files(old: &Layout, new: &Layout, actions: &mut Vec<Action>) {
    let before: BTreeSet<&str> = old.paths().collect();
    let after: BTreeSet<&str> = new.paths().collect();
    for path in &after {
        let path = (*path).to_owned();
        if !before.contains(path.as_str()) {
            actions.push(Action::AddFile { path });
        } else if shown(old, &path) != shown(new, &path) {
            actions.push(Action::ChangeFile { path });
        }
    }
    for path in before.difference(&after) {
        actions.push(Action::RemoveFile { path: (*path).to_owned() });
    }
}

/// What somebody sees at `path`: programs of packages are reached through `bin/`.
fn shown<'a>(layout: &'a Layout, path: &str) -> (Option<&'a Entry>, bool) {
    let program = path.strip_prefix(crate::layout::BIN_DIR).map(|rest| format!("bin{rest}"));
    let entry = layout.entry(path).or_else(|| layout.tree.get(&program?));
    (entry, layout.copies.contains(path))
}

fn packages_in(old: &Manifest, new: &Manifest, actions: &mut Vec<Action>) {
    for (name, package) in &new.packages.debian {
        if old.packages.debian.get(name) != Some(package) {
            let package = match &package.version {
                Some(version) => format!("{name}={version}"),
                None => name.clone(),
            };
            actions.push(Action::InstallPackage { package });
        }
    }
}

fn packages_out(old: &Manifest, new: &Manifest, actions: &mut Vec<Action>) {
    for name in old.packages.debian.keys().filter(|name| !new.packages.debian.contains_key(*name)) {
        actions.push(Action::RemovePackage { package: name.clone() });
    }
}

fn accounts(old: &Manifest, new: &Manifest, actions: &mut Vec<Action>) {
    for (group, does) in changes(&old.groups, &new.groups) {
        actions.push(Action::Group { group, does: does.to_owned() });
    }
    for (user, does) in changes(&old.users, &new.users) {
        actions.push(Action::User { user, does: does.to_owned() });
    }
}

/// Values are not known here: a secret whose ciphertext is another may have the value that it had.
fn secrets(old: &Manifest, new: &Manifest, actions: &mut Vec<Action>) {
    let changes = new.secrets.changes(&old.secrets);
    for (secret, does) in changes.values {
        actions.push(Action::Secret { secret, does: does.to_owned() });
    }
    for (template, does) in changes.templates {
        actions.push(Action::Template { template, does: does.to_owned() });
    }
}

/// Names of what differs, each with `add`, `change` or `remove`.
pub(crate) fn changes<N: Ord + Clone, T: PartialEq>(
    old: &BTreeMap<N, T>,
    new: &BTreeMap<N, T>,
) -> Vec<(N, &'static str)> {
    let names: BTreeSet<&N> = old.keys().chain(new.keys()).collect();
    names
        .into_iter()
        .filter_map(|name| match (old.get(name), new.get(name)) {
            (None, _) => Some((name.clone(), "add")),
            (_, None) => Some((name.clone(), "remove")),
            (before, after) => (before != after).then(|| (name.clone(), "change")),
        })
        .collect()
}

fn kernel(old: &Manifest, new: &Manifest, actions: &mut Vec<Action>) {
    if old.directories != new.directories {
        for line in new.directories.iter().filter(|line| !old.directories.contains(line)) {
            actions.push(Action::Directory { line: line.clone() });
        }
    }
    for module in new.kernel.modules.difference(&old.kernel.modules) {
        actions.push(Action::LoadModule { module: module.clone() });
    }
    for (key, value) in &new.kernel.sysctl {
        if old.kernel.sysctl.get(key) != Some(value) {
            actions.push(Action::Sysctl { key: key.clone(), value: value.clone() });
        }
    }
    if let Some(hostname) = &new.kernel.hostname
        && old.kernel.hostname.as_ref() != Some(hostname)
    {
        actions.push(Action::Hostname { hostname: hostname.clone() });
    }
}

fn nftables(old: &Manifest, new: &Manifest, actions: &mut Vec<Action>) {
    for (table, does) in changes(&old.nftables, &new.nftables) {
        let does = if does == "remove" { "remove" } else { "replace" };
        actions.push(Action::Nftables { table, does: does.to_owned() });
    }
}

fn push_units(units: &BTreeSet<String>, does: UnitAction, actions: &mut Vec<Action>) {
    actions.extend(units.iter().map(|unit| Action::Unit { unit: unit.clone(), does }));
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "[Service]\nExecStart=/a\n";
    const NEW: &str = "[Service]\nExecStart=/b\n";

    fn unit(text: &str) -> Unit {
        Unit {
            text: Some(text.to_owned()),
            wanted_by: BTreeSet::from(["multi-user.target".to_owned()]),
            ..Unit::default()
        }
    }

    fn manifest(units: &[(&str, Unit)]) -> Manifest {
        let mut manifest = Manifest::empty("demo");
        manifest.units =
            units.iter().map(|(name, unit)| ((*name).to_owned(), unit.clone())).collect();
        manifest
    }

    fn plan(old: &[(&str, Unit)], new: &[(&str, Unit)]) -> String {
        let plan = unit_plan(&manifest(old), &manifest(new), Running::AsWanted);
        let mut parts = Vec::new();
        for (verb, units) in [
            ("stop", &plan.stop),
            ("reload", &plan.reload),
            ("restart", &plan.restart),
            ("start", &plan.start),
        ] {
            if !units.is_empty() {
                let units: Vec<&str> = units.iter().map(String::as_str).collect();
                parts.push(format!("{verb} {}", units.join(" ")));
            }
        }
        parts.join(", ")
    }

    #[test]
    fn units_as_nixos_would() {
        let with = |change: fn(&mut Unit), text: &str| {
            let mut unit = unit(text);
            change(&mut unit);
            unit
        };
        let a = "a.service";
        for (old, new, expected) in [
            (vec![], vec![(a, unit(OLD))], "start a.service"),
            (vec![(a, unit(OLD))], vec![], "stop a.service"),
            (vec![(a, unit(OLD))], vec![(a, unit(OLD))], ""),
            (vec![(a, unit(OLD))], vec![(a, unit(NEW))], "stop a.service, start a.service"),
            (
                vec![(a, unit(OLD))],
                vec![(a, with(|u| u.on_change = OnChange::Restart, NEW))],
                "restart a.service",
            ),
            (
                vec![(a, unit(OLD))],
                vec![(a, with(|u| u.on_change = OnChange::Reload, NEW))],
                "reload a.service",
            ),
            (vec![(a, unit(OLD))], vec![(a, with(|u| u.on_change = OnChange::Nothing, NEW))], ""),
            (vec![(a, unit(OLD))], vec![(a, with(|u| u.only_manual_start = true, NEW))], ""),
            (vec![], vec![(a, with(|u| u.only_manual_start = true, NEW))], ""),
            (vec![(a, with(|u| u.keep_on_removal = true, OLD))], vec![], ""),
            (
                vec![(a, unit(OLD))],
                vec![(a, with(|u| u.restart_triggers.push("x".into()), OLD))],
                "stop a.service, start a.service",
            ),
            (
                vec![(a, unit(OLD))],
                vec![(a, with(|u| u.reload_triggers.push("x".into()), OLD))],
                "reload a.service",
            ),
            (
                vec![(a, unit(OLD))],
                vec![(a, with(|u| u.reload_triggers.push("x".into()), NEW))],
                "stop a.service, start a.service",
            ),
            (
                vec![(a, unit("[Unit]\nRefuseManualStop=yes\n[Service]\nExecStart=/a\n"))],
                vec![(a, unit("[Unit]\nRefuseManualStop=yes\n[Service]\nExecStart=/b\n"))],
                "",
            ),
            (vec![], vec![(a, unit("[Unit]\nRefuseManualStart=true\n"))], ""),
            (vec![(a, unit("[Unit]\nRefuseManualStop=on\n"))], vec![], ""),
            (
                vec![("a.socket", unit(OLD)), (a, unit(OLD))],
                vec![
                    ("a.socket", unit(OLD)),
                    (a, unit("[Service]\nExecStart=/b\nX-NotSocketActivated=yes\n")),
                ],
                "stop a.service, start a.service",
            ),
            (vec![("-.mount", unit(OLD))], vec![("-.mount", unit(NEW))], "reload -.mount"),
            (vec![("a.slice", unit(OLD))], vec![("a.slice", unit(NEW))], ""),
            (vec![("a.path", unit(OLD))], vec![("a.path", unit(NEW))], ""),
            (vec![("a.mount", unit(OLD))], vec![("a.mount", unit(NEW))], "restart a.mount"),
            (vec![("a.swap", unit(OLD))], vec![("a.swap", unit(NEW))], "restart a.swap"),
            (vec![("a.timer", unit(OLD))], vec![("a.timer", unit(NEW))], "restart a.timer"),
            (vec![("a.target", unit(OLD))], vec![("a.target", unit(NEW))], ""),
            (
                vec![("a.socket", unit(OLD))],
                vec![("a.socket", unit(NEW))],
                "stop a.socket, start a.socket",
            ),
            (
                vec![("a.socket", unit(OLD)), (a, unit(OLD))],
                vec![("a.socket", unit(OLD)), (a, unit(NEW))],
                "stop a.service a.socket, start a.socket",
            ),
            (
                vec![(a, with(|u| u.wanted_by.clear(), OLD))],
                vec![(a, with(|u| u.wanted_by.clear(), NEW))],
                "",
            ),
            (
                vec![(a, with(|u| u.wanted_by.clear(), OLD))],
                vec![(a, unit(OLD))],
                "start a.service",
            ),
            (
                vec![("ssh.service", with(|u| u.text = None, ""))],
                vec![(
                    "ssh.service",
                    with(
                        |u| {
                            u.text = None;
                            u.restart_triggers.push("x".into())
                        },
                        "",
                    ),
                )],
                "stop ssh.service, start ssh.service",
            ),
        ] {
            assert_eq!(plan(&old, &new), expected, "{old:?}\n{new:?}");
        }
    }

    #[test]
    fn a_stopped_unit_stays_stopped_unless_it_changed() {
        let none = BTreeSet::new();
        let same = manifest(&[("a.service", unit(OLD))]);
        assert_eq!(unit_plan(&same, &same, Running::Active(&none)), UnitPlan::default());
        let changed = manifest(&[("a.service", unit(NEW))]);
        let plan = unit_plan(&same, &changed, Running::Active(&none));
        assert_eq!((plan.stop.len(), plan.start.len()), (0, 1));
    }

    #[test]
    fn a_unit_of_the_host_reads_what_comes_and_goes_with_its_triggers() {
        let running = BTreeSet::from(["ssh.service".to_owned()]);
        let ssh = Unit { reload_triggers: vec!["x".to_owned()], ..Unit::default() };
        let (without, with) = (manifest(&[]), manifest(&[("ssh.service", ssh)]));
        for (old, new) in [(&without, &with), (&with, &without)] {
            let plan = unit_plan(old, new, Running::Active(&running));
            assert_eq!(plan, UnitPlan { reload: running.clone(), ..UnitPlan::default() });
        }
    }

    #[test]
    fn running_instances_follow_their_template() {
        let running = BTreeSet::from(["a@1.service".to_owned()]);
        let template =
            |text| manifest(&[("a@.service", Unit { wanted_by: BTreeSet::new(), ..unit(text) })]);
        let plan = unit_plan(&template(OLD), &template(NEW), Running::Active(&running));
        assert_eq!((plan.stop, plan.start), (running.clone(), running));
    }

    #[test]
    fn equal_generations_differ_in_nothing() {
        let same = manifest(&[("a.service", unit(OLD))]);
        assert_eq!(diff(&same, &same, Running::AsWanted).unwrap(), []);
    }
}
