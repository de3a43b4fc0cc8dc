//! Fleets as people write them, of any size: an inventory by site, roles as groups, modules with
//! options of their own, helpers, users, files of single hosts, and hosts that read each other.

use std::fmt::Write as _;

/// Files by their paths in the fleet.
pub(crate) type Files = Vec<(String, String)>;

/// How large a fleet is.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) hosts: usize,
    pub(crate) files: usize,
}

/// Files that every fleet has, whatever its size.
const FIXED: usize = 9 + ROLES.len();

const ROLES: [&str; 6] = ["agent", "database", "gateway", "monitor", "server", "web"];

/// Hosts at one site; the first is its server, the second its monitor, the third its gateway.
const SITE: usize = 50;

/// A fleet of this size.
pub(crate) fn fleet(size: Size) -> Files {
    let sites = size.hosts.div_ceil(SITE);
    let rest = size.files.saturating_sub(FIXED + sites);
    let (services, users) = ((rest / 4).max(ROLES.len()), (rest / 8).max(2));
    let own = rest.saturating_sub(services + users).min(size.hosts);
    let mut files: Files = Vec::new();
    let mut add = |path: &str, text: String| files.push((path.to_owned(), text));
    add("cairn.nix", include_str!("fleet/cairn.nix").to_owned());
    add("packages.nix", include_str!("fleet/packages.nix").to_owned());
    add("lib/default.nix", include_str!("fleet/lib.nix").to_owned());
    add("lib/net.nix", include_str!("fleet/net.nix").to_owned());
    add("lib/service.nix", include_str!("fleet/service.nix").to_owned());
    add("modules/base.nix", include_str!("fleet/base.nix").to_owned());
    add("modules/default.nix", listed("./service-", services, &["./base.nix", "../users"]));
    add("users/default.nix", listed("./user-", users, &[]));
    add("inventory/default.nix", inventory(sites));
    for (role, text) in ROLES.iter().zip([
        include_str!("fleet/agent.nix"),
        include_str!("fleet/database.nix"),
        include_str!("fleet/gateway.nix"),
        include_str!("fleet/monitor.nix"),
        include_str!("fleet/server.nix"),
        include_str!("fleet/web.nix"),
    ]) {
        add(&format!("roles/{role}.nix"), text.to_owned());
    }
    for number in 0..sites {
        let hosts = (size.hosts - number * SITE).min(SITE);
        add(&format!("inventory/site-{number}.nix"), site(number, hosts));
    }
    for number in 0..services {
        let text = include_str!("fleet/module.nix").replace("NUMBER", &number.to_string());
        let text = text.replace("ROLE", ROLES[number % ROLES.len()]);
        add(&format!("modules/service-{number}.nix"), text);
    }
    for number in 0..users {
        let text = include_str!("fleet/user.nix").replace("NUMBER", &number.to_string());
        add(&format!("users/user-{number}.nix"), text);
    }
    for number in 0..own {
        // Spread over all sites.
        let host = number * size.hosts / own;
        let text = include_str!("fleet/host.nix").replace("NUMBER", &number.to_string());
        add(&format!("hosts/{}.nix", name(host)), text);
    }
    files
}

/// A host's name, by its number in the fleet.
pub(crate) fn name(host: usize) -> String {
    format!("{}-{}-{}", role(host % SITE), host / SITE, host % SITE)
}

fn role(number: usize) -> &'static str {
    match number {
        0 => "server",
        1 => "monitor",
        2 => "gateway",
        _ if number % 8 == 3 => "database",
        _ if number.is_multiple_of(3) => "web",
        _ => "agent",
    }
}

/// A module that imports numbered others.
fn listed(prefix: &str, count: usize, more: &[&str]) -> String {
    let mut text = "{\n  imports = [\n".to_owned();
    for path in more {
        let _ = writeln!(text, "    {path}");
    }
    for number in 0..count {
        let _ = writeln!(text, "    {prefix}{number}.nix");
    }
    text + "  ];\n}\n"
}

fn inventory(sites: usize) -> String {
    let mut text =
        "# Every host, by name.\n{ lib }:\n\nlib.foldl' (all: site: all // site) { } [\n"
            .to_owned();
    for number in 0..sites {
        let _ = writeln!(text, "  (import ./site-{number}.nix)");
    }
    text + "]\n"
}

fn site(site: usize, hosts: usize) -> String {
    let mut text = format!("# What stands at site {site}.\n{{\n");
    for number in 0..hosts {
        let host = site * SITE + number;
        let _ = write!(
            text,
            "  {} = {{\n    site = {site};\n    number = {number};\n    role = \"{}\";\n    \
             address = \"10.{site}.0.{}\";\n    racks = [ {} {} ];\n  }};\n",
            name(host),
            role(number),
            number + 10,
            number % 4,
            number % 7,
        );
    }
    text + "}\n"
}
