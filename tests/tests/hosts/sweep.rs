//! The activator on a live host, killed before a system call that changes the disk, or refused it:
//! files, links, units, accounts, kernel and journal are then looked at from outside.
//!
//! `CAIRN_SWEEP_DEPTH` says how many calls of each course are tried: a number, or `whole`.

use std::fs;
use std::thread;
use std::time::Duration;

use cairn_tests::strace::{self, Call, Injection, Tracer};
use cairn_tests::{Cairn, Case, Fleet, Host, Lab, Repository, Snapshot, encrypted};
use serde_json::{Value, json};

use crate::debian::{self, Archive};
use crate::locked;

/// One host for all courses where little is tried of each; otherwise one for each of them.
pub(crate) fn cases() -> &'static [Case] {
    match std::env::var_os("CAIRN_SWEEP_DEPTH") {
        None => &[
            ("a switch, stopped anywhere", || on_one_host(&[rollback, change, removal, first])),
            ("apt, killed in the middle", packages),
            ("locked packages, killed in the middle", locked_packages),
            ("Debian's own packages, killed in the middle", debian_packages),
        ],
        Some(_) => &[
            ("a first switch, stopped anywhere", || on_one_host(&[first])),
            ("a change, stopped anywhere", || on_one_host(&[change])),
            ("a removal, stopped anywhere", || on_one_host(&[removal])),
            ("a rollback, stopped anywhere", || on_one_host(&[rollback])),
            ("apt, killed in the middle", packages),
            ("locked packages, killed in the middle", locked_packages),
            ("Debian's own packages, killed in the middle", debian_packages),
        ],
    }
}

const ADDRESS: [u8; 4] = [10, 77, 0, 11];

/// Something of each kind. What is `VERSION` differs between the two generations.
const DEFINITIONS: &str = r#"
  environment.etc."sweep/link".text = "VERSION\n";
  environment.etc."sweep/copy" = { text = "VERSION\n"; method = "copy"; };
  environment.etc."sweep/only-VERSION".text = "here\n";
  systemd.services.changes = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig.ExecStart = "/bin/sh -c 'exec sleep infinity' VERSION";
  };
  systemd.services."only-VERSION" = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig.ExecStart = "/bin/sleep infinity";
  };
  sops.secrets.swept = { sopsFile = ./VERSION.yaml; restartUnits = [ "reads.service" ]; };
  systemd.services.reads = {
    wantedBy = [ "multi-user.target" ];
    serviceConfig.RuntimeDirectory = "swept";
    script = "sha256sum </run/cairn/secrets/swept >/run/swept/sum; exec sleep infinity";
  };
  users.users."user-VERSION" = { isNormalUser = true; extraGroups = [ "makers" ]; };
  users.groups.makers = { };
  boot.kernel.sysctl."net.ipv4.ip_forward" = NUMBER;
  networking.nftables.tables.sweep = {
    family = "inet";
    content = "chain input { type filter hook input priority 0; tcp dport 700NUMBER drop; }";
  };
"#;

const VERSIONS: [&str; 2] = ["one", "two"];

fn definitions(version: &str, number: &str) -> String {
    DEFINITIONS.replace("VERSION", version).replace("NUMBER", number)
}

/// A host whose activator is run by hand, with the orders that `cairn` gave it.
struct Bed<'lab> {
    host: Host<'lab>,
    tracer: Tracer,
    activator: String,
    /// What brings the host to generation 1, 2 and so on.
    orders: Vec<Value>,
}

/// Where the order lies, and the answer.
const FOLDER: &str = "/run/cairn/sweep";
/// Whatever is left of an earlier first switch goes; blobs come before a switch begins.
const FORGET: &str = "cd /var/lib/cairn && rm -rf generations/[1-9]* generations/0/* numbers.json \
    origin.json history.jsonl ids.json drift activator/current";

impl<'lab> Bed<'lab> {
    /// A host that was brought to each of these in turn.
    fn new(lab: &'lab Lab, definitions: &[&str]) -> Self {
        Self::prepared(lab, definitions, |_, _| {})
    }

    /// The same, with something done to the fleet before each switch.
    fn prepared(
        lab: &'lab Lab,
        definitions: &[&str],
        prepare: impl Fn(&Fleet, &Cairn<'_>),
    ) -> Self {
        let host = lab.host("alpha", ADDRESS);
        let tracer = Tracer::bring(&host);
        let fleet = Fleet::of("alpha", host.address(), "");
        let key = host.read("/etc/ssh/ssh_host_ed25519_key.pub");
        for version in VERSIONS {
            let secret = encrypted(&format!("swept: {version}\n"), &[&key]);
            fleet.write(&format!("{version}.yaml"), &secret);
        }
        let cairn = Cairn::new(fleet.path()).within(lab);
        let switched = |definitions: &&str| {
            fleet.define(host.address(), definitions);
            prepare(&fleet, &cairn);
            let _ = cairn.run(&["switch", "alpha"]).ok();
            let order = host.sh("cat $(ls -t /run/cairn/switch-*/order.json | head -1)");
            serde_json::from_str(&order).unwrap()
        };
        let orders = definitions.iter().map(switched).collect();
        let activator = host.sh("readlink -f /var/lib/cairn/activator/current/cairn-activator");
        Self { host, tracer, activator, orders }
    }

    fn switch(&self, to: usize) -> Value {
        self.orders.get(to - 1).expect("a generation").clone()
    }

    fn rollback(&self, to: &str) -> Value {
        json!({ "Rollback": { "to": to, "options": self.switch(1)["Switch"]["options"] } })
    }

    /// Runs the engine with `order` in a unit of its own, as a connection does, and gives the last
    /// thing that it said. The confirmation lies there already.
    fn run(&self, order: &Value, under: &[String]) -> Option<Value> {
        let mut order = order.clone();
        let kind = order.as_object_mut().unwrap().values_mut().next().unwrap();
        kind["options"]["nonce"] = "sweep".into();
        let prepare = format!(
            "rm -rf {FOLDER}; mkdir -p -m 700 {FOLDER}; printf sweep >/run/cairn/confirmed"
        );
        self.host.sh(&prepare);
        fs::write(self.host.outside(&format!("{FOLDER}/order.json")), order.to_string()).unwrap();
        let unit = ["systemd-run", "--quiet", "--wait", "--collect", "--service-type=exec"];
        let mut command = self.host.inside(&unit);
        command.args(["--unit=cairn-sweep", "--"]).args(under);
        let _ = command.args([&self.activator, "engine", FOLDER]).output().unwrap();
        let said = fs::read_to_string(self.host.outside(&format!("{FOLDER}/events")));
        said.unwrap_or_default()
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .next_back()
    }

    fn must(&self, order: &Value) {
        let said = self.run(order, &[]);
        assert!(said.as_ref().is_some_and(|said| said["event"] == "done"), "{said:?}");
    }

    /// The switch was killed: it is ended in one of the three ways.
    fn recover(&self, way: usize) -> &'static str {
        match way % 3 {
            0 => {
                self.host.until("a command ends the switch", || self.recovers(&[]));
                "a command"
            }
            1 => {
                // Its timer may be faster.
                self.host.until("the watchdog ends the switch", || {
                    self.recovers(&["--watchdog"])
                        && !self.host.holds("test -e /var/lib/cairn/journal")
                });
                "the watchdog"
            }
            _ => {
                self.host.kill();
                self.host.start();
                // Where the unit that leads a boot through recovery is just coming or going, the
                // next command ends the switch.
                let link = "/etc/systemd/system/sysinit.target.wants/cairn-recover.service";
                if self.host.holds(&format!("test -e /var/lib/cairn/journal && ! test -e {link}")) {
                    assert!(self.recovers(&[]));
                }
                "a boot"
            }
        }
    }

    /// Has recovery run once; whatever it has to say is of interest where a test fails.
    fn recovers(&self, occasion: &[&str]) -> bool {
        let words = [&[self.activator.as_str(), "recover"], occasion].concat();
        let ended = self.host.inside(&words).output().unwrap();
        print!("{}", String::from_utf8_lossy(&ended.stderr));
        ended.status.success()
    }
}

/// What is stopped, and how the host comes to where it begins.
struct Course<'a> {
    name: &'a str,
    order: Value,
    /// From the new generation to the old one.
    reset: Value,
    /// Run before each try: what the last one staged goes.
    forget: &'a str,
}

/// What was seen of a course.
struct Sweep<'a> {
    bed: &'a Bed<'a>,
    course: &'a Course<'a>,
    old: Snapshot,
    new: Snapshot,
}

impl Sweep<'_> {
    /// Whether the host is in the new generation. It must be wholly in one of the two.
    fn is_new(&self, at: &str) -> bool {
        let host = &self.bed.host;
        let mut differences = (Vec::new(), Vec::new());
        let mut found = None;
        // What was started is not up at once.
        for _ in 0..6 {
            let seen = host.snapshot();
            differences = (self.old.differences(&seen), self.new.differences(&seen));
            found = [(&differences.0, false), (&differences.1, true)]
                .into_iter()
                .find_map(|(differences, is_new)| differences.is_empty().then_some(is_new));
            if found.is_some() {
                break;
            }
            thread::sleep(Duration::from_millis(200));
        }
        let Some(is_new) = found else {
            let (old, new) = (differences.0.join("\n"), differences.1.join("\n"));
            let said = host.sh("journalctl --no-pager --quiet --unit 'cairn-*' --lines 20");
            panic!(
                "{at}: mixed\nagainst the old generation:\n{old}\nagainst the new:\n{new}\n{said}"
            );
        };
        assert!(!host.holds("test -e /var/lib/cairn/journal"), "{at}: the journal is open");
        let links = host.sh("cd /var/lib/cairn; readlink current; readlink confirmed");
        let (current, confirmed) = links.split_once('\n').unwrap();
        assert_eq!(current, confirmed, "{at}");
        let last = host.sh("tail -n 1 /var/lib/cairn/history.jsonl 2>/dev/null || true");
        if !last.is_empty() {
            let last: Value = serde_json::from_str(&last).unwrap();
            let ends = if last["outcome"] == "confirmed" { &last["to"] } else { &last["from"] };
            let number = current.trim_start_matches("generations/").split('-').next().unwrap();
            assert_eq!(ends.to_string(), number, "{at}: {last}");
        }
        is_new
    }

    fn reset(&self) {
        self.bed.must(&self.course.reset);
        self.bed.host.sh(self.course.forget);
    }

    fn killed(&self, call: &Call, way: usize) -> bool {
        let name = self.course.name;
        self.bed.run(&self.course.order, &self.bed.tracer.injected(call, Injection::Kill));
        let by = self.bed.recover(way);
        self.is_new(&format!("{name}, killed at {call}, ended by {by}"))
    }

    fn refused(&self, call: &Call, error: &'static str) -> bool {
        let at = format!("{}, {error} at {call}", self.course.name);
        let said = self
            .bed
            .run(&self.course.order, &self.bed.tracer.injected(call, Injection::Error(error)));
        // The switch is over, and says that an account or a package of the other generation is left:
        // the next command removes it.
        if self.bed.host.holds("grep -q '\"phase\":\"settling\"' /var/lib/cairn/journal") {
            assert!(self.bed.recovers(&[]), "{at}");
            println!("{at}: {} with the next command", self.course.name);
        }
        let is_new = self.is_new(&at);
        let Some(said) = said else {
            assert!(!is_new, "{at}: it could not even say anything");
            return false;
        };
        match said["event"].as_str() {
            Some("done") => assert!(is_new, "{at}: {said}"),
            _ => assert!(!is_new && said["unchanged"] == true, "{at}: {said}"),
        }
        is_new
    }
}

fn sweep(bed: &Bed<'_>, course: &Course<'_>) {
    let host = &bed.host;
    host.sh(course.forget);
    let old = host.snapshot();
    let said = bed.run(&course.order, &bed.tracer.traced("/run/trace"));
    assert!(said.as_ref().is_some_and(|said| said["event"] == "done"), "{said:?}");
    let new = host.snapshot();
    assert!(!old.differences(&new).is_empty());
    let counts = |path: &str| {
        let places = ["/etc", "/home", "/run/cairn", "/var"];
        places.iter().any(|place| path.starts_with(place)) && !path.starts_with(FOLDER)
    };
    let log = host.read("/run/trace");
    let changes = strace::changing_lines(&log, counts);
    // The kernel's settings are no disk: one that it does not take is a warning, and then drift.
    let on_disk = changes.iter().filter(|(_, line)| !line.contains("\"/proc/sys/"));
    let on_disk: Vec<Call> = on_disk.map(|(call, _)| call.clone()).collect();
    let calls: Vec<Call> = changes.into_iter().map(|(call, _)| call).collect();
    // The first one after the switch was written down.
    let end = log.find("cairn-new\", \"/var/lib/cairn/journal\")").expect("a journal");
    let written =
        &calls[strace::changes(&log[..log[end..].find('\n').unwrap() + end], counts).len()];
    let sweep = Sweep { bed, course, old, new };
    sweep.reset();
    assert!(!sweep.is_new("reset"));
    let (mut olds, mut news) = (0, 0);
    let mut count = |is_new: bool| {
        if is_new {
            news += 1;
            sweep.reset();
        } else {
            olds += 1;
            host.sh(course.forget);
        }
        // A whole sweep takes its time.
        if (olds + news) % 50 == 0 {
            println!("{}: {} points so far, {olds} old, {news} new", course.name, olds + news);
        }
    };
    for (way, call) in sample(&calls, 1).into_iter().enumerate() {
        count(sweep.killed(call, way + course.name.len()));
    }
    count(sweep.killed(written, 2));
    for (which, call) in sample(&on_disk, 1).into_iter().enumerate() {
        count(sweep.refused(call, ["ENOSPC", "EIO", "EROFS"][which % 3]));
    }
    println!(
        "{} on a live host ({} calls, {} of them on the disk): {} points tried, {olds} old, {news} new, 0 mixed",
        course.name,
        calls.len(),
        on_disk.len(),
        olds + news
    );
}

/// So many calls, evenly spread.
fn sample(calls: &[Call], few: usize) -> Vec<&Call> {
    let count = match std::env::var("CAIRN_SWEEP_DEPTH").as_deref() {
        Err(_) => few,
        Ok("whole") => calls.len(),
        Ok(number) => number.parse().expect("CAIRN_SWEEP_DEPTH is `whole` or a number"),
    };
    let count = count.min(calls.len());
    (0..count).map(|index| &calls[(2 * index + 1) * calls.len() / (2 * count)]).collect()
}

fn on_one_host(courses: &[fn(&Bed<'_>)]) {
    let lab = Lab::start();
    let bed = Bed::new(&lab, &[&definitions("one", "1"), &definitions("two", "0")]);
    courses.iter().for_each(|course| course(&bed));
}

fn rollback(bed: &Bed<'_>) {
    let (order, reset) = (bed.rollback("1"), bed.rollback("2"));
    sweep(bed, &Course { name: "rollback", order, reset, forget: "" });
}

fn change(bed: &Bed<'_>) {
    bed.must(&bed.rollback("1"));
    let (order, reset) = (bed.switch(2), bed.rollback("1"));
    let forget = "rm -rf /var/lib/cairn/generations/2-*";
    sweep(bed, &Course { name: "change", order, reset, forget });
}

fn removal(bed: &Bed<'_>) {
    bed.must(&bed.rollback("1"));
    let (order, reset) = (bed.rollback("0"), bed.rollback("1"));
    sweep(bed, &Course { name: "removal", order, reset, forget: "" });
}

fn first(bed: &Bed<'_>) {
    bed.must(&bed.rollback("0"));
    bed.host.sh(FORGET);
    let (order, reset) = (bed.switch(1), bed.rollback("0"));
    sweep(bed, &Course { name: "first", order, reset, forget: FORGET });
}

/// So many moments of apt and dpkg, `few` unless more are asked for.
fn moments(few: u32) -> u32 {
    match std::env::var("CAIRN_SWEEP_DEPTH").as_deref() {
        Err(_) => few,
        Ok("whole") => 24,
        Ok(number) => few.max(number.parse().expect("CAIRN_SWEEP_DEPTH is `whole` or a number")),
    }
}

/// A Debian package of the host's archives.
fn packages() {
    let lab = Lab::start();
    let mark = "environment.etc.mark.text = \"VERSION\\n\";";
    let one = mark.replace("VERSION", "one");
    let two = mark.replace("VERSION", "two");
    let two = format!("{two}\nenvironment.systemPackages = [ pkgs.hello-cairn ];");
    let bed = Bed::new(&lab, &[&one, &two]);
    killed(&bed, "an installation", (1, 2), &bed.switch(2), moments(2));
}

/// Debian packages that come with the generation, on a host that has no archive.
fn locked_packages() {
    let lab = Lab::start();
    let (url, keys) = Repository::of(&locked::packages()).signed();
    let of = |number: &str, packages: &str| {
        let mark = format!("environment.etc.mark.text = \"{number}\\n\";");
        format!("{mark}\n{}", locked::asking(&url, packages))
    };
    let generations = [of("one", ""), of("two", locked::FIRST), of("three", "pkgs.greeter")];
    let generations = generations.each_ref().map(String::as_str);
    let bed = Bed::prepared(&lab, &generations, |fleet, cairn| {
        fs::copy(&keys, fleet.path().join("keys.gpg")).unwrap();
        let _ = cairn.run(&["lock"]).ok();
    });
    bed.host.sh("rm -rf /etc/apt/sources.list /etc/apt/sources.list.d /var/lib/apt/lists");
    killed(&bed, "an installation", (1, 2), &bed.switch(2), moments(4));
    killed(&bed, "an upgrade", (2, 3), &bed.switch(3), moments(2));
    killed(&bed, "a downgrade", (3, 2), &bed.rollback("2"), moments(2));
    killed(&bed, "a removal", (2, 1), &bed.rollback("1"), moments(2));
}

/// The same with packages of Debian's archive: their scripts, settings, libraries and a daemon.
fn debian_packages() {
    let Some(archive) = Archive::find() else { return };
    let lab = Lab::start();
    let of = |number: &str, packages: String| {
        format!("environment.etc.mark.text = \"{number}\\n\";\n{packages}")
    };
    let names = debian::NAMES;
    let generations = [archive.newer(""), archive.older(names), archive.newer(names)];
    let [one, two, three] = generations;
    let generations = [of("one", one), of("two", two), of("three", three)];
    let generations = generations.each_ref().map(String::as_str);
    let bed = Bed::prepared(&lab, &generations, |fleet, _| debian::lock(fleet, &lab));
    bed.host.sh("rm -rf /etc/apt/sources.list /etc/apt/sources.list.d /var/lib/apt/lists");
    killed(&bed, "an installation from Debian", (1, 2), &bed.switch(2), moments(4));
    killed(&bed, "an upgrade from Debian", (2, 3), &bed.switch(3), moments(2));
    killed(&bed, "a downgrade from Debian", (3, 2), &bed.rollback("2"), moments(2));
    killed(&bed, "a removal from Debian", (2, 1), &bed.rollback("1"), moments(2));
}

/// What packages are made of, without the help of dpkg, and what dpkg says of them.
const PACKAGES: &str = r"
find /etc /usr /opt /srv /root /var/lib /var/spool -xdev \
    \( -path /var/lib/cairn -o -path /var/lib/systemd -o -path /var/lib/private -o -path /var/lib/apt \) -prune \
    -o -printf '%p %y %m %U:%G %l\n'
find /etc /usr -xdev -type f -print0 | xargs -0 sha256sum
find /var/lib/dpkg/info -newer /var/lib/dpkg/info/base-files.list -type f -print0 | xargs -0 -r sha256sum
dpkg-query -W -f '${Package} ${Version} ${Status} ${Conffiles}\n'
dpkg --audit";

/// Kills whatever `order` runs, from one generation to another, at so many moments: programs of apt and dpkg
/// before their N-th call that moves or removes a file. dpkg is then interrupted, or a package half there.
/// Afterwards what packages are made of must be that of one of the two generations.
fn killed(bed: &Bed<'_>, what: &str, (from, to): (usize, usize), order: &Value, count: u32) {
    let host = &bed.host;
    let (old_mark, new_mark) = (mark(from), mark(to));
    let back = bed.rollback(&from.to_string());
    if host.read("/etc/mark") != old_mark {
        bed.must(&back);
    }
    bed.must(order);
    let new = host.sh(PACKAGES);
    bed.must(&back);
    let old = host.sh(PACKAGES);
    assert_ne!(old, new);
    let (mut olds, mut news, mut told) = (0, 0, 0);
    for moment in 0..count {
        let number = moment * 36 / count + 2;
        let name = if moment % 2 == 0 { "rename" } else { "unlink" };
        let call = Call { name: name.to_owned(), number };
        let mut under = bed.tracer.injected(&call, Injection::Kill);
        under.push("--follow-forks".to_owned());
        let said = bed.run(order, &under);
        let way = bed.recover(moment as usize);
        let at = format!("{what}, a program killed at its {call}, ended by {way}: {said:?}");
        host.until(&format!("nothing is left: {at}"), || {
            !host.holds("test -e /var/lib/cairn/journal")
        });
        // On the way back dpkg was killed as well, each time, and that was said.
        told += u32::from(said.is_some_and(|said| said["unchanged"] == false));
        let (seen, mark) = (host.sh(PACKAGES), host.read("/etc/mark"));
        if mark == new_mark {
            assert_eq!(difference(&new, &seen), [""; 0], "{at}");
            news += 1;
            bed.must(&back);
        } else {
            assert_eq!(
                (difference(&old, &seen).as_slice(), mark.as_str()),
                (&[][..], old_mark),
                "{at}"
            );
            olds += 1;
        }
        locked::is_clean(host);
    }
    // And it can be had after all.
    bed.must(order);
    assert_eq!(difference(&new, &host.sh(PACKAGES)), [""; 0]);
    println!(
        "{what} by apt and dpkg, killed: {count} points tried, {olds} old ({told} of them only when it was \
         recovered, and said so), {news} new, 0 mixed"
    );
}

/// What `/etc/mark` says in a generation.
fn mark(number: usize) -> &'static str {
    ["one\n", "two\n", "three\n"].get(number - 1).expect("a generation")
}

/// Lines that only one of the two has.
fn difference<'a>(one: &'a str, other: &'a str) -> Vec<&'a str> {
    let of = |text: &'a str| text.lines().collect::<std::collections::BTreeSet<&str>>();
    of(one).symmetric_difference(&of(other)).copied().collect()
}
