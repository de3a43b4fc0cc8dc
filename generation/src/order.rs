//! In which order units are touched where a manifest asks for one.
//!
//! Between kinds of resources a switch has an order of its own (packages, accounts, files, kernel,
//! tables, units, checks). Edges between units refine its last part: a unit is touched when those
//! before it are up, and stopped when those after it are down.

use std::collections::{BTreeMap, BTreeSet};

use petgraph::Direction;
use petgraph::algo::tarjan_scc;
use petgraph::graphmap::DiGraphMap;

use crate::manifest::OrderEdge;

/// Groups `units` so that each unit stands in a later group than those that must come before it,
/// also where the edges lead through units that are not among them. Without edges it is one group.
/// Units that wait for each other, which the compiler refuses, share a group.
pub fn batches(order: &BTreeSet<OrderEdge>, units: &BTreeSet<String>) -> Vec<BTreeSet<String>> {
    let levels = levels(order, units);
    let mut batches: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for unit in units {
        let level = levels.get(unit.as_str()).copied().unwrap_or(0);
        batches.entry(level).or_default().insert(unit.clone());
    }
    batches.into_values().collect()
}

/// How many of `units` stand, at most, on a way that leads to each unit of an edge.
fn levels<'a>(
    order: &'a BTreeSet<OrderEdge>,
    units: &BTreeSet<String>,
) -> BTreeMap<&'a str, usize> {
    let graph: DiGraphMap<&str, ()> = order.iter().filter_map(unit_edge).collect();
    let mut levels: BTreeMap<&str, usize> = BTreeMap::new();
    // Components come with those that nothing follows first.
    for component in tarjan_scc(&graph).iter().rev() {
        let before = component
            .iter()
            .flat_map(|unit| graph.neighbors_directed(unit, Direction::Incoming))
            .filter_map(|unit| Some(levels.get(unit)? + usize::from(units.contains(unit))));
        let level = before.max().unwrap_or(0);
        levels.extend(component.iter().map(|unit| (*unit, level)));
    }
    levels
}

fn unit_edge(edge: &OrderEdge) -> Option<(&str, &str)> {
    Some((edge.before.strip_prefix("units/")?, edge.after.strip_prefix("units/")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batched(edges: &[(&str, &str)], units: &[&str]) -> Vec<Vec<String>> {
        let order = edges
            .iter()
            .map(|(before, after)| OrderEdge {
                before: format!("units/{before}"),
                after: format!("units/{after}"),
            })
            .collect();
        let units = units.iter().map(|unit| (*unit).to_owned()).collect();
        batches(&order, &units).into_iter().map(|batch| batch.into_iter().collect()).collect()
    }

    #[test]
    fn without_edges_all_units_are_touched_at_once() {
        assert_eq!(batched(&[], &["a", "b"]), [["a", "b"]]);
        assert!(batched(&[("a", "b")], &[]).is_empty());
    }

    #[test]
    fn a_unit_waits_for_all_before_it() {
        let diamond = [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")];
        assert_eq!(
            batched(&diamond, &["a", "b", "c", "d", "other"]),
            [vec!["a", "other"], vec!["b", "c"], vec!["d"]]
        );
    }

    #[test]
    fn a_way_through_a_unit_that_stays_counts() {
        assert_eq!(batched(&[("z", "m"), ("m", "a")], &["a", "z"]), [["z"], ["a"]]);
        assert_eq!(batched(&[("z", "m"), ("m", "a")], &["a"]), [["a"]]);
    }

    #[test]
    fn a_circle_ends() {
        let circle = [("a", "b"), ("b", "a"), ("b", "c")];
        assert_eq!(batched(&circle, &["a", "b", "c"]), [vec!["a", "b"], vec!["c"]]);
        assert_eq!(batched(&[("a", "a")], &["a"]), [["a"]]);
    }
}
