//! A host as seen from outside, to tell whether it is byte for byte what it was.

use std::collections::BTreeMap;

use crate::host::Host;

/// Facts about a host: each has a name, and a value that tells it from any other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    facts: BTreeMap<String, String>,
}

/// What is compared of the file system, decrypted secrets and what sweeps make of them included.
/// `/var/lib/cairn` is Cairn's own memory of the host;
/// the rest of what is left out changes on any host by itself.
const FILES: &str = r"
find /etc /root /home /opt /srv /usr /boot /var/lib /var/spool \
    $(ls -d /run/cairn/secrets/ /run/swept 2>/dev/null) -xdev \
    \( -path /var/lib/cairn -o -path /var/lib/systemd -o -path /var/lib/private \
       -o -path /var/lib/apt \) -prune -o \
    -printf '%p\t%y %m %U:%G %l\n'
";

/// Contents, through links: a managed file is a link whose target's content changes.
const CONTENTS: &str = r"
find /etc /root /home /opt /srv /usr/local /var/lib /var/spool \
    $(ls -d /run/cairn/secrets/ /run/swept 2>/dev/null) -xdev \
    \( -path /var/lib/cairn -o -path /var/lib/systemd -o -path /var/lib/private \
       -o -path /var/lib/apt -o -path /etc/mtab \) -prune -o \
    -xtype f -print0 | xargs -0 sha256sum | sed 's/^\([^ ]*\)  \(.*\)$/\2\t\1/'
";

/// Units, but for those that come and go with logins and devices, and for the network's targets,
/// which anything may reach and nothing leaves.
const UNITS: &str = r"
systemctl list-units --all --plain --no-legend --no-pager |
    grep -Ev '^(session-|user|run-|init\.scope|cairn-|network-.*\.target)|\.(device|scope|slice|mount) ' |
    while read -r name load active sub rest; do printf '%s\t%s %s %s\n' $name $load $active $sub; done
";

const UNIT_FILES: &str = r"
systemctl list-unit-files --plain --no-legend --no-pager |
    while read -r name state preset; do printf '%s\t%s\n' $name $state; done
";

const SYSCTLS: &str = r"
sysctl -a --pattern '^net\.' 2>/dev/null |
    grep -Ev 'nf_conntrack_(count|buckets)|base_reachable_time|stable_secret' |
    sed 's/ = /\t/'
";

impl Snapshot {
    /// Looks at everything that a switch might change.
    pub(crate) fn take(host: &Host<'_>) -> Self {
        let mut facts = BTreeMap::new();
        for (kind, script) in [
            ("file", FILES),
            ("content", CONTENTS),
            ("unit", UNITS),
            ("unit file", UNIT_FILES),
            ("sysctl", SYSCTLS),
        ] {
            for line in host.sh(script).lines() {
                let (name, value) = line.split_once('\t').unwrap_or((line, ""));
                facts.insert(format!("{kind} {name}"), value.to_owned());
            }
        }
        facts.insert("nftables".to_owned(), host.nft());
        facts.insert("hostname".to_owned(), host.sh("cat /proc/sys/kernel/hostname"));
        Self { facts }
    }

    /// What differs in `later`: one line for each fact, in the order of their names.
    #[must_use]
    pub fn differences(&self, later: &Self) -> Vec<String> {
        let names = self.facts.keys().chain(later.facts.keys());
        let names: std::collections::BTreeSet<&String> = names.collect();
        let different = |name: &&String| self.facts.get(*name) != later.facts.get(*name);
        let line = |name: &String| {
            let of = |facts: &BTreeMap<String, String>| facts.get(name).cloned();
            let absent = || "(absent)".to_owned();
            let before = of(&self.facts).unwrap_or_else(absent);
            let after = of(&later.facts).unwrap_or_else(absent);
            format!("{name}: {before} -> {after}")
        };
        names.into_iter().filter(different).map(line).collect()
    }

    /// Panics, naming what differs, unless `later` is the same.
    pub fn assert_same(&self, later: &Self) {
        let differences = self.differences(later);
        assert!(differences.is_empty(), "the host differs:\n{}", differences.join("\n"));
    }
}
