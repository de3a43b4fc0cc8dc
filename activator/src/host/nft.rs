//! Whole nftables tables, in one transaction, and nobody else's.

use std::collections::BTreeSet;

use cairn_generation::Manifest;
use cairn_generation::manifest::NftTable;

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

/// Our tables that the kernel does not have.
pub(crate) fn missing(manifest: &Manifest) -> Vec<String> {
    if manifest.nftables.is_empty() || !has("nft") {
        return Vec::new();
    }
    let present = present().unwrap_or_default();
    let tables = manifest.nftables.values().map(name);
    tables.filter(|table| !present.contains(table)).collect()
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
