//! What would shut the deployer out is refused before anything is done.

use cairn_tests::{Cairn, Case, Fleet, Lab};

pub(crate) const CASES: &[Case] = &[
    ("a generation without a way in is refused", no_way_in),
    ("the port that the deployer came through stays open", port_stays),
    ("the login that deploys is never removed", login_stays),
];

const ADDRESS: [u8; 4] = [10, 77, 0, 11];

fn no_way_in() {
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    let fleet = Fleet::of("alpha", host.address(), "");
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let before = host.snapshot();
    let shut = "networking.firewall.enable = true; deployment.openFirewall = false;";
    for (definition, said) in [
        (shut, "the firewall shuts the port of SSH (22)"),
        (
            "environment.etc.\"ssh/sshd_config.d/10-no.conf\".text = \"AllowUsers nobody\\n\";",
            "AllowUsers",
        ),
        (
            "environment.etc.\"ssh/sshd_config.d/10-no.conf\".text =
               \"AuthorizedKeysFile /nowhere\\nPasswordAuthentication no\\nKbdInteractiveAuthentication no\\n\";",
            "neither an authorized key nor a password",
        ),
    ] {
        fleet.define(host.address(), definition);
        let refused = cairn.run(&["switch", "alpha"]).expect(3);
        let _ = refused.says(&["the login root out", said, "deployment.allowLockout"]);
        let _ = cairn.run(&["dry-activate", "alpha"]).expect(3).says(&[said]);
    }
    host.sh("rm -rf /var/lib/cairn /run/cairn");
    before.assert_same(&host.snapshot());
    // Said twice, it is tried, and the confirmation takes the host back.
    fleet.define(
        host.address(),
        &format!("{shut} deployment.allowLockout = true; deployment.confirmTimeout = 3;"),
    );
    let outcome = cairn.run(&["switch", "alpha"]);
    assert!([3, 4].contains(&outcome.code()), "{outcome:?}");
    let _ = outcome.says(&["confirm"]);
    host.until("it is back", || !host.holds("test -e /var/lib/cairn/journal"));
    fleet.define(host.address(), "");
    let _ = cairn.run(&["rollback", "alpha", "0"]).ok();
    before.assert_same(&host.snapshot());
}

fn port_stays() {
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    host.sh(
        "printf 'Port 22\\nPort 2222\\n' >/etc/ssh/sshd_config.d/ports.conf; systemctl restart ssh",
    );
    let known = lab.home_directory().join(".ssh/known_hosts");
    let mut keys = std::fs::read_to_string(&known).unwrap();
    let (_, key) = keys.lines().next().unwrap().split_once(' ').unwrap();
    keys += &format!("[10.77.0.11]:2222 {key}\n");
    std::fs::write(&known, keys).unwrap();
    let fleet = Fleet::of("alpha", host.address(), "");
    let cairn = Cairn::new(fleet.path()).within(&lab);
    for (user, ports) in [("root", "22"), ("deploy", "22"), ("deploy", "22 2222")] {
        let definition = format!(
            "deployment = {{ targetPort = 2222; targetUser = \"{user}\"; openFirewall = false; }};
             networking.firewall = {{ enable = true; allowedTCPPorts = [ {ports} ]; }};"
        );
        fleet.define(host.address(), &definition);
        if ports == "22" {
            let refused = cairn.run(&["switch", "alpha"]).expect(3);
            let _ =
                refused.says(&["the firewall shuts port 2222, which this connection came through"]);
        } else {
            let _ = cairn.run(&["switch", "alpha"]).ok();
        }
    }
}

fn login_stays() {
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    let key = std::fs::read_to_string(lab.home_directory().join(".ssh/id_ed25519.pub")).unwrap();
    let ada = |more: &str| {
        format!(
            "users.users.ada = {{ isNormalUser = true; openssh.authorizedKeys.keys = [ \"{}\" ]; {more} }};",
            key.trim()
        )
    };
    let sudo = "environment.etc.\"sudoers.d/ada\" = {
        text = \"ada ALL=(ALL:ALL) NOPASSWD: ALL\\n\"; mode = \"0440\"; };";
    let fleet = Fleet::of("alpha", host.address(), &format!("{sudo} {}", ada("")));
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let _ = cairn.run(&["switch", "alpha"]).ok();
    let through_ada = "deployment.targetUser = \"ada\";";
    for (definition, said) in [
        (sudo.to_owned(), "remove the login ada"),
        (ada(""), "no rule of sudo"),
        (format!("{sudo} {}", ada("shell = \"/usr/sbin/nologin\";")), "its shell is"),
    ] {
        fleet.define(host.address(), &format!("{through_ada} {definition}"));
        let _ = cairn.run(&["switch", "alpha"]).expect(3).says(&[said]);
    }
    fleet.define(host.address(), &format!("{through_ada} {sudo} {}", ada("")));
    let _ = cairn.run(&["rollback", "alpha", "0"]).expect(3).says(&["remove the login ada"]);
    fleet.define(
        host.address(),
        &format!("{through_ada} {sudo} {} environment.etc.mark.text = \"x\";", ada("")),
    );
    let _ = cairn.run(&["switch", "alpha"]).ok();
    let history = cairn.run(&["history", "alpha", "--format", "json"]).ok().json();
    assert_eq!(history.last().unwrap()["login"], "ada");
}
