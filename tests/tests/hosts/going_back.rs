//! What goes wrong after a switch is seen: the host goes back by itself. At the end of each, it goes
//! back to how it was found.

use std::time::Duration;

use cairn_tests::{Cairn, Case, Fleet, Host, Lab, Snapshot};

use crate::the_path::last;

pub(crate) const CASES: &[Case] = &[
    ("a unit that fails", failing_unit),
    ("a health check that never passes", failing_check),
    ("a deployer killed before its confirmation", deployer_killed),
    ("a firewall that locks the deployer out", locked_out),
    ("a host killed in the middle", killed_in_the_middle),
    ("a host rebooted in the middle", rebooted_in_the_middle),
];

const ADDRESS: [u8; 4] = [10, 77, 0, 11];

/// A generation in which the host is well, and another that it does not stay in.
pub(crate) const BEFORE: &str = r#"
  environment.etc.mark.text = "before\n";
  systemd.services.steady = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig.ExecStart = "/bin/sleep infinity";
  };
"#;

fn after(more: &str) -> String {
    format!(
        "{}\n  boot.kernel.sysctl.\"net.ipv4.ip_forward\" = 1;\n{more}",
        BEFORE.replace("before", "after")
    )
}

/// A lab with a host that is in [`BEFORE`], whose fleet then says [`after`] with `more`; and the host
/// as it was found.
fn stage<'lab>(lab: &'lab Lab, more: &str) -> (Host<'lab>, Fleet, Snapshot) {
    let host = lab.host("alpha", ADDRESS);
    let found = host.snapshot();
    let fleet = Fleet::of("alpha", host.address(), BEFORE);
    let _ = Cairn::new(fleet.path()).within(lab).run(&["switch", "alpha"]).ok();
    fleet.define(host.address(), &after(more));
    (host, fleet, found)
}

/// The cause of the last switch's end, which was not the new generation.
fn went_back(cairn: &Cairn<'_>, host: &Host<'_>) -> String {
    assert_eq!(host.read("/etc/mark"), "before\n");
    let status = cairn.run(&["status", "alpha", "--format", "json"]).ok().json();
    assert_eq!(last(&status, "generation"), 1);
    assert_eq!(last(&status, "confirmed"), 1);
    let history = cairn.run(&["history", "alpha", "--format", "json"]).ok().json();
    let entry = history.last().unwrap();
    assert_eq!(last(&history, "outcome"), "rolled back", "{entry:#}");
    last(&history, "cause").to_string()
}

/// Leads back to the host as found.
fn end(cairn: &Cairn<'_>, host: &Host<'_>, found: &Snapshot) {
    let _ = cairn.run(&["rollback", "alpha", "0"]).ok();
    found.assert_same(&host.snapshot());
}

fn failing_unit() {
    let lab = Lab::start();
    let (host, fleet, found) = stage(
        &lab,
        "systemd.services.broken = {
           wantedBy = [ \"multi-user.target\" ];
           serviceConfig = {
             Type = \"oneshot\";
             ExecStart = \"/bin/sh -c 'echo it says why; exit 3'\";
           };
         };",
    );
    let before = host.snapshot();
    let pid = host.unit("steady", "MainPID");
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let _ = cairn.run(&["switch", "alpha"]).expect(3).says(&["broken.service"]);
    before.assert_same(&host.snapshot());
    assert_eq!(host.unit("steady", "MainPID"), pid);
    assert!(went_back(&cairn, &host).contains("broken"));
    // What it said stays to be read.
    let told = cairn.run(&["history", "alpha", "2"]).ok();
    let _ = told.says(&["rolled back", "broken.service", "it says why"]);
    end(&cairn, &host, &found);
}

fn failing_check() {
    let lab = Lab::start();
    let serves = r#"
      systemd.services.web = {
        wantedBy = [ "multi-user.target" ];
        serviceConfig.ExecStart = "/usr/bin/perl /etc/web";
      };
      environment.etc.web.text = ''
        use IO::Socket::INET;
        my $server = IO::Socket::INET->new(LocalPort => 8082, Listen => 9, ReuseAddr => 1) or die;
        while (my $client = $server->accept) {
          my $asked = <$client> // "";
          print $client $asked =~ m{GET /good} ? "HTTP/1.0 204 x\r\n\r\n" : "HTTP/1.0 503 x\r\n\r\n";
        }
      '';"#;
    let (host, fleet, found) = stage(&lab, "");
    let before = host.snapshot();
    let cairn = Cairn::new(fleet.path()).within(&lab);
    for (check, said) in [
        ("{ port = 8081; deadline = 3; }", "8081"),
        ("{ url = \"http://127.0.0.1:8082/bad\"; retries = 1; }", "answered 503"),
        ("{ command = \"echo it is ill; exit 1\"; retries = 2; interval = 1; }", "it is ill"),
        ("{ unit = \"nowhere.service\"; deadline = 2; }", "nowhere.service"),
    ] {
        fleet.define(host.address(), &after(&format!("{serves} healthChecks.web = {check};")));
        let _ = cairn.run(&["switch", "alpha"]).expect(3).says(&["web", said]);
        before.assert_same(&host.snapshot());
        assert!(went_back(&cairn, &host).contains(said));
    }
    let passes = "healthChecks = {
        port = { port = 8082; };
        url = { url = \"http://127.0.0.1:8082/good\"; };
        command = { command = \"test -e /etc/mark\"; };
        unit = { unit = \"web.service\"; };
      };";
    fleet.define(host.address(), &after(&format!("{serves} {passes}")));
    let _ = cairn.run(&["switch", "alpha"]).ok();
    end(&cairn, &host, &found);
}

/// Waits until the host is seen in the new generation.
fn until_flipped(host: &Host<'_>) {
    host.until("it is flipped", || host.holds("grep -q after /etc/mark"));
}

/// Waits until the host is in the old generation again, and nothing is under way.
fn until_back(cairn: &Cairn<'_>, host: &Host<'_>) {
    host.until("it is back", || {
        host.holds("grep -q before /etc/mark") && {
            let status = cairn.run(&["status", "alpha", "--format", "json"]);
            status.code() == 0 && last(&status.json(), "switching") == false
        }
    });
}

/// Keeps the switch in its health checks for a while.
const WAITING: &str = "
  deployment.confirmTimeout = 3;
  healthChecks.patience = { command = \"sleep 4\"; deadline = 20; };";

fn deployer_killed() {
    let lab = Lab::start();
    let (host, fleet, found) = stage(&lab, WAITING);
    let before = host.snapshot();
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let mut switch = cairn.start(&["switch", "alpha"]);
    until_flipped(&host);
    // `nsenter` has become `cairn`: this is the deployer itself.
    switch.kill().unwrap();
    switch.wait().unwrap();
    until_back(&cairn, &host);
    before.assert_same(&host.snapshot());
    went_back(&cairn, &host);
    end(&cairn, &host, &found);
}

fn locked_out() {
    let lab = Lab::start();
    let (host, fleet, found) = stage(
        &lab,
        "deployment.confirmTimeout = 4;
         deployment.openFirewall = false;
         deployment.allowLockout = true;
         networking.firewall.enable = true;",
    );
    let before = host.snapshot();
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let outcome = cairn.run(&["switch", "alpha"]);
    assert!([3, 4].contains(&outcome.code()), "{outcome:?}");
    until_back(&cairn, &host);
    before.assert_same(&host.snapshot());
    went_back(&cairn, &host);
    end(&cairn, &host, &found);
}

/// Starts a switch, ends the host by `stop` while it waits, and looks at what comes up.
fn interrupted(stop: impl Fn(&Host<'_>)) {
    let lab = Lab::start();
    let (host, fleet, found) = stage(&lab, WAITING);
    let before = host.snapshot();
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let mut switch = cairn.start(&["switch", "alpha"]);
    until_flipped(&host);
    stop(&host);
    until_back(&cairn, &host);
    let _ = switch.kill();
    assert!(!switch.wait().unwrap().success());
    // The sysctl is as every boot finds it, and the unit runs.
    host.until("the unit runs", || host.unit("steady", "ActiveState") == "active");
    std::thread::sleep(Duration::from_millis(200));
    before.assert_same(&host.snapshot());
    went_back(&cairn, &host);
    // And the host can be switched again.
    fleet.define(host.address(), &after(""));
    let _ = cairn.run(&["switch", "alpha"]).ok();
    assert_eq!(host.read("/etc/mark"), "after\n");
    end(&cairn, &host, &found);
}

fn killed_in_the_middle() {
    interrupted(|host| {
        host.kill();
        host.start();
    });
}

fn rebooted_in_the_middle() {
    interrupted(|host| host.reboot());
}
