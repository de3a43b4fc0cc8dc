//! A switch beside other tools doing the same work (`work.rs`), against one Debian host under
//! systemd-nspawn, over a new SSH connection each time. The floor is `ssh host true`.
//!
//! ```text
//! ./build
//! CAIRN_BIN=$PWD/target/release/cairn cargo bench --workspace --bench switch -- [OPTIONS]
//!   --runs N       runs of each row, of which least and median are shown (default 5)
//!   --no-peers     Cairn and the floor alone
//! ```
//!
//! As root, with what real hosts need (`./test` installs it). The other tools come from PyPI; the hosts
//! have the Python that they need.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod node;
mod peers;
mod work;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cairn_tests::{Cairn, Fleet, Host, Lab};

use peers::{Peer, Peers};
use work::Version;

struct Options {
    runs: usize,
    peers: bool,
}

fn main() {
    let options = options();
    let lab = Lab::start();
    let host = lab.host("alpha", [10, 77, 0, 11]);
    let bench = Bench { lab: &lab, host: &host, runs: options.runs };
    let floor = bench.floor();
    let mut table = vec![("ssh host true", [Some(floor), None, None, None])];
    table.push(("cairn", bench.cairn()));
    if options.peers {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-switch");
        std::fs::create_dir_all(&folder).unwrap();
        let peers = Peers::install(&folder, &lab, &host);
        for peer in Peer::ALL {
            table.push((peer.name(), bench.peer(&peers, peer)));
        }
    }
    show(&table, floor);
    node::show(&lab, &host);
}

fn options() -> Options {
    let mut options = Options { runs: 5, peers: true };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            // What `cargo bench` says to every bench.
            "--bench" => {}
            "--no-peers" => options.peers = false,
            "--runs" => {
                let runs = args.next().and_then(|runs| runs.parse().ok());
                options.runs = runs.filter(|runs| *runs > 0).expect("--runs takes a number");
            }
            other => panic!("unknown option {other}: see the top of {}", file!()),
        }
    }
    options
}

/// Least and median of some runs.
#[derive(Clone, Copy)]
struct Took {
    least: Duration,
    median: Duration,
}

/// First switch, no-op, change of one line, and what says that change before.
type Row = [Option<Took>; 4];

struct Bench<'a> {
    lab: &'a Lab,
    host: &'a Host<'a>,
    runs: usize,
}

impl Bench<'_> {
    /// Runs `command` so often, each time after `prepare`.
    fn time(&self, mut prepare: impl FnMut(), command: impl Fn() -> Command) -> Took {
        let mut took: Vec<Duration> = (0..self.runs)
            .map(|_| {
                prepare();
                run(&mut command())
            })
            .collect();
        took.sort_unstable();
        Took { least: took[0], median: took[took.len() / 2] }
    }

    fn floor(&self) -> Took {
        let home = self.lab.home_directory().display().to_string();
        let known = format!("UserKnownHostsFile={home}/.ssh/known_hosts");
        let to = format!("root@{}", self.host.address());
        self.time(
            || {},
            || {
                let mut ssh = self.lab.command("ssh");
                ssh.args(["-F", &format!("{home}/.ssh/config"), "-i"]);
                ssh.args([&format!("{home}/.ssh/id_ed25519"), "-o", &known, &to, "true"]);
                ssh
            },
        )
    }

    fn cairn(&self) -> Row {
        let fleet = Fleet::of("alpha", self.host.address(), "");
        let cairn = Cairn::new(fleet.path()).within(self.lab);
        let switch = || cairn.command(&["switch", "alpha"]);
        let define = |version| work::define(&fleet, self.host, version);
        let forget = || {
            if self.host.holds("test -e /var/lib/cairn") {
                run(&mut cairn.command(&["rollback", "alpha", "0"]));
            }
            work::forget(self.host);
        };
        define(Version::One);
        let first = self.time(forget, switch);
        work::assert_done(self.host, Version::One);
        let nothing = self.time(|| {}, switch);
        define(Version::Two);
        let told = self.time(|| {}, || cairn.command(&["diff", "alpha"]));
        let mut version = Version::One;
        let change = self.time(
            || {
                version = other(version);
                define(version);
            },
            switch,
        );
        work::assert_done(self.host, version);
        forget();
        [Some(first), Some(nothing), Some(change), Some(told)]
    }

    fn peer(&self, peers: &Peers, peer: Peer) -> Row {
        let command = |version, dry| peers.command(self.lab, peer, version, dry);
        let first = self.time(
            || {
                peers.hang_up();
                work::forget(self.host);
            },
            || command(Version::One, false),
        );
        work::assert_done(self.host, Version::One);
        let nothing = self.time(|| peers.hang_up(), || command(Version::One, false));
        let told = self.time(|| peers.hang_up(), || command(Version::Two, true));
        let version = std::cell::Cell::new(Version::One);
        let change = self.time(
            || {
                peers.hang_up();
                version.set(other(version.get()));
            },
            || command(version.get(), false),
        );
        work::assert_done(self.host, version.get());
        peers.hang_up();
        work::forget(self.host);
        [Some(first), Some(nothing), Some(change), Some(told)]
    }
}

fn other(version: Version) -> Version {
    match version {
        Version::One => Version::Two,
        Version::Two => Version::One,
    }
}

/// Runs a command that must succeed.
fn run(command: &mut Command) -> Duration {
    let command = command.stdin(Stdio::null());
    let start = Instant::now();
    let output = command.output().unwrap();
    let took = start.elapsed();
    let (said, errors) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}\n{said}\n{errors}");
    took
}

fn show(table: &[(&str, Row)], floor: Took) {
    let columns = ["first switch", "nothing to do", "one line changed", "diff or dry run"];
    println!("seconds, least/median, and the median in floors");
    print!("{:<22}", "");
    columns.iter().for_each(|column| print!("{column:>24}"));
    println!();
    for (name, row) in table {
        print!("{name:<22}");
        for took in row {
            let Some(took) = took else {
                print!("{:>24}", "");
                continue;
            };
            let (least, median) = (took.least.as_secs_f64(), took.median.as_secs_f64());
            let ratio = median / floor.median.as_secs_f64();
            print!("{:>24}", format!("{least:.2}/{median:.2} {ratio:.1}x"));
        }
        println!();
    }
}
