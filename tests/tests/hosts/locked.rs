//! Debian packages that `cairn.lock` names: installed from the generation, on hosts without any archive.

use cairn_tests::{Cairn, Case, Deb, Fleet, Host, Lab, Repository};

pub(crate) const CASES: &[Case] =
    &[("locked packages come, move, go back and go without an archive", from_the_generation)];

const ADDRESS: [u8; 4] = [10, 77, 0, 11];

/// A program, the library that it needs in the same version, and a setting.
pub(crate) fn packages() -> Vec<Deb> {
    let of = |version: &str| {
        let says = format!("#!/bin/sh\ncat /usr/share/libgreet/words\n# {version}\n");
        let greeter = Deb::new("greeter", version)
            .depends(&format!("libgreet (>= {version})"))
            .file("/usr/bin/greeter", &says, 0o755)
            .conffile("/etc/greeter.conf", &format!("# greeter {version}\n"));
        let words = format!("greetings {version}\n");
        let library =
            Deb::new("libgreet", version).file("/usr/share/libgreet/words", &words, 0o644);
        [greeter, library]
    };
    [of("1.0"), of("2.0")].concat()
}

fn from_the_generation() {
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    let repository = Repository::of(&packages());
    let (url, keys) = repository.signed();
    let asking = |packages: &str| {
        format!(
            "environment.systemPackages = [ {packages} ];\n\
             debian.archives.lab = {{ url = \"{url}\"; suites = [ \"signed/\" ]; keyring = ./keys.gpg; }};"
        )
    };
    let fleet =
        Fleet::of("alpha", host.address(), &asking("(pkgs.greeter // { version = \"1.0\"; })"));
    std::fs::copy(keys, fleet.path().join("keys.gpg")).unwrap();
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let _ = cairn.run(&["switch", "alpha"]).expect(1).says(&["cairn lock"]);
    // The host has no archive, and no list of one.
    host.sh("rm -rf /etc/apt/sources.list /etc/apt/sources.list.d /var/lib/apt/lists");

    let _ = cairn.run(&["lock"]).ok().says(&["greeter=1.0", "libgreet"]);
    let _ = cairn.run(&["switch", "alpha"]).ok();
    is_clean(&host);
    assert_eq!(host.sh("greeter"), "greetings 2.0", "the library is the newest");
    assert_eq!(version(&host, "greeter"), "1.0");
    host.sh("echo mine >>/etc/greeter.conf");

    fleet.define(host.address(), &asking("pkgs.greeter"));
    let _ = cairn.run(&["switch", "alpha"]).expect(1).says(&["cairn lock"]);
    let _ = cairn.run(&["lock"]).ok();
    let _ = cairn.run(&["switch", "alpha"]).ok();
    is_clean(&host);
    assert_eq!(version(&host, "greeter"), "2.0");
    assert!(host.read("/etc/greeter.conf").contains("mine"), "a setting is kept");

    let _ = cairn.run(&["rollback", "alpha"]).ok();
    is_clean(&host);
    assert_eq!(version(&host, "greeter"), "1.0");
    assert!(host.read("/etc/greeter.conf").contains("mine"), "a setting is kept");

    fleet.define(host.address(), &asking(""));
    let _ = cairn.run(&["switch", "alpha"]).ok();
    is_clean(&host);
    assert!(!host.holds("dpkg-query -W greeter libgreet"), "what came with Cairn is gone");
}

fn version(host: &Host<'_>, package: &str) -> String {
    host.sh(&format!("dpkg-query -W -f '${{Version}}' {package}"))
}

/// No package is half there, held back or without what it needs.
pub(crate) fn is_clean(host: &Host<'_>) {
    host.sh("mkdir -p /var/lib/apt/lists/partial && apt-get check");
    assert_eq!(host.sh("dpkg --audit"), "");
    assert_eq!(host.sh("dpkg -l | sed 1,5d | grep -v ^ii || true"), "");
}
