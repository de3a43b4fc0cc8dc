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

/// The tables as nft would list them: loaded into a network of their own, with interfaces of the names
/// that they look up, and read from there. None for tables that it does not take there.
fn as_the_kernel_says(manifest: &Manifest) -> BTreeMap<String, Vec<String>> {
    let alone = |tables: &mut dyn Iterator<Item = &NftTable>| {
        let tables: Vec<&NftTable> = tables.collect();
        let interfaces: BTreeSet<&str> =
            tables.iter().flat_map(|table| interfaces(&table.body)).collect();
        let script: String = tables.into_iter().map(replace).collect();
        let run = Run::new("unshare")
            .args(["--net", "--", "/bin/sh", "-c", APART, "apart"])
            .args(interfaces)
            .input(script);
        run.end().ok().filter(|ended| ended.success).map(|ended| listed(&ended.output))
    };
    if let Some(tables) = alone(&mut manifest.nftables.values()) {
        return tables;
    }
    let each = manifest.nftables.values().filter_map(|table| alone(&mut std::iter::once(table)));
    each.flatten().collect()
}

/// The kernel keeps such an interface by its number, so that there must be one.
const APART: &str = "for name; do
    ip link add \"$name\" type dummy || ip link add \"$name\" type bridge
done >/dev/null 2>&1
nft -f - && nft -s list ruleset";

/// Names of interfaces that nft looks up when it reads `body`.
fn interfaces(body: &str) -> BTreeSet<&str> {
    let is_name = |word: &&str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-.@:".contains(c);
        !word.is_empty() && word.len() <= 15 && word.chars().all(plain) && *word != "lo"
    };
    let mut names = BTreeSet::new();
    let mut rest = body;
    while let Some(at) = ["iif ", "oif ", "device ", "devices "]
        .iter()
        .filter_map(|key| Some(rest.find(key)? + key.len()))
        .min()
    {
        rest = rest.get(at..).unwrap_or_default();
        let text = rest.trim_start_matches([' ', '=', '!']);
        let words = match text.strip_prefix('{') {
            Some(inside) => inside.split('}').next().unwrap_or_default(),
            None => text.split([' ', ';', '\n']).next().unwrap_or_default(),
        };
        let words = words.split(',').map(|word| word.trim().trim_matches('"'));
        names.extend(words.filter(is_name));
    }
    names
}

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

/// Whether `manifest` surely lets nobody connect to this TCP port: a chain of the input drops what
/// it does not accept, and nothing that it accepts can be that. What is not understood may be.
pub(crate) fn shuts(manifest: &Manifest, port: u16) -> bool {
    manifest.nftables.values().any(|table| {
        let chains = chains(&table.body);
        let drops = |rules: &&Vec<String>| {
            rules.iter().any(|rule| rule.contains("hook input"))
                && rules.iter().any(|rule| rule.contains("policy drop"))
        };
        let mut shut = chains.values().filter(drops);
        shut.any(|rules| !lets_in(rules, &chains, &table.body, port, 0))
    })
}

fn lets_in(
    rules: &[String],
    chains: &BTreeMap<String, Vec<String>>,
    body: &str,
    port: u16,
    depth: u8,
) -> bool {
    rules.iter().any(|rule| {
        let mut targets = words_after(rule, "jump").chain(words_after(rule, "goto"));
        let leads = targets.any(|target| match chains.get(target) {
            Some(rules) if depth < 16 => lets_in(rules, chains, body, port, depth + 1),
            _ => true,
        });
        // A comment ends a rule, and may say anything.
        let rule = rule.split(" comment \"").next().unwrap_or(rule);
        let elsewhere = rule.contains("vmap @") || rule.contains("queue");
        let accepts =
            rule.split(|c: char| c.is_whitespace() || c == ',').any(|word| word == "accept");
        leads || elsewhere || (accepts && may_be(rule, body, port))
    })
}

/// Whether a rule that accepts may accept a new connection to this port from another host.
fn may_be(rule: &str, body: &str, port: u16) -> bool {
    let others = ["icmp", "udp dport", "udp sport", "igmp"];
    if !rule.contains("tcp") && others.iter().any(|other| rule.contains(other)) {
        return false;
    }
    if rule.contains("ct state") {
        // Where each state has its verdict, that of new connections is told apart.
        let accepted = ["new : accept", "new: accept", "new:accept", "!="];
        return match rule.contains("vmap") {
            true => accepted.iter().any(|verdict| rule.contains(verdict)),
            false => rule.contains("new") || rule.contains("!="),
        };
    }
    let values = |key: &str| rule.split_once(key).map(|(_, rest)| set(rest));
    if let Some(names) = values("iifname ").or_else(|| values("iif ")) {
        let lo = |name: &&str| name.trim_matches('"') == "lo";
        if names.iter().all(|name| lo(&name.as_str())) {
            return false;
        }
    }
    let Some(ports) = values("dport ") else { return true };
    ports.iter().any(|one| match (one.strip_prefix('@'), one.split_once('-')) {
        (Some(name), _) => fills(body, name),
        (None, Some((low, high))) => match (low.parse::<u16>(), high.parse::<u16>()) {
            (Ok(low), Ok(high)) => (low..=high).contains(&port),
            _ => true,
        },
        (None, None) => one.parse::<u16>().map_or(true, |one| one == port),
    })
}

/// The words of `{ a, b }`, or the one word that stands there.
fn set(text: &str) -> Vec<String> {
    let text = text.trim_start();
    if text.starts_with("!=") {
        // All but that: whatever is asked for may be among it.
        return vec!["?".to_owned()];
    }
    match text.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        Some((inside, _)) => inside.split(',').map(|word| word.trim().to_owned()).collect(),
        None => text.split_whitespace().next().map(str::to_owned).into_iter().collect(),
    }
}

/// Whether the set `name` of a table has anything in it from the start.
fn fills(body: &str, name: &str) -> bool {
    let begin = body.split_once(&format!("set {name} {{"));
    begin.is_none_or(|(_, rest)| {
        rest.split_once("\n}").map_or(rest, |(set, _)| set).contains("elements")
    })
}

fn words_after<'a>(rule: &'a str, word: &'a str) -> impl Iterator<Item = &'a str> {
    let words = rule.split_whitespace();
    let next = rule.split_whitespace().skip(1);
    words
        .zip(next)
        .filter(move |(one, _)| *one == word)
        .map(|(_, next)| next.trim_end_matches([',', ';', '}']))
}

/// Chains of a table's body, each with its rules: a rule goes to the end of its line, or of the
/// braces that it opens.
fn chains(body: &str) -> BTreeMap<String, Vec<String>> {
    let mut chains: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let (mut chain, mut rule, mut open) = (None::<String>, String::new(), 0_i64);
    for line in body.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        let begins = line.strip_prefix("chain ").and_then(|rest| rest.strip_suffix('{'));
        if let (None, Some(name)) = (&chain, begins) {
            chains.entry(name.trim().to_owned()).or_default();
            chain = Some(name.trim().to_owned());
            continue;
        }
        let Some(name) = &chain else { continue };
        open += line.matches('{').count() as i64 - line.matches('}').count() as i64;
        if open < 0 {
            (chain, open) = (None, 0);
            continue;
        }
        rule = format!("{rule} {line}");
        if open == 0
            && let Some(rules) = chains.get_mut(name)
        {
            rules.push(std::mem::take(&mut rule));
        }
    }
    chains
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
    fn a_port_is_shut_only_where_nothing_can_open_it() {
        let state =
            "ct state vmap {\n invalid : drop,\n established : accept,\n new : jump allow,\n}";
        let body = |rules: &str, allow: &str| {
            format!(
                "chain input {{\n type filter hook input priority filter; policy drop;\n iifname {{ \"lo\" }} accept\n {state}\n{rules}\n}}\n\
                 chain allow {{\n{allow}\n}}\nset none {{\n type inet_service\n}}\nset some {{\n type inet_service\n elements = {{ 22 }}\n}}\n"
            )
        };
        for (rules, allow, shut) in [
            ("", "", true),
            ("", "tcp dport 22 accept", false),
            ("", "tcp dport { 80, 20-30 } accept", false),
            ("", "tcp dport { 80, 443 } accept", true),
            ("", "udp dport 22 accept\nicmp type echo-request accept", true),
            ("", "iifname \"wg0\" accept", false),
            ("", "ip saddr 10.0.0.0/8 accept", false),
            ("", "meta l4proto . th dport @none accept", true),
            ("", "tcp dport @some accept", false),
            ("", "tcp dport ssh accept", false),
            ("ct state established,related accept", "", true),
            ("jump elsewhere", "", false),
            ("iifname vmap @zones", "", false),
            ("iifname != \"lo\" accept", "", false),
            ("tcp dport != 80 accept", "", false),
            ("tcp dport 22 accept comment \"no icmp\"", "", false),
            ("tcp dport 80 accept comment \"tcp dport 22 accept\"", "", true),
            ("accept", "", false),
        ] {
            let manifest = with(&[("fw", &body(rules, allow))]);
            assert_eq!(shuts(&manifest, 22), shut, "{rules} | {allow}");
        }
        assert!(!shuts(&with(&[("fw", "chain input { type filter hook input priority 0; }")]), 22));
        assert!(!shuts(&Manifest::empty("demo"), 22));
    }

    #[test]
    fn interfaces_that_are_looked_up() {
        let body = "chain a {\n iifname \"eth9\" accept\n iif \"eth0\" oif != { wan, \"lan.1\" } drop\n}\n\
                    flowtable f {\n devices = { eth0, eth1 }\n}\nchain b { type filter hook ingress device \"eth2\" priority 0; }";
        let found: Vec<&str> = interfaces(body).into_iter().collect();
        assert_eq!(found, ["eth0", "eth1", "eth2", "lan.1", "wan"]);
        assert!(interfaces("chain a { iif lo accept }").is_empty());
    }

    #[test]
    fn a_body_stays_inside() {
        assert!(is_balanced("chain a { # }\n log prefix \"}\" }"));
        assert!(!is_balanced("}\ntable inet other {"));
        assert!(!is_balanced("{"));
    }
}
