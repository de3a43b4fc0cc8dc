//! What goes wrong before a switch is seen: each a message that helps, and the host as it was.

use cairn_tests::{Cairn, Case, Disk, Fleet, Host, Lab, Outcome};

pub(crate) const CASES: &[Case] = &[
    ("an unreachable host", unreachable_host),
    ("an unknown host key", unknown_host_key),
    ("a changed host key", changed_host_key),
    ("a login that is not let in", wrong_login),
    ("a login that may not become root", login_without_sudo),
    ("a full disk", full_disk),
    ("an altered blob", altered_blob),
    ("a truncated blob", truncated_blob),
    ("an unmanaged file at a managed path", unmanaged_file),
    ("an adopted file comes back", adopted_file),
    ("a managed file that somebody edited", edited_file),
    ("a second switch while one runs", second_switch),
    ("a firewall that nft refuses", bad_ruleset),
];

const ADDRESS: [u8; 4] = [10, 77, 0, 11];
const MARK: &str = "environment.etc.mark.text = \"x\\n\";";

/// Switches `host` to `definitions`, which must fail with `code`, say `words` and change nothing.
fn refused(lab: &Lab, host: &Host<'_>, definitions: &str, code: i32, words: &[&str]) {
    let before = host.snapshot();
    let fleet = Fleet::of(host.name(), host.address(), definitions);
    let cairn = Cairn::new(fleet.path()).within(lab);
    let _ = cairn.run(&["switch", host.name()]).expect(code).says(words);
    before.assert_same(&host.snapshot());
}

fn unreachable_host() {
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    host.cut();
    refused(&lab, &host, MARK, 3, &["alpha", "10.77.0.11"]);
}

fn known_hosts(lab: &Lab) -> std::path::PathBuf {
    lab.home_directory().join(".ssh/known_hosts")
}

fn unknown_host_key() {
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    std::fs::write(known_hosts(&lab), "").unwrap();
    refused(&lab, &host, MARK, 3, &["10.77.0.11", "known_hosts"]);
    assert_eq!(
        std::fs::read_to_string(known_hosts(&lab)).unwrap(),
        "",
        "nothing is trusted unasked"
    );
}

fn changed_host_key() {
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    let own = lab.home_directory().join(".ssh/id_ed25519.pub");
    let another = std::fs::read_to_string(own).unwrap();
    let line = format!("10.77.0.11 {}", another.trim_end_matches(" lab\n"));
    std::fs::write(known_hosts(&lab), line + "\n").unwrap();
    refused(&lab, &host, MARK, 3, &["10.77.0.11", "known_hosts"]);
}

fn wrong_login() {
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    let text = format!("deployment.targetUser = \"nobody-here\";\n{MARK}");
    refused(&lab, &host, &text, 3, &["nobody-here"]);
}

fn login_without_sudo() {
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    let text = format!("deployment.targetUser = \"guest\";\n{MARK}");
    refused(&lab, &host, &text, 3, &["guest", "sudo"]);
}

fn full_disk() {
    let lab = Lab::start();
    let host = lab.host_on(Disk::Small(100), "alpha", ADDRESS);
    let before = host.snapshot();
    let fleet = Fleet::of("alpha", host.address(), "environment.etc.big.source = ./big;");
    // Incompressible, so that what is sent is as large as what is stored.
    let mut state = blake3::Hasher::new().update(b"big").finalize_xof();
    let mut big = vec![0; 90 << 20];
    state.fill(&mut big);
    std::fs::write(fleet.path().join("big"), big).unwrap();
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let _ = cairn.run(&["switch", "alpha"]).expect(3).says(&["alpha", "space"]);
    before.assert_same(&host.snapshot());
    // What did not fit is not left lying about.
    fleet.define(host.address(), MARK);
    let _ = cairn.run(&["switch", "alpha"]).ok();
    assert_eq!(host.read("/etc/mark"), "x\n");
    let _ = cairn.run(&["rollback", "alpha", "0"]).ok();
    before.assert_same(&host.snapshot());
}

/// Two generations; the blob of the first one's file is spoiled by `spoil`; going back is
/// refused, and a switch to the same definitions sends the blob again.
fn damaged_blob(spoil: &str) {
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    let found = host.snapshot();
    let first = "environment.etc.mark.text = \"the first content\\n\";";
    let fleet = Fleet::of("alpha", host.address(), first);
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let _ = cairn.run(&["switch", "alpha"]).ok();
    fleet.define(host.address(), "environment.etc.mark.text = \"the second\\n\";");
    let _ = cairn.run(&["switch", "alpha"]).ok();
    let blob = blake3::hash(b"the first content\n").to_hex();
    host.sh(&format!("blob=/var/lib/cairn/store/{blob}; chmod u+w $blob && {spoil} && cat $blob"));
    let laid_out = "find /var/lib/cairn/generations -path '*/1-*/etc/mark'";
    host.sh(&format!("blob=$({laid_out}); chmod u+w $blob && {spoil}"));
    let before = host.snapshot();

    let _ = cairn.run(&["rollback", "alpha"]).expect(3).says(&[blob.as_str(), "damaged"]);
    before.assert_same(&host.snapshot());

    fleet.define(host.address(), first);
    let _ = cairn.run(&["switch", "alpha"]).ok();
    assert_eq!(host.read("/etc/mark"), "the first content\n");
    let _ = cairn.run(&["rollback", "alpha", "0"]).ok();
    found.assert_same(&host.snapshot());
}

fn altered_blob() {
    damaged_blob("printf 'the FIRST content\\n' >$blob");
}

fn truncated_blob() {
    damaged_blob("truncate -s 5 $blob");
}

fn unmanaged_file() {
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    host.sh("echo mine >/etc/mark");
    refused(&lab, &host, MARK, 3, &["/etc/mark", "adopt"]);
}

fn adopted_file() {
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    host.sh("echo mine >/etc/mark; chmod 640 /etc/mark");
    let before = host.snapshot();
    let text = format!("deployment.adopt = [ \"/etc/mark\" ];\n{MARK}");
    let fleet = Fleet::of("alpha", host.address(), &text);
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let _ = cairn.run(&["switch", "alpha"]).ok();
    assert_eq!(host.read("/etc/mark"), "x\n");
    fleet.define(host.address(), "");
    let _ = cairn.run(&["switch", "alpha"]).ok();
    assert_eq!(host.sh("cat /etc/mark; stat -c '%F %a' /etc/mark"), "mine\nregular file 640");
    let _ = cairn.run(&["rollback", "alpha", "0"]).ok();
    before.assert_same(&host.snapshot());
}

fn edited_file() {
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    let before = host.snapshot();
    let text = "environment.etc = {
        replaced.text = \"VERSION\\n\"; written.text = \"VERSION\\n\"; gone.text = \"VERSION\\n\";
        copied = { text = \"VERSION\\n\"; method = \"copy\"; };
      };";
    let fleet = Fleet::of("alpha", host.address(), &text.replace("VERSION", "one"));
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let _ = cairn.run(&["switch", "alpha"]).ok();
    // By an editor that writes anew, by one that writes through the link, and by hand.
    let edit = "cd /etc; sed -i s/^/my/ replaced copied; rm gone; echo mywritten >written";
    let read = || host.sh("cd /etc; cat replaced written gone copied | tr '\\n' ' '");
    for (to, seen) in [("one", "one one one one "), ("two", "two two two two ")] {
        host.sh(edit);
        fleet.define(host.address(), &text.replace("VERSION", to));
        let switched = cairn.run(&["switch", "alpha"]).ok();
        let _ = switched.says(&["/etc/replaced was changed", "/etc/copied was changed"]);
        assert_eq!(read(), seen);
        assert_eq!(host.sh("cd /var/lib/cairn/drift/etc; cat replaced copied"), "myone\nmyone");
    }
    // What was written through a link is in a generation of ours, and is not gone back to.
    let _ = cairn.run(&["rollback", "alpha", "1"]).ok();
    assert_eq!(read(), "one one one one ");
    host.sh(edit);
    let _ = cairn.run(&["rollback", "alpha", "0"]).ok();
    let left = before.differences(&host.snapshot());
    assert_eq!(left, [""; 0]);
}

fn second_switch() {
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    let found = host.snapshot();
    let slow = "
      systemd.services.slow = {
        wantedBy = [ \"multi-user.target\" ];
        serviceConfig = { Type = \"oneshot\"; RemainAfterExit = true; ExecStart = \"/bin/sleep 6\"; };
      };";
    let fleet = Fleet::of("alpha", host.address(), slow);
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let first = cairn.start(&["switch", "alpha"]);
    host.until("the slow unit starts", || host.unit("slow", "ActiveState") == "activating");
    let another = Fleet::of("alpha", host.address(), MARK);
    let second = Cairn::new(another.path()).within(&lab).run(&["switch", "alpha"]);
    let _ = second.expect(3).says(&["alpha"]);
    assert!(!host.holds("test -e /etc/mark"));
    let _ = Outcome::of(first).ok();
    assert_eq!(host.unit("slow", "ActiveState"), "active");
    let _ = cairn.run(&["rollback", "alpha", "0"]).ok();
    found.assert_same(&host.snapshot());
}

fn bad_ruleset() {
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    let text = "networking.nftables.tables.mine = { family = \"inet\"; content = ''
           chain input { type filter hook nowhere priority 0; }
         ''; };";
    refused(&lab, &host, text, 3, &["nft", "nowhere"]);
}
