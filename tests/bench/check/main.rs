//! Large fleets: what `cairn check` takes, cold: time on the wall, processor time, the peak of memory,
//! and how they grow; and how soon `cairn lsp` answers a keystroke in a module of theirs.
//!
//! ```text
//! cargo build --release -p cairn
//! CAIRN_BIN=$PWD/target/release/cairn cargo bench -p cairn-tests --bench check -- [OPTIONS] [HOSTS…]
//!   --runs N       runs for each fleet, of which the median counts (default 5)
//!   --write DIR    only writes the fleets, each into a folder of its own
//!   HOSTS…         only fleets of so many hosts
//! ```
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod editor;
#[path = "../lang/figures.rs"]
mod figures;
mod fleet;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use figures::Figures;
use fleet::{Files, Size};

const SIZES: [Size; 4] = [
    Size { hosts: 10, files: 40 },
    Size { hosts: 100, files: 80 },
    Size { hosts: 300, files: 120 },
    Size { hosts: 1000, files: 200 },
];

struct Options {
    runs: usize,
    write: Option<PathBuf>,
    hosts: Vec<usize>,
}

fn main() {
    let mut args = std::env::args_os().skip(1).peekable();
    if args.peek().is_some_and(|arg| arg == figures::MEASURE) {
        figures::measure(args.skip(1));
    }
    let options = options(args);
    let wanted = |size: &&Size| options.hosts.is_empty() || options.hosts.contains(&size.hosts);
    let sizes: Vec<&Size> = SIZES.iter().filter(wanted).collect();
    let folder = |size: &Size| {
        let parent = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-check");
        options.write.clone().unwrap_or(parent).join(size.hosts.to_string())
    };
    if options.write.is_some() {
        return sizes.into_iter().for_each(|size| write(&folder(size), &fleet::fleet(*size)));
    }
    println!(
        "{:>6} {:>6} {:>9} {:>10} {:>10} {:>14} {:>14} {:>12} {:>9}",
        "hosts",
        "files",
        "time",
        "processor",
        "memory",
        "time a host",
        "memory a host",
        "keystroke",
        "at worst"
    );
    for size in sizes {
        let files = fleet::fleet(*size);
        write(&folder(size), &files);
        let runs: Vec<_> = (0..options.runs).map(|_| check(&folder(size))).collect();
        let run = Figures::median(&runs);
        let (time, memory) = (run.wall.as_secs_f64(), run.memory as f64 / f64::from(1 << 20));
        let keys = editor::keystrokes(&folder(size), "roles/web.nix");
        let (key, worst) = (keys.median.as_secs_f64() * 1e3, keys.worst.as_secs_f64() * 1e3);
        println!(
            "{:>6} {:>6} {:>7.3} s {:>8.3} s {:>8.1} M {:>11.2} ms {:>12.0} K {:>9.1} ms {:>6.1} ms",
            size.hosts,
            files.len(),
            time,
            run.processor.as_secs_f64(),
            memory,
            time * 1e3 / size.hosts as f64,
            memory * 1024.0 / size.hosts as f64,
            key,
            worst,
        );
    }
}

fn options(mut args: impl Iterator<Item = OsString>) -> Options {
    let mut options = Options { runs: 5, write: None, hosts: Vec::new() };
    while let Some(arg) = args.next() {
        match arg.to_str() {
            // What `cargo bench` says to every bench.
            Some("--bench") => {}
            Some("--runs") => {
                let runs = args.next().and_then(|runs| runs.to_str()?.parse().ok());
                options.runs = runs.filter(|runs| *runs > 0).expect("--runs takes a number");
            }
            Some("--write") => {
                options.write = Some(args.next().expect("--write takes a folder").into());
            }
            Some(hosts) if hosts.parse::<usize>().is_ok() => {
                options.hosts.extend(hosts.parse::<usize>());
            }
            _ => panic!("unknown option {}: see the top of {}", arg.display(), file!()),
        }
    }
    options
}

/// Writes a fleet into a folder, and nothing else is there afterwards.
fn write(folder: &Path, files: &Files) {
    if folder.exists() {
        fs::remove_dir_all(folder).unwrap();
    }
    for (path, text) in files {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

/// Checks a fleet, cold. Nothing must be wrong with it.
fn check(folder: &Path) -> Figures {
    let program = cairn_tests::program().into_os_string();
    let words = ["check".into(), "--fleet".into(), folder.as_os_str().to_owned()];
    let command: Vec<_> = [program].into_iter().chain(words).collect();
    figures::run(&command).0
}
