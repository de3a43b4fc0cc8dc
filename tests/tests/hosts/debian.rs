//! Debian's own packages, out of the archive that this machine's apt uses, on a host that has none.

use std::net::{TcpStream, ToSocketAddrs};
use std::process::Command;
use std::time::Duration;

use cairn_tests::{Cairn, Case, Fleet, Host, Lab};
use serde_json::{Value, json};

use crate::locked;
use crate::settling::same;

pub(crate) const CASES: &[Case] =
    &[("Debian's own packages come, move, go back without a network, and go", the_way)];

const ADDRESS: [u8; 4] = [10, 77, 0, 11];

/// Programs, and a daemon with libraries, settings and scripts. One of them must have had a security update
/// since the last point release, or there is nothing to move.
pub(crate) const NAMES: &str = "brotli unzip rsyslog";

/// Debian's archive and its security archive, as apt knows them here.
pub(crate) struct Archive {
    main: String,
    security: String,
}

impl Archive {
    /// None, with words, where apt has no such archive, or it does not answer.
    pub(crate) fn find() -> Option<Self> {
        let left_out = |why: &str| println!("LEFT OUT, Debian's own packages: {why}");
        let targets = ["indextargets", "--format", "$(RELEASE) $(SITE)", "Created-By: Packages"];
        let listed = Command::new("apt-get").args(targets).output();
        let listed = listed.map(|ended| ended.stdout).unwrap_or_default();
        let listed = String::from_utf8_lossy(&listed).into_owned();
        let of = |suite: &str| {
            let mut sites = listed.lines().filter_map(|line| line.split_once(' '));
            sites.find_map(|(release, site)| (release == suite).then(|| site.to_owned()))
        };
        let (Some(main), Some(security)) = (of("bookworm"), of("bookworm-security")) else {
            left_out("this machine's apt does not have bookworm and bookworm-security");
            return None;
        };
        if !answers(&main) || !answers(&security) {
            left_out("the archive that this machine's apt names does not answer");
            return None;
        }
        Some(Self { main, security })
    }

    /// `names` as the last point release has them.
    pub(crate) fn older(&self, names: &str) -> String {
        format!(
            "environment.systemPackages = with pkgs.debian; [ {names} ];\ndebian.mirror = \"{}\";",
            self.main
        )
    }

    /// `names` with their security updates.
    pub(crate) fn newer(&self, names: &str) -> String {
        format!("{}\ndebian.securityMirror = \"{}\";", self.older(names), self.security)
    }
}

/// Whether whatever serves `url` lets itself be called.
fn answers(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else { return false };
    let host = rest.split('/').next().unwrap_or_default();
    let port = if scheme == "https" { 443 } else { 80 };
    let addresses = match host.contains(':') {
        true => host.to_socket_addrs(),
        false => (host, port).to_socket_addrs(),
    };
    let patience = Duration::from_secs(5);
    addresses.is_ok_and(|mut all| all.any(|one| TcpStream::connect_timeout(&one, patience).is_ok()))
}

/// Locks and fetches, on this machine's own network: labs have none. The lab's user has it all afterwards.
pub(crate) fn lock(fleet: &Fleet, lab: &Lab) {
    let outside = Cairn::new(fleet.path()).env("HOME", &lab.home_directory().display().to_string());
    let _ = outside.run(&["lock", "--update"]).ok();
    let _ = outside.run(&["fetch"]).ok();
}

fn the_way() {
    let Some(archive) = Archive::find() else { return };
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    host.sh("rm -rf /etc/apt/sources.list /etc/apt/sources.list.d /var/lib/apt/lists");
    let found = host.snapshot();
    let fleet = Fleet::of("alpha", host.address(), &archive.older(NAMES));
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let switch = |definitions: &str| {
        fleet.define(host.address(), definitions);
        lock(&fleet, &lab);
        let _ = cairn.run(&["switch", "alpha"]).ok();
        locked::is_clean(&host);
        versions(&host)
    };

    let old = switch(&archive.older(NAMES));
    assert_eq!(
        host.sh("printf 'a stone' | brotli --stdout | brotli --decompress --stdout"),
        "a stone"
    );
    let before = host.snapshot();
    let new = switch(&archive.newer(NAMES));
    assert_ne!(old, new, "the security archive has nothing newer of {NAMES}");

    // With its cable cut, and without any deployer.
    host.cut();
    go_back(&host);
    locked::is_clean(&host);
    assert_eq!(versions(&host), old);
    same(&before, &host);
    host.heal();

    let none = switch(&archive.newer(""));
    assert!(!host.holds("command -v brotli || command -v rsyslogd"), "{none}");
    let _ = cairn.run(&["rollback", "alpha", "0"]).ok();
    locked::is_clean(&host);
    let mut left = found.differences(&host.snapshot());
    // dpkg's own records, and backups of these.
    left.retain(|one| !one.contains(" /var/lib/dpkg/"));
    assert_eq!(left, [""; 0], "what packages brought is gone");
    println!("from the archive: {old} -> {new}, and back without a network");
}

fn versions(host: &Host<'_>) -> String {
    let listed = host.sh(&format!("dpkg-query -W {NAMES} 2>/dev/null || true"));
    listed.replace('\t', "=").replace('\n', " ")
}

/// The engine on the host, told to go back by whoever sits there.
fn go_back(host: &Host<'_>) {
    let order = host.sh("cat $(ls -t /run/cairn/switch-*/order.json | head -1)");
    let mut order: Value = serde_json::from_str(&order).unwrap();
    let mut options = order["Switch"]["options"].take();
    options["nonce"] = Value::Null;
    options["login"] = Value::Null;
    let order = json!({ "Rollback": { "to": null, "options": options } });
    host.sh("mkdir -m 700 /run/cairn/by-hand");
    std::fs::write(host.outside("/run/cairn/by-hand/order.json"), order.to_string()).unwrap();
    host.sh("/var/lib/cairn/activator/current/cairn-activator engine /run/cairn/by-hand");
    let said = host.read("/run/cairn/by-hand/events");
    assert!(said.contains("\"done\""), "{said}");
}
