//! What comes between a deployer and a host while it switches, and what becomes of the host. At the
//! end of each, the host is as it was found.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use cairn_generation::wire::{Event, Hello, PROTOCOL, Request, read_message, write_message};
use cairn_tests::{Cairn, Case, Disk, Fleet, Host, Lab, Outcome, Snapshot};

use crate::going_back::BEFORE;
use crate::settling;
use crate::the_path::last;

pub(crate) const CASES: &[Case] = &[
    ("a unit that flaps", flapping),
    ("a package of a switch that fails", failed_package),
    ("the cable cut in a step", cable_cut),
    ("confirmations that come late, or are another switch's", stale_confirmations),
    ("an sshd, and an address, that lock the deployer out", locked_out),
    ("two deployers at once", two_deployers),
    ("a disk that fills up in the middle", disk_full),
    ("a purge that deletes a managed file", purge),
    ("another activator, another time, and the same generation", other_activator),
    ("a clock that is set back in the middle", clock_set_back),
    ("a lease that an engine left is nobody's", stale_lease),
];

const ADDRESS: [u8; 4] = [10, 77, 0, 11];

/// A host in a first generation, and the fleet that says so.
struct Stage<'lab> {
    lab: &'lab Lab,
    host: Host<'lab>,
    fleet: Fleet,
    found: Snapshot,
    /// Where to run `cairn`, if elsewhere than it was built: its activators are beside it.
    programs: Option<PathBuf>,
}

impl<'lab> Stage<'lab> {
    fn on(lab: &'lab Lab, disk: Disk) -> Self {
        Self::with(lab, disk, None)
    }

    fn with(lab: &'lab Lab, disk: Disk, programs: Option<PathBuf>) -> Self {
        let host = lab.host_on(disk, "alpha", ADDRESS);
        let found = host.snapshot();
        let fleet = Fleet::of("alpha", host.address(), BEFORE);
        let stage = Self { lab, host, fleet, found, programs };
        let _ = stage.cairn().run(&["switch", "alpha"]).ok();
        stage
    }

    fn new(lab: &'lab Lab) -> Self {
        Self::on(lab, Disk::Large)
    }

    fn cairn(&self) -> Cairn<'_> {
        let cairn = Cairn::new(self.fleet.path()).within(self.lab);
        match &self.programs {
            Some(folder) => cairn.copied_to(folder),
            None => cairn,
        }
    }

    /// From now on the fleet says `after`, and `more`.
    fn define(&self, more: &str) {
        let text = format!("{}\n{more}", BEFORE.replace("before", "after"));
        self.fleet.define(self.host.address(), &text);
    }

    /// Waits until no switch is under way.
    fn until_over(&self) {
        self.host
            .until("the switch is over", || !self.host.holds("test -e /var/lib/cairn/journal"));
    }

    /// A switch is under way and was seen in the phase of this name.
    fn until_phase(&self, phase: &str) {
        let seen = format!("grep -q '\"phase\":\"{phase}\"' /var/lib/cairn/journal");
        self.host.until(&format!("the switch is in {phase}"), || self.host.holds(&seen));
    }

    fn last_cause(&self) -> String {
        let history = self.cairn().run(&["history", "alpha", "--format", "json"]).ok().json();
        assert_eq!(last(&history, "outcome"), "rolled back", "{history:#?}");
        last(&history, "cause").to_string()
    }

    /// Leads back to the host as found.
    fn end(&self) {
        let _ = self.cairn().run(&["rollback", "alpha", "0"]).ok();
        self.found.assert_same(&self.host.snapshot());
    }
}

fn flapping() {
    let lab = Lab::start();
    let stage = Stage::new(&lab);
    let before = stage.host.snapshot();
    stage.define(
        "systemd.services.flaps = {
           wantedBy = [ \"multi-user.target\" ];
           serviceConfig = {
             ExecStart = \"/bin/sh -c 'sleep 0.2; echo the flap says why; exit 7'\";
             Restart = \"always\"; RestartSec = \"100ms\";
           };
         };",
    );
    let refused = stage.cairn().run(&["switch", "alpha"]).expect(3);
    let _ = refused.says(&["flaps.service", "the flap says why"]);
    before.assert_same(&stage.host.snapshot());
    assert!(stage.last_cause().contains("flaps"));
    stage.end();
}

fn failed_package() {
    let lab = Lab::start();
    let stage = Stage::new(&lab);
    let installed = || stage.host.sh("dpkg --audit; dpkg-query -W; ls /usr/bin /etc");
    let before = installed();
    stage.define(
        "environment.systemPackages = [ pkgs.hello-cairn ];
         healthChecks.never = { command = \"hello-cairn && false\"; deadline = 1; };",
    );
    let _ = stage.cairn().run(&["switch", "alpha"]).expect(3).says(&["never"]);
    assert_eq!(installed(), before);
    let _ = stage.cairn().run(&["rollback", "alpha", "0"]).ok();
    settling::same(&stage.found, &stage.host);
}

/// Something slow in each step that has a name in the journal.
const SLOW: &str = r#"
  deployment.confirmTimeout = 2;
  systemd.services.slow = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = {
      Type = "oneshot"; RemainAfterExit = true;
      ExecStart = "/bin/sh -c 'sleep 1; : MORE'"; ExecStop = "/bin/sleep 1";
    };
  };
  healthChecks.patience = { command = "sleep 1"; deadline = 20; };"#;

/// In one step by default; in each with `CAIRN_SWEEP_DEPTH`.
fn cable_cut() {
    let lab = Lab::start();
    let stage = Stage::new(&lab);
    stage.define(&SLOW.replace("MORE", "first"));
    let _ = stage.cairn().run(&["switch", "alpha"]).ok();
    let before = stage.host.snapshot();
    stage.define(&SLOW.replace("MORE", "second"));
    let all = std::env::var_os("CAIRN_SWEEP_DEPTH").is_some();
    for phase in
        if all { &["intent", "prepared", "activated", "checked"][..] } else { &["prepared"] }
    {
        let mut switch = stage.cairn().start(&["switch", "alpha"]);
        match *phase {
            // Before and after these two nothing is slow.
            "intent" => stage.host.until("the connection stands", || {
                stage.host.holds("pgrep -f 'cairn-activator (serve|engine)'")
            }),
            "checked" => stage.until_phase("activated"),
            phase => stage.until_phase(phase),
        }
        stage.host.cut();
        // Cut so early, it may not have begun, nor ever begin.
        std::thread::sleep(std::time::Duration::from_millis(1500));
        stage.until_over();
        stage.host.heal();
        let _ = switch.kill();
        let _ = switch.wait();
        before.assert_same(&stage.host.snapshot());
        if *phase != "intent" {
            assert!(stage.last_cause().contains("confirm"), "{phase}: {}", stage.last_cause());
        }
    }
    let _ = stage.cairn().run(&["switch", "alpha"]).ok();
    stage.end();
}

/// What the host answers to a confirmation.
fn confirm(host: &Host<'_>, nonce: &str) -> Event {
    let program = "/var/lib/cairn/activator/current/cairn-activator";
    let mut serve = host.inside(&[program, "serve"]);
    let mut serve = serve.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut input, mut output) = (serve.stdin.take().unwrap(), serve.stdout.take().unwrap());
    let _: Hello = read_message(&mut output).unwrap();
    write_message(&mut input, &Hello { protocol: PROTOCOL, version: "1".to_owned() }).unwrap();
    write_message(&mut input, &Request::Confirm { nonce: nonce.to_owned() }).unwrap();
    input.flush().unwrap();
    let answer = read_message(&mut output).unwrap();
    drop(input);
    serve.wait().unwrap();
    answer
}

fn refused(answer: &Event, why: &str) {
    let Event::Failed { message, .. } = answer else { panic!("{answer:?} is no refusal") };
    assert!(message.contains(why), "{message}");
}

fn stale_confirmations() {
    let lab = Lab::start();
    let stage = Stage::new(&lab);
    let host = &stage.host;
    let before = host.snapshot();
    refused(&confirm(host, "early"), "no switch waits");
    // One of an earlier switch that was left lying about.
    host.sh("mkdir -p /run/cairn; printf stale >/run/cairn/confirmed");
    stage.define("deployment.confirmTimeout = 3;\nhealthChecks.patience.command = \"sleep 2\";");
    let mut switch = stage.cairn().start(&["switch", "alpha"]);
    stage.until_phase("activated");
    let nonce = host.sh("grep -o '\"nonce\":\"[^\"]*\"' /var/lib/cairn/journal");
    let nonce = nonce.trim_start_matches("\"nonce\":\"").trim_end_matches('"').to_owned();
    refused(&confirm(host, &nonce), "does not wait for its confirmation yet");
    // The deployer is gone: nobody confirms.
    switch.kill().unwrap();
    switch.wait().unwrap();
    stage.until_phase("checked");
    refused(&confirm(host, "stale"), "another switch");
    stage.until_over();
    refused(&confirm(host, &nonce), "no switch waits");
    before.assert_same(&host.snapshot());
    assert!(stage.last_cause().contains("no confirmation came"));
    stage.end();
}

fn locked_out() {
    let lab = Lab::start();
    let stage = Stage::new(&lab);
    let before = stage.host.snapshot();
    for lock in [
        r#"
  environment.etc."ssh/sshd_config.d/10-lock.conf".text = "AllowUsers nobody\n";
  resources.units."ssh.service".restartTriggers = [ "locked" ];"#,
        r#"
  systemd.services.moves = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig = {
      Type = "oneshot";
      RemainAfterExit = true;
      ExecStart = "/bin/ip address delete 10.77.0.11/24 dev host0";
      ExecStop = "/bin/ip address add 10.77.0.11/24 dev host0";
    };
  };"#,
    ] {
        stage.define(&format!(
            "deployment.confirmTimeout = 2;\ndeployment.allowLockout = true;\n{lock}"
        ));
        let mut switch = stage.cairn().start(&["switch", "alpha"]);
        stage.until_phase("checked");
        stage.until_over();
        let _ = switch.kill();
        assert!(!switch.wait().unwrap().success());
        stage.host.until("it can be reached", || stage.host.ssh("root", "true").status.success());
        before.assert_same(&stage.host.snapshot());
        assert!(stage.last_cause().contains("no confirmation came"), "{lock}");
    }
    stage.end();
}

fn two_deployers() {
    let lab = Lab::start();
    let stage = Stage::new(&lab);
    let slow = "systemd.services.slow = {
           wantedBy = [ \"multi-user.target\" ];
           serviceConfig = { Type = \"oneshot\"; RemainAfterExit = true; ExecStart = \"/bin/sleep 3\"; };
         };";
    stage.define(slow);
    let another = Fleet::of("alpha", stage.host.address(), &BEFORE.replace("before", "another"));
    another
        .define(stage.host.address(), &format!("{}\n{slow}", BEFORE.replace("before", "another")));
    let second = Cairn::new(another.path()).within(&lab);
    let (one, two) =
        (stage.cairn().start(&["switch", "alpha"]), second.start(&["switch", "alpha"]));
    let (one, two) = (Outcome::of(one), Outcome::of(two));
    let mark = stage.host.read("/etc/mark");
    let (winner, loser) = if mark == "after\n" { (one, two) } else { (two, one) };
    let _ = winner.ok();
    let _ = loser.expect(3).says(&["another switch is under way"]);
    assert!(["after\n", "another\n"].contains(&mark.as_str()), "{mark}");
    let status = stage.cairn().run(&["status", "alpha", "--format", "json"]).ok().json();
    assert_eq!(last(&status, "generation"), last(&status, "confirmed"));
    stage.end();
}

fn disk_full() {
    let lab = Lab::start();
    let stage = Stage::on(&lab, Disk::Small(160));
    let host = &stage.host;
    let before = host.snapshot();
    // It fails when there is no room left, as a service that writes would.
    stage.define(
        "systemd.services.writes = {
           wantedBy = [ \"multi-user.target\" ];
           serviceConfig = { Type = \"oneshot\"; ExecStart = \"/bin/sh -c 'sleep 1; head -c 64k /dev/zero >/var/written'\"; };
         };",
    );
    let switch = stage.cairn().start(&["switch", "alpha"]);
    stage.until_phase("activated");
    host.sh("head -c 1G /dev/zero >/var/big 2>/dev/null || true");
    let ended = Outcome::of(switch);
    assert!([3, 4].contains(&ended.code()), "{ended:?}");
    let _ = ended.says(&["writes.service"]);
    host.sh("rm -f /var/big /var/written");
    // Where even going back found no room, the watchdog does it now.
    stage.until_over();
    host.until("it is back", || host.holds("grep -q before /etc/mark"));
    before.assert_same(&host.snapshot());
    stage.end();
}

fn purge() {
    let lab = Lab::start();
    let stage = Stage::new(&lab);
    let host = &stage.host;
    host.sh("apt-get -q update && apt-get -qy install hello-cairn");
    let original = host.read("/etc/hello-cairn.conf");
    stage.define("environment.etc.\"hello-cairn.conf\".text = \"ours\\n\";\ndeployment.adopt = [ \"/etc/hello-cairn.conf\" ];");
    let _ = stage.cairn().run(&["switch", "alpha"]).ok();
    let good = host.snapshot();
    host.sh("apt-get -qy purge hello-cairn");
    assert!(!host.holds("test -s /etc/hello-cairn.conf"), "the purge deletes it");
    let told = stage.cairn().run(&["status", "alpha"]);
    let _ = told.says(&["/etc/hello-cairn.conf"]);
    // What is behind the link may be gone too: neither is taken for good.
    let _ = stage.cairn().run(&["switch", "alpha"]).ok();
    assert_eq!(host.read("/etc/hello-cairn.conf"), "ours\n");
    let differences = good.differences(&host.snapshot());
    assert!(
        differences.iter().all(|line| line.contains("hello-cairn") || line.contains("dpkg")),
        "{differences:#?}"
    );
    let _ = stage.cairn().run(&["rollback", "alpha", "0"]).ok();
    assert_eq!(host.read("/etc/hello-cairn.conf"), original);
}

fn other_activator() {
    let lab = Lab::start();
    let stage = Stage::new(&lab);
    let host = &stage.host;
    let old = host.sh("readlink /var/lib/cairn/activator/current");
    // Bytes after the end of a program change nothing but its hash.
    let beside = cairn_tests::program().parent().unwrap().to_owned();
    let another = lab.directory().join("activators");
    fs::create_dir(&another).unwrap();
    for entry in fs::read_dir(beside).unwrap().flatten() {
        let name = entry.file_name();
        if name.to_string_lossy().starts_with("cairn-activator-") {
            let mut program = fs::read(entry.path()).unwrap();
            program.extend(b"another");
            fs::write(another.join(name), program).unwrap();
        }
    }
    let folder = another.display().to_string();
    // Meanwhile the host's clock was set back by a day: all it remembers is of tomorrow.
    host.sh("find /var/lib/cairn /run/cairn -exec touch -h -d tomorrow {} +");
    stage.define("");
    let _ = stage.cairn().run(&["switch", "alpha", "--activator", &folder]).ok();
    assert_eq!(host.read("/etc/mark"), "after\n");
    assert_ne!(host.sh("readlink /var/lib/cairn/activator/current"), old);
    // Back with the old one, and a boot.
    let _ = stage.cairn().run(&["rollback", "alpha"]).ok();
    assert_eq!(host.read("/etc/mark"), "before\n");
    host.reboot();
    assert_eq!(host.read("/etc/mark"), "before\n");
    let same = stage.cairn().run(&["rollback", "alpha", "1", "--format", "json"]).ok().json();
    assert_eq!(last(&same, "changed"), false, "where the host is already");
    stage.end();
}

/// What time it is for every program that starts from now on: the clock, less the seconds in a file.
/// A container has its machine's clock, so that it cannot be set there.
const CLOCK: &str = r#"
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long back(void) {
    char text[24] = {0};
    int kept = errno, file = syscall(SYS_openat, AT_FDCWD, "/run/set-back", O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
        syscall(SYS_read, file, text, sizeof text - 1);
        syscall(SYS_close, file);
    }
    errno = kept;
    return atol(text);
}
int clock_gettime(clockid_t clock, struct timespec *now) {
    int done = syscall(SYS_clock_gettime, clock, now);
    if (done == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec -= back();
    return done;
}
int gettimeofday(struct timeval *now, void *zone) {
    int done = syscall(SYS_gettimeofday, now, zone);
    if (done == 0)
        now->tv_sec -= back();
    return done;
}
time_t time(time_t *now) {
    struct timespec read;
    clock_gettime(CLOCK_REALTIME, &read);
    if (now)
        *now = read.tv_sec;
    return read.tv_sec;
}
"#;

/// A folder with `cairn` beside an activator that takes the host's C library, as [`CLOCK`] needs: the one
/// that is released is static.
fn with_libraries(lab: &Lab) -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let built = test.parent().and_then(Path::parent).unwrap().join("cairn-activator");
    let folder = lab.directory().join("programs");
    fs::create_dir(&folder).unwrap();
    let name = format!("cairn-activator-{}", std::env::consts::ARCH);
    fs::copy(built, folder.join(name)).unwrap();
    folder
}

/// Lets the host's programs have [`CLOCK`].
fn give_clock(stage: &Stage<'_>) {
    let (source, library) = ("clock.c", "clock.so");
    let folder = stage.lab.directory();
    fs::write(folder.join(source), CLOCK).unwrap();
    let mut compile = std::process::Command::new("cc");
    compile.current_dir(folder).args(["-shared", "-fPIC", "-O1", "-o", library, source]);
    assert!(compile.status().unwrap().success());
    fs::copy(folder.join(library), stage.host.outside("/run/clock.so")).unwrap();
    stage.host.sh("echo /run/clock.so >/etc/ld.so.preload");
}

fn clock_set_back() {
    let lab = Lab::start();
    let stage = Stage::with(&lab, Disk::Large, Some(with_libraries(&lab)));
    let host = &stage.host;
    give_clock(&stage);
    let before = host.snapshot();
    let year = || host.sh("date +%Y").parse::<i32>().unwrap();
    let now = year();
    let set_back = |years: i32| {
        host.sh(&format!("echo $(({years} * 31557600)) >/run/set-back"));
        assert!(year() < now, "the clock goes back");
        year()
    };
    let waits = |text: &str| {
        stage.define(&format!(
            "environment.etc.other.text = \"{text}\";
             deployment.confirmTimeout = 3;
             healthChecks.patience = {{ command = \"sleep 2\"; deadline = 20; }};"
        ));
    };
    // What does not end by itself is given up after 90 seconds: by the clock it would be years.
    let soon = |since: std::time::Instant| assert!(since.elapsed().as_secs() < 60, "{since:?}");

    // Nobody confirms, and while that is waited for it becomes another year.
    waits("unconfirmed");
    let mut switch = stage.cairn().start(&["switch", "alpha"]);
    stage.until_phase("activated");
    switch.kill().unwrap();
    switch.wait().unwrap();
    stage.until_phase("checked");
    let since = std::time::Instant::now();
    let first = set_back(1);
    stage.until_over();
    soon(since);
    before.assert_same(&host.snapshot());
    assert!(stage.last_cause().contains("no confirmation came"), "{}", stage.last_cause());

    // The engine dies, and only the watchdog is left.
    waits("killed");
    let mut switch = stage.cairn().start(&["switch", "alpha"]);
    stage.until_phase("activated");
    let since = std::time::Instant::now();
    host.sh("pkill -KILL -f '[c]airn-activator engine'");
    let second = set_back(2);
    stage.until_over();
    soon(since);
    switch.wait().unwrap();
    before.assert_same(&host.snapshot());
    assert!(stage.last_cause().contains("cut off"), "{}", stage.last_cause());

    // The engine hangs, and its lease is over: seconds since the boot, which no clock moves.
    waits("hangs");
    let mut switch = stage.cairn().start(&["switch", "alpha"]);
    stage.until_phase("activated");
    host.sh("pkill -STOP -f '[c]airn-activator engine'");
    let third = set_back(3);
    let until = host.sh("grep -o '\"until\":[0-9]*' /run/cairn/lease | cut -d: -f2");
    let up = host.sh("cut -d. -f1 /proc/uptime");
    let left = until.parse::<u64>().unwrap() - up.parse::<u64>().unwrap();
    assert!((3000..=3600).contains(&left), "a lease of {left} seconds");
    host.sh("sed -i 's/\"until\":[0-9]*/\"until\":1/' /run/cairn/lease");
    stage.until_over();
    switch.wait().unwrap();
    before.assert_same(&host.snapshot());
    assert!(stage.last_cause().contains("cut off"), "{}", stage.last_cause());

    // A switch that goes well goes well: the deployer confirms it in its own year.
    waits("well");
    let switch = stage.cairn().start(&["switch", "alpha"]);
    stage.until_phase("activated");
    let fourth = set_back(4);
    let _ = Outcome::of(switch).ok();
    assert_eq!(host.read("/etc/other"), "well");

    // History has the order of what happened, and says when the host thought that it did.
    let history = stage.cairn().run(&["history", "alpha", "--format", "json"]).ok().json();
    let of = |key: &str| history.iter().map(|entry| entry[key].clone()).collect::<Vec<_>>();
    assert_eq!(of("number"), [1, 2, 3, 4, 5]);
    let outcomes = ["confirmed", "rolled back", "rolled back", "rolled back", "confirmed"];
    assert_eq!(of("outcome"), outcomes);
    let ended: Vec<i32> =
        of("at").iter().map(|at| at.as_str().unwrap()[..4].parse().unwrap()).collect();
    assert_eq!(ended, [now, first, second, third, fourth]);

    // What gc keeps and forgets goes by numbers; an activator from the future may be wanted yet.
    let kept = "ls /var/lib/cairn/generations | grep -c -- -; ls /var/lib/cairn/activator | wc -l";
    assert_eq!(host.sh(kept), "5\n2");
    let _ = stage.cairn().run(&["gc", "alpha", "--keep", "1"]).ok();
    assert_eq!(host.sh(kept), "1\n2");

    host.sh("rm /etc/ld.so.preload");
    stage.end();
}

/// An engine that was killed when all was done leaves its lease: the next one has units to install, and a
/// watchdog to start.
fn stale_lease() {
    let lab = Lab::start();
    let stage = Stage::new(&lab);
    stage.end();
    let watched = || {
        let log = stage.host.sh("journalctl --quiet --no-pager");
        log.matches("Started cairn-watchdog.timer").count()
    };
    let before = watched();
    let lease = r#"{"process":1,"until":4000000000}"#;
    stage.host.sh(&format!("mkdir -p /run/cairn; echo '{lease}' >/run/cairn/lease"));
    let _ = stage.cairn().run(&["switch", "alpha"]).ok();
    assert_eq!(stage.host.unit("cairn.target", "ActiveState"), "active");
    assert_eq!(watched(), before + 1);
    assert!(!stage.host.holds("test -e /run/cairn/lease"));
    stage.end();
}
