//! What a switch leaves beside files although it is over: a removal that failed, or that had to wait
//! for the host to come up.

use cairn_tests::{Cairn, Case, Fleet, Host, Lab, Snapshot};

use crate::the_path::last;

pub(crate) const CASES: &[Case] = &[
    ("a removal that fails is tried again", refused_removal),
    ("a test keeps in mind what an earlier switch left", test_hands_on),
    ("a boot that goes back removes what was installed", boot_goes_back),
];

const ADDRESS: [u8; 4] = [10, 77, 0, 11];
const MARK: &str = "environment.etc.mark.text = \"VERSION\\n\";";
const PACKAGE: &str = "environment.systemPackages = [ pkgs.hello-cairn ];";

fn mark(version: &str, more: &str) -> String {
    format!("{}\n{more}", MARK.replace("VERSION", version))
}

fn is_installed(host: &Host<'_>) -> bool {
    host.holds("dpkg-query -W -f='${db:Status-Status}' hello-cairn | grep -qx installed")
}

/// dpkg writes its own records anew, in another order.
pub(crate) fn same(before: &Snapshot, host: &Host<'_>) {
    let mut differences = before.differences(&host.snapshot());
    differences.retain(|one| !one.starts_with("content /var/lib/dpkg/status"));
    assert_eq!(differences, [""; 0]);
}

/// What `status` says is left, if anything.
fn left(cairn: &Cairn<'_>) -> Option<String> {
    let status = cairn.run(&["status", "alpha", "--format", "json"]).ok().json();
    assert_eq!(last(&status, "switching"), false);
    let status = status.into_iter().find(|one| one["type"] == "status").unwrap();
    status["unsettled"].as_str().map(str::to_owned)
}

const SCRIPT: &str = "/var/lib/dpkg/info/hello-cairn.prerm";

/// From now on the package cannot be removed.
fn refuse(host: &Host<'_>) {
    host.sh(&format!("sed -i '2i echo it stays >&2; exit 1' {SCRIPT}"));
}

/// It can again.
fn allow(host: &Host<'_>) {
    host.sh(&format!("sed -i 2d {SCRIPT}"));
}

fn refused_removal() {
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    let found = host.snapshot();
    let fleet = Fleet::of("alpha", host.address(), &mark("one", PACKAGE));
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let _ = cairn.run(&["switch", "alpha"]).ok();
    assert!(is_installed(&host));

    // The switch is confirmed, and says what is left; so do history and status.
    refuse(&host);
    fleet.define(host.address(), &mark("two", ""));
    let switched = cairn.run(&["switch", "alpha"]).ok();
    let _ = switched.says(&["hello-cairn", "tried again"]);
    assert_eq!(host.read("/etc/mark"), "two\n");
    let history = cairn.run(&["history", "alpha", "--format", "json"]).ok().json();
    assert_eq!(last(&history, "outcome"), "confirmed");
    assert!(last(&history, "cause").to_string().contains("hello-cairn"), "{history:#?}");
    assert!(left(&cairn).is_some_and(|why| why.contains("hello-cairn")));
    let _ = cairn.run(&["status", "alpha"]).ok().says(&["not all of another generation"]);

    // The next command tries again, and has no more luck; nor has the next boot.
    let _ = cairn.run(&["switch", "alpha"]).ok().says(&["nothing to do", "hello-cairn"]);
    // A generation that its journal names stays.
    let _ = cairn.run(&["gc", "alpha", "--keep", "0"]).ok();
    assert!(host.holds("ls -d /var/lib/cairn/generations/1-*"));
    host.reboot();
    host.until("the boot has tried", || host.unit("cairn-settle.service", "Result") == "exit-code");
    assert!(is_installed(&host) && left(&cairn).is_some());
    allow(&host);
    let _ = cairn.run(&["switch", "alpha"]).ok().says(&["nothing to do"]);
    assert!(!is_installed(&host));
    assert_eq!(left(&cairn), None);

    // On the way to the host as found, what leads a boot to recovery stays as long as it is needed.
    fleet.define(host.address(), &mark("one", PACKAGE));
    let _ = cairn.run(&["switch", "alpha"]).ok();
    refuse(&host);
    let _ = cairn.run(&["rollback", "alpha", "0"]).ok().says(&["hello-cairn"]);
    assert!(!host.holds("test -e /etc/mark") && left(&cairn).is_some());
    allow(&host);
    host.reboot();
    host.until("the boot has removed it", || !is_installed(&host) && left(&cairn).is_none());
    same(&found, &host);
}

fn test_hands_on() {
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    let found = host.snapshot();
    let fleet = Fleet::of("alpha", host.address(), &mark("one", PACKAGE));
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let _ = cairn.run(&["switch", "alpha"]).ok();
    refuse(&host);
    fleet.define(host.address(), &mark("two", ""));
    let _ = cairn.run(&["switch", "alpha"]).ok().says(&["hello-cairn"]);

    // The test wants what could not be removed, and nothing removes it while the test lasts.
    fleet.define(host.address(), &mark("three", PACKAGE));
    let _ = cairn.run(&["test", "alpha"]).ok();
    let is_left = || left(&cairn).is_some_and(|why| why.contains("hello-cairn"));
    assert!(is_left());
    // As a kill would have left it between its line of history and its end.
    host.sh("sed -i 's/\"phase\":\"settling\"/\"phase\":\"tested\"/' /var/lib/cairn/journal
        /var/lib/cairn/activator/current/cairn-activator recover");
    assert!(is_left());
    allow(&host);
    let _ = cairn.run(&["gc", "alpha"]).ok();
    assert!(is_left() && is_installed(&host) && host.read("/etc/mark") == "three\n");

    // Then it goes, with a boot as with a command.
    host.kill();
    host.start();
    host.until("the boot has removed it", || !is_installed(&host) && left(&cairn).is_none());
    assert_eq!(host.read("/etc/mark"), "two\n");
    let _ = cairn.run(&["rollback", "alpha", "0"]).ok();
    same(&found, &host);
}

fn boot_goes_back() {
    let lab = Lab::start();
    let host = lab.host("alpha", ADDRESS);
    let found = host.snapshot();
    let fleet = Fleet::of("alpha", host.address(), &mark("one", ""));
    let cairn = Cairn::new(fleet.path()).within(&lab);
    let _ = cairn.run(&["switch", "alpha"]).ok();
    let before = host.snapshot();
    let until_back = || {
        host.until("it is back, and nothing is left", || {
            host.read("/etc/mark") == "one\n"
                && !host.holds("test -e /var/lib/cairn/journal")
                && !is_installed(&host)
        });
        same(&before, &host);
    };

    // Killed while it waits for its health, after packages came.
    let waits = "healthChecks.patience = { command = \"sleep 20\"; deadline = 60; };";
    fleet.define(host.address(), &mark("two", &format!("{PACKAGE}\n{waits}")));
    let mut switch = cairn.start(&["switch", "alpha"]);
    host.until("it is flipped", || host.holds("grep -q two /etc/mark"));
    assert!(is_installed(&host));
    host.kill();
    host.start();
    let _ = switch.kill();
    let _ = switch.wait();
    until_back();

    // A test lasts until the next boot, and so do its packages.
    fleet.define(host.address(), &mark("three", PACKAGE));
    let _ = cairn.run(&["test", "alpha"]).ok();
    assert!(is_installed(&host));
    host.reboot();
    until_back();
    let _ = cairn.run(&["rollback", "alpha", "0"]).ok();
    same(&found, &host);
}
