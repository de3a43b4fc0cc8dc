//! A host that nobody reaches: everything comes in one file.

use cairn_tests::{Cairn, Case, Fleet, Lab, Repository, program};

use crate::locked;

pub(crate) const CASES: &[Case] =
    &[("a host without a network switches itself to a bundle", without_a_network)];

const ADDRESS: [u8; 4] = [10, 77, 0, 11];

fn without_a_network() {
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    let (url, keys) = Repository::of(&locked::packages()).signed();
    let text = format!(
        "environment.systemPackages = [ pkgs.k9s pkgs.greeter ];\n\
         environment.etc.mark.text = \"bundled\\n\";\n\
         debian.archives.lab = {{ url = \"{url}\"; suites = [ \"signed/\" ]; keyring = ./keys.gpg; }};"
    );
    let fleet = Fleet::of("alpha", host.address(), &text);
    std::fs::copy(keys, fleet.path().join("keys.gpg")).unwrap();
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let (_, mirror) = lab.releases();
    let _ = cairn.run(&["lock", "--set", &mirror]).ok();
    let bundle = host.outside("/root/alpha.bundle");
    let _ = cairn.run(&["bundle", "alpha", "--output", bundle.to_str().unwrap()]).ok();
    std::fs::copy(program(), host.outside("/usr/local/sbin/cairn")).unwrap();
    host.sh("rm -rf /etc/apt/sources.list /etc/apt/sources.list.d /var/lib/apt/lists");
    host.sh("for link in /sys/class/net/host*; do ip link set ${link##*/} down; done");

    // One byte of it is another.
    let mut content = std::fs::read(&bundle).unwrap();
    let middle = content.len() / 2;
    content[middle] ^= 1;
    std::fs::write(host.outside("/root/bad.bundle"), content).unwrap();
    let before = host.snapshot();
    assert!(!host.holds("cairn switch --bundle /root/bad.bundle"));
    before.assert_same(&host.snapshot());

    host.sh("cairn switch --bundle /root/alpha.bundle");
    assert_eq!(host.read("/etc/mark"), "bundled\n");
    assert_eq!(host.sh("bash -lc k9s"), "k9s v0.32.7");
    assert_eq!(host.sh("greeter"), "greetings 2.0");
    locked::is_clean(&host);
    let said = host.sh("cairn switch --bundle /root/alpha.bundle");
    assert!(said.contains("nothing to do"), "{said}");
}
