//! Definitions that cannot be built: each a diagnostic at its place, and nothing is written.

use cairn_tests::{Cairn, Case, Fleet, Releases};
use serde_json::Value;

pub(crate) const CASES: &[Case] = &[
    ("each mistake has its place and exit code 1", each_mistake),
    ("a conflict shows both places", conflict),
    ("wrong arguments end with 2", wrong_arguments),
    ("a host that is not in the fleet", unknown_host),
    ("the project's own fleets are right", own_fleets),
];

fn diagnostics(definitions: &str) -> Vec<Value> {
    let fleet = Fleet::of("alpha", std::net::Ipv4Addr::LOCALHOST, definitions);
    let target = tempfile::tempdir().unwrap();
    let into = target.path().join("root");
    let into = into.to_str().unwrap();
    let cairn = Cairn::new(fleet.path());
    let outcome = cairn.run(&["switch", "alpha", "--into", into, "--format", "json"]).expect(1);
    assert!(!std::path::Path::new(into).join("etc").exists(), "nothing is written");
    outcome.says(&["host.nix"]).json()
}

fn each_mistake() {
    for (definitions, line, word) in [
        ("  networking.hostName = ;", 4, "a value is missing"),
        ("  networking.hostNam = \"a\";", 4, "hostName"),
        ("  networking.firewall.enable = \"yes\";", 4, "bool"),
        ("  imports = [ ./gone.nix ];", 4, "gone.nix"),
        ("  environment.etc.a.source = ./gone;", 4, "gone"),
        ("  networking.hostName = let a = a; in a;", 4, "recursion"),
        ("  users.users.root.openssh.authorizedKeys.keys = [ \"ssh-rsa AAAA\" ];", 4, "ssh-rsa"),
        ("  networking.hostName = throw \"no name\";", 4, "no name"),
        ("  services.k3s = { enable = true; extraFlags = [ \"--no-deploy=x\" ]; };", 4, "disable"),
    ] {
        let found = diagnostics(definitions);
        let at = found.iter().find(|found| {
            found["severity"] == "error" && found["file"] == "host.nix" && found["line"] == line
        });
        let said = at.unwrap_or_else(|| panic!("{definitions}: {found:#?}")).to_string();
        assert!(said.contains(word), "{definitions}: {word} is not in {said}");
    }
}

fn conflict() {
    let found = diagnostics(
        "  imports = [ { networking.hostName = \"a\"; } { networking.hostName = \"b\"; } ];",
    );
    let related = found.iter().find_map(|error| error["related"].as_array());
    assert!(related.is_some_and(|related| !related.is_empty()), "{found:#?}");
}

fn wrong_arguments() {
    let fleet = Fleet::of("alpha", std::net::Ipv4Addr::LOCALHOST, "");
    let cairn = Cairn::new(fleet.path());
    for arguments in [&["swich"][..], &["switch", "--intoo", "x"], &["status", "--format", "xml"]] {
        let _ = cairn.run(arguments).expect(2);
    }
}

fn unknown_host() {
    let fleet = Fleet::of("alpha", std::net::Ipv4Addr::LOCALHOST, "");
    let outcome = Cairn::new(fleet.path()).run(&["build", "alhpa"]);
    assert!([1, 2].contains(&outcome.code()), "{outcome:?}");
    let _ = outcome.says(&["alhpa", "alpha"]);
}

fn own_fleets() {
    let project = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let _ = Cairn::new(&project).run(&["check"]).ok();
    let folder = tempfile::tempdir().unwrap();
    let mirror = Releases::setting(&Releases::in_folder(folder.path()).url());
    for (example, host) in [
        ("examples/devboard", "board1"),
        ("examples/dual-stack", "alpha"),
        ("examples/homelab", "prod1"),
    ] {
        let fleet = Fleet::copy(example);
        let cairn = Cairn::new(fleet.path());
        // Nobody knows what its programs are before they have been looked at.
        let _ = cairn.run(&["check"]).expect(1).says(&["lock::missing", "k3s v1.31.4+k3s1"]);
        let _ = cairn.run(&["lock", "--set", &mirror]).ok().says(&["k3s-io/k3s"]);
        let _ = cairn.run(&["check"]).ok();
        let _ = cairn.run(&["build", host]).ok();
    }
}
