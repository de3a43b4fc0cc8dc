//! Edges between resources: both ends exist, no edge leads back to where it came from, and a switch
//! can keep it.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use cairn_generation::manifest::{Manifest, OrderEdge};
use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use super::{Work, raw};

pub(super) fn add(work: &mut Work<'_>, edges: &[raw::Edge]) {
    for edge in edges {
        let ends = [("before", &edge.before), ("after", &edge.after)];
        let mut fine = true;
        for (field, end) in ends {
            fine &= check_end(work, field, end);
        }
        if fine && let Some(why) = impossible(&edge.before, &edge.after) {
            let message = format!("`{}` cannot come before `{}`: {why}", edge.before, edge.after);
            work.fault("order::impossible", &["order"], message, HELP);
        } else if fine {
            let edge = OrderEdge { before: edge.before.clone(), after: edge.after.clone() };
            work.draft.manifest.order.insert(edge);
        }
    }
    if let Some(cycle) = cycle(&work.draft.manifest) {
        let message = format!("these resources wait for each other: {}", cycle.join(" → "));
        work.fault("order::cycle", &["order"], message, "remove one of the edges");
    }
}

/// The order of a switch by kind of resource; all of one kind but units are brought in one go.
const KINDS: [&str; 7] = ["packages", "groups", "users", "files", "nftables", "units", "checks"];
const HELP: &str = "a switch goes packages, groups, users, files, nftables, units, checks; \
    edges order units among themselves";

/// Why a switch cannot bring `before` earlier than `after`.
fn impossible(before: &str, after: &str) -> Option<&'static str> {
    let rank = |resource: &str| {
        let kind = resource.split('/').next();
        KINDS.iter().position(|name| Some(*name) == kind)
    };
    match rank(before).cmp(&rank(after)) {
        Ordering::Less => None,
        Ordering::Equal if before.starts_with("units/") => None,
        Ordering::Equal => Some("they change in the same moment"),
        Ordering::Greater => Some("a switch brings them the other way round"),
    }
}

fn check_end(work: &mut Work<'_>, field: &str, end: &str) -> bool {
    let names = names(&work.draft.manifest);
    if names.iter().any(|name| name == end) {
        return true;
    }
    let help =
        cairn_lang::did_you_mean(end, names.iter().map(String::as_str)).unwrap_or_else(|| {
            "resources are named by kind and name: `units/foo.service`, `files//etc/foo`".to_owned()
        });
    let message = format!("there is no resource `{end}`");
    work.fault("order::unknown-resource", &["order", field], message, &help);
    false
}

fn names(manifest: &Manifest) -> Vec<String> {
    let named = |kind: &'static str| move |name: &String| format!("{kind}/{name}");
    let mut names: Vec<_> = manifest.files.keys().map(named("files")).collect();
    names.extend(manifest.units.keys().map(named("units")));
    names.extend(manifest.users.keys().map(named("users")));
    names.extend(manifest.groups.keys().map(named("groups")));
    names.extend(manifest.nftables.keys().map(named("nftables")));
    names.extend(manifest.checks.keys().map(named("checks")));
    names.extend(manifest.packages.debian.keys().map(named("packages")));
    names
}

/// The first cycle, in the order of the alphabet, with its start repeated at its end.
fn cycle(manifest: &Manifest) -> Option<Vec<String>> {
    let mut graph = DiGraph::<&str, ()>::new();
    let mut nodes: BTreeMap<&str, NodeIndex> = BTreeMap::new();
    for edge in &manifest.order {
        let [before, after] = [&edge.before, &edge.after]
            .map(|end| *nodes.entry(end.as_str()).or_insert_with(|| graph.add_node(end.as_str())));
        graph.add_edge(before, after, ());
    }
    let names = |component: &[NodeIndex]| {
        let mut names: Vec<_> =
            component.iter().filter_map(|node| graph.node_weight(*node).copied()).collect();
        names.sort_unstable();
        names
    };
    let mut cyclic: Vec<Vec<&str>> = tarjan_scc(&graph)
        .iter()
        .filter(|component| {
            component.len() > 1
                || component.iter().any(|node| graph.find_edge(*node, *node).is_some())
        })
        .map(|component| names(component))
        .collect();
    cyclic.sort_unstable();
    let component = cyclic.into_iter().next()?;
    Some(walk(manifest, &component))
}

/// Follows edges within a component until a resource comes again.
fn walk(manifest: &Manifest, component: &[&str]) -> Vec<String> {
    let mut path: Vec<&str> = component.first().copied().into_iter().collect();
    while let Some(last) = path.last().copied() {
        let next = manifest
            .order
            .iter()
            .filter(|edge| edge.before == last)
            .map(|edge| edge.after.as_str())
            .find(|after| component.contains(after));
        let Some(next) = next else { break };
        let seen = path.iter().position(|name| *name == next);
        path.push(next);
        if let Some(start) = seen {
            path.drain(..start);
            break;
        }
    }
    path.into_iter().map(str::to_owned).collect()
}
