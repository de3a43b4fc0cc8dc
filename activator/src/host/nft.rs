//! Whole nftables tables, in one transaction, and nobody else's.

use std::collections::{BTreeMap, BTreeSet};

use cairn_generation::Manifest;
use cairn_generation::manifest::NftTable;
use cairn_generation::wire::{Drift, DriftKind};

use crate::error::Error;
use crate::host::command::{Run, has};

/// Brings our tables to `to`; tables that `known` had and `to` does not are deleted with it.
///
/// # Errors
/// When nft refuses: no table has changed then.
pub(crate) fn converge(known: &[&Manifest], to: &Manifest) -> Result<(), Error> {
    if known.iter().chain([&to]).all(|manifest| manifest.nftables.is_empty()) {
        return Ok(());
    }
    if !has("nft") {
        return match to.nftables.is_empty() {
            true => Ok(()),
            false => Err(Error::refused("the host has no nft: add the package nftables")),
        };
    }
    let script = transaction(known, to, &present()?);
    if script.is_empty() {
        return Ok(());
    }
    Run::new("nft").args(["-f", "-"]).input(script).succeed().map(drop)
}

/// What nft says to the tables of `to`.
///
/// # Errors
/// When it refuses them, or the host has no nft.
pub(crate) fn check(to: &Manifest, comes_with_nft: bool) -> Result<(), Error> {
    if to.nftables.is_empty() {
        return Ok(());
    }
    for (key, table) in &to.nftables {
        validate(key, table)?;
    }
    if !has("nft") {
        return match comes_with_nft {
            true => Ok(()),
            false => Err(Error::refused("the host has no nft: add the package nftables")),
        };
    }
    let script: String = to.nftables.values().map(replace).collect();
    let ended = Run::new("nft").args(["-c", "-f", "-"]).input(script).end()?;
    match ended.success {
        true => Ok(()),
        false => Err(Error::refused(format!("nft refuses the firewall: {}", ended.said()))),
    }
}

/// Tables of `manifest` that the kernel does not have, or has otherwise.
///
/// # Errors
/// When nft does not answer.
pub(crate) fn drift(manifest: &Manifest) -> Result<Vec<Drift>, Error> {
    if manifest.nftables.is_empty() || !has("nft") {
        return Ok(Vec::new());
    }
    let (present, should) = (present()?, as_the_kernel_says(manifest));
    let mut drift = Vec::new();
    for table in manifest.nftables.values().map(name) {
        let wrong = |what| Drift::new(DriftKind::Nftables, &table, what);
        if !present.contains(&table) {
            drift.push(wrong("is gone"));
        } else if let Some(should) = should.get(&table) {
            let words = ["-s", "list", "table"].into_iter().chain(table.split(' '));
            let found = listed(&Run::new("nft").args(words).succeed()?);
            if found.get(&table) != Some(should) {
                drift.push(wrong("was changed"));
            }
        }
    }
    Ok(drift)
}

/// Writes the tables of these names anew, in one transaction.
///
/// # Errors
/// When nft refuses: no table has changed then.
pub(crate) fn write(manifest: &Manifest, names: &BTreeSet<&str>) -> Result<(), Error> {
    let tables = manifest.nftables.values().filter(|table| names.contains(name(table).as_str()));
    let script: String = tables.map(replace).collect();
    if script.is_empty() {
        return Ok(());
    }
    Run::new("nft").args(["-f", "-"]).input(script).succeed().map(drop)
}

/// The tables as nft would list them: loaded into a network of their own, and read from there. None
/// for tables that name what only the host's network has.
fn as_the_kernel_says(manifest: &Manifest) -> BTreeMap<String, Vec<String>> {
    let alone = |tables: &mut dyn Iterator<Item = &NftTable>| {
        let script: String = tables.map(replace).collect();
        let run = Run::new("unshare").args(["--net", "--", "/bin/sh", "-c", APART]).input(script);
        run.end().ok().filter(|ended| ended.success).map(|ended| listed(&ended.output))
    };
    if let Some(tables) = alone(&mut manifest.nftables.values()) {
        return tables;
    }
    let each = manifest.nftables.values().filter_map(|table| alone(&mut std::iter::once(table)));
    each.flatten().collect()
}

const APART: &str = "nft -f - && nft -s list ruleset";

/// The lines of each table in a listing, without what rules add to sets while they work.
fn listed(listing: &str) -> BTreeMap<String, Vec<String>> {
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let (mut table, mut filled_by_rules, mut inside) = (String::new(), false, false);
    for line in listing.lines() {
        let words = line.trim();
        if let Some(rest) = line.strip_prefix("table ") {
            table = rest.trim_end_matches('{').trim().to_owned();
            tables.entry(table.clone()).or_default();
            continue;
        }
        if words.starts_with("set ") || words.starts_with("map ") || words.starts_with("chain ") {
            filled_by_rules = false;
        }
        filled_by_rules |=
            words.starts_with("flags ") && (words.contains("dynamic") || words.contains("timeout"));
        inside |= filled_by_rules && words.starts_with("elements = {");
        let skipped = inside;
        inside &= !words.ends_with('}');
        if !skipped && let Some(lines) = tables.get_mut(&table) {
            lines.push(words.to_owned());
        }
    }
    tables
}

fn transaction(known: &[&Manifest], to: &Manifest, present: &BTreeSet<String>) -> String {
    let mut script = String::new();
    let mut deleted = BTreeSet::new();
    for (key, table) in known.iter().flat_map(|manifest| &manifest.nftables) {
        if !to.nftables.contains_key(key) && present.contains(&name(table)) && deleted.insert(key) {
            script.push_str(&format!("delete table {}\n", name(table)));
        }
    }
    for (key, table) in &to.nftables {
        // A table that nobody changed keeps its counters and sets.
        let same = known.iter().all(|manifest| manifest.nftables.get(key) == Some(table));
        if !same || !present.contains(&name(table)) {
            script.push_str(&replace(table));
        }
    }
    script
}

/// nft 1.0.6 has no `destroy table`: an empty one is declared, so that there is one to delete.
fn replace(table: &NftTable) -> String {
    let name = name(table);
    format!("table {name} {{}}\ndelete table {name}\ntable {name} {{\n{}\n}}\n", table.body)
}

fn name(table: &NftTable) -> String {
    format!("{} {}", table.family, table.name)
}

fn present() -> Result<BTreeSet<String>, Error> {
    let listed = Run::new("nft").args(["list", "tables"]).succeed()?;
    Ok(listed
        .lines()
        .filter_map(|line| line.strip_prefix("table "))
        .map(|name| name.trim().to_owned())
        .collect())
}

/// The body must stay between its braces: what it opens it closes.
fn validate(key: &str, table: &NftTable) -> Result<(), Error> {
    const FAMILIES: [&str; 6] = ["ip", "ip6", "inet", "arp", "bridge", "netdev"];
    let mut named = table.name.bytes();
    let plain = named.next().is_some_and(|c| c.is_ascii_alphabetic() || c == b'_')
        && named.all(|c| c.is_ascii_alphanumeric() || b"_-".contains(&c));
    if !FAMILIES.contains(&table.family.as_str()) || !plain {
        return Err(Error::refused(format!("`{key}` is no nftables table's family and name")));
    }
    match is_balanced(&table.body) {
        true => Ok(()),
        false => {
            Err(Error::refused(format!("the braces of the nftables table `{key}` do not match")))
        }
    }
}

fn is_balanced(body: &str) -> bool {
    let (mut depth, mut quoted, mut comment) = (0_i64, false, false);
    for c in body.chars() {
        match c {
            '\n' => comment = false,
            _ if comment => {}
            '"' => quoted = !quoted,
            _ if quoted => {}
            '#' => comment = true,
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            return false;
        }
    }
    depth == 0 && !quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(tables: &[(&str, &str)]) -> Manifest {
        let mut manifest = Manifest::empty("demo");
        for (name, body) in tables {
            let table =
                NftTable { family: "inet".into(), name: (*name).into(), body: (*body).into() };
            manifest.nftables.insert(format!("inet {name}"), table);
        }
        manifest
    }

    #[test]
    fn one_transaction_for_our_tables_alone() {
        let (old, new) = (with(&[("a", "x"), ("b", "y")]), with(&[("b", "z"), ("c", "w")]));
        let present = BTreeSet::from(["inet a".to_owned(), "inet b".to_owned()]);
        insta::assert_snapshot!(transaction(&[&old], &new, &present), @"
delete table inet a
table inet b {}
delete table inet b
table inet b {
z
}
table inet c {}
delete table inet c
table inet c {
w
}
");
        assert_eq!(transaction(&[&old], &old, &present), "");
    }

    #[test]
    fn a_body_stays_inside() {
        assert!(is_balanced("chain a { # }\n log prefix \"}\" }"));
        assert!(!is_balanced("}\ntable inet other {"));
        assert!(!is_balanced("{"));
    }
}
