//! sysctls, modules, the host's name; nftables tables and tmpfiles lines.

use cairn_generation::manifest::{Kernel, NftTable};
use cairn_lang::literal::hostname;

use super::{Work, raw};

pub(super) fn add(work: &mut Work<'_>, raw: &raw::Resources) {
    let kernel = &raw.kernel;
    for (key, value) in &kernel.sysctl {
        check_sysctl(work, key, value);
    }
    for module in &kernel.modules {
        check_module(work, module);
    }
    if let Some(name) = &kernel.hostname {
        check_hostname(work, name);
    }
    work.draft.manifest.kernel = Kernel {
        sysctl: kernel.sysctl.clone(),
        modules: kernel.modules.iter().cloned().collect(),
        hostname: kernel.hostname.clone(),
    };
    for (key, table) in &raw.nftables {
        add_table(work, key, table);
    }
    for line in &raw.directories {
        check_line(work, line);
    }
    work.draft.manifest.directories.clone_from(&raw.directories);
}

fn check_sysctl(work: &mut Work<'_>, key: &str, value: &str) {
    let at = ["kernel", "sysctl", key];
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_-.:/@".contains(c);
    let parts = || key.split(['.', '/']);
    if !key.chars().all(allowed) || parts().count() < 2 || parts().any(str::is_empty) {
        let message = format!("`{key}` is no name of a sysctl");
        let help = "names have at least two parts with dots between, such as `net.ipv4.ip_forward`";
        work.fault("kernel::bad-sysctl", &at, message, help);
    } else if value.contains('\n') {
        let message = format!("the value of `{key}` has more than one line");
        work.fault("kernel::bad-sysctl", &at, message, "a sysctl holds one line");
    }
}

fn check_module(work: &mut Work<'_>, module: &str) {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    if module.is_empty() || !module.chars().all(allowed) {
        let message = format!("`{module}` is no name of a kernel module");
        let help = "names hold letters, digits, `_` and `-`, as `lsmod` shows them";
        work.fault("kernel::bad-module", &["kernel", "modules"], message, help);
    }
}

fn check_hostname(work: &mut Work<'_>, name: &str) {
    if let Err(label) = hostname::hostname(name)
        && hostname::fqdn(name).is_err()
    {
        let message = format!("`{name}` is no host name: {label}");
        let help = "names hold letters, digits and `-`, with dots between parts";
        work.fault("kernel::bad-hostname", &["kernel", "hostname"], message, help);
    }
}

fn add_table(work: &mut Work<'_>, key: &str, table: &raw::Table) {
    let at = ["nftables", key];
    let mut bytes = table.name.bytes();
    let named = bytes.next().is_some_and(|b| b.is_ascii_alphabetic())
        && bytes.all(|b| b.is_ascii_alphanumeric() || b"_-./".contains(&b));
    if !named || key != format!("{} {}", table.family, table.name) {
        let message = format!("`{key}` is no name of an nftables table");
        let help = "name it `<family> <name>`, such as `inet filter`, as its own options say";
        work.fault("nftables::bad-name", &at, message, help);
        return;
    }
    // A brace too many would end our table, and what follows would be somebody else's.
    if !balanced(&table.body) {
        let message = format!("the braces of the nftables table `{key}` do not match");
        let help = "look for a missing or doubled brace in the rules";
        work.fault("nftables::unbalanced", &at, message, help);
        return;
    }
    let (family, name, body) = (table.family.clone(), table.name.clone(), table.body.clone());
    work.scan(&at, &body);
    work.draft.manifest.nftables.insert(key.to_owned(), NftTable { family, name, body });
}

/// Whether every brace outside of strings and comments has its partner.
fn balanced(body: &str) -> bool {
    let mut depth = 0_usize;
    for line in body.lines() {
        let mut quoted = false;
        for character in line.chars() {
            match character {
                '"' => quoted = !quoted,
                '#' if !quoted => break,
                '{' if !quoted => depth += 1,
                '}' if !quoted => match depth.checked_sub(1) {
                    Some(less) => depth = less,
                    None => return false,
                },
                _ => {}
            }
        }
    }
    depth == 0
}

/// tmpfiles.d(5) has the last word, on the host; what cannot be a line at all is refused here.
fn check_line(work: &mut Work<'_>, line: &str) {
    let mut fields = line.split_whitespace();
    let kind =
        fields.next().is_some_and(|kind| kind.starts_with(|c: char| c.is_ascii_alphabetic()));
    let path = fields.next().is_some_and(|path| path.trim_matches('"').starts_with(['/', '%']));
    if !kind || !path || line.contains('\n') {
        let message = format!("`{line}` is no line of tmpfiles.d");
        let help = "write a type and an absolute path, such as `d /srv/data 0755 root root -`";
        work.fault("tmpfiles::bad-line", &["directories"], message, help);
    }
    work.scan(&["directories"], line);
}
