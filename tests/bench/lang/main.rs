//! The language's speed beside Nix's: each program under `cairn eval` and under
//! `nix-instantiate --eval --strict` in turn, by processor time and by the peak of memory.
//!
//! ```text
//! cargo build --release -p cairn
//! CAIRN_BIN=$PWD/target/release/cairn cargo bench -p cairn-tests --bench lang -- [OPTIONS] [NAME…]
//!   --runs N             pairs of runs for each program, of which the median counts (default 5)
//!   --nixpkgs-lib DIR    a copy of nixpkgs' `lib`: adds the rows that need it (or NIXPKGS_LIB)
//!   NAME…                only programs whose name contains one of these
//! ```
//!
//! A program counts only if both sides print the same value.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod figures;
mod programs;

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use figures::Figures;
use programs::Program;

struct Options {
    runs: usize,
    nixpkgs_lib: Option<PathBuf>,
    names: Vec<String>,
}

fn main() {
    let mut args = std::env::args_os().skip(1).peekable();
    if args.peek().is_some_and(|arg| arg == figures::MEASURE) {
        figures::measure(args.skip(1));
    }
    let options = options(args);
    let programs = programs::all(options.nixpkgs_lib.as_deref());
    let chosen: Vec<&Program> = programs
        .iter()
        .filter(|program| {
            options.names.is_empty() || options.names.iter().any(|name| program.name.contains(name))
        })
        .collect();
    assert!(!chosen.is_empty(), "no program is called so");
    println!(
        "{:<28} {:>9} {:>9} {:>8}   {:>9} {:>9} {:>8}",
        "program", "cairn", "nix", "faster", "cairn", "nix", "memory"
    );
    let mut rows = Vec::new();
    for program in chosen {
        let row = Row::of(program, options.runs);
        println!("{row}");
        rows.push(row);
    }
    let compared: Vec<_> = rows.iter().filter_map(Row::ratios).collect();
    if !compared.is_empty() {
        let (time, memory): (Vec<f64>, Vec<f64>) = compared.into_iter().unzip();
        let (time, memory) = (geometric_mean(&time), geometric_mean(&memory));
        println!("{:<28} {:>28}   {:>28}", "geometric mean", times(time), share(memory));
    }
}

fn options(mut args: impl Iterator<Item = OsString>) -> Options {
    let nixpkgs_lib = std::env::var_os("NIXPKGS_LIB").map(PathBuf::from);
    let mut options = Options { runs: 5, nixpkgs_lib, names: Vec::new() };
    while let Some(arg) = args.next() {
        match arg.to_str() {
            // What `cargo bench` says to every bench.
            Some("--bench") => {}
            Some("--runs") => {
                let runs = args.next().and_then(|runs| runs.to_str()?.parse().ok());
                options.runs = runs.filter(|runs| *runs > 0).expect("--runs takes a number");
            }
            Some("--nixpkgs-lib") => {
                options.nixpkgs_lib =
                    Some(args.next().expect("--nixpkgs-lib takes a folder").into());
            }
            Some(name) if !name.starts_with('-') => options.names.push(name.to_owned()),
            _ => panic!("unknown option {}: see the top of {}", arg.display(), file!()),
        }
    }
    options
}

/// A program's figures: medians.
struct Row<'a> {
    name: &'a str,
    cairn: Figures,
    nix: Option<Figures>,
}

impl Row<'_> {
    fn of(program: &Program, runs: usize) -> Row<'_> {
        let (mut cairn, mut nix) = (Vec::new(), Vec::new());
        for _ in 0..runs {
            let (figures, ours) = figures::run(&program.cairn);
            cairn.push(figures);
            if let Some(command) = &program.nix {
                let (figures, theirs) = figures::run(command);
                nix.push(figures);
                assert_eq!(by_word(&ours), by_word(&theirs), "{}", program.name);
            }
        }
        let nix = (!nix.is_empty()).then(|| Figures::median(&nix));
        Row { name: &program.name, cairn: Figures::median(&cairn), nix }
    }

    /// How many times faster than Nix, and which part of its memory.
    fn ratios(&self) -> Option<(f64, f64)> {
        let nix = self.nix?;
        let time = nix.processor.as_secs_f64() / self.cairn.processor.as_secs_f64();
        Some((time, self.cairn.memory as f64 / nix.memory as f64))
    }
}

impl fmt::Display for Row<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let none = || "-".to_owned();
        let (nix, ratios) = (self.nix, self.ratios());
        write!(
            f,
            "{:<28} {:>9} {:>9} {:>8}   {:>9} {:>9} {:>8}",
            self.name,
            seconds(self.cairn.processor),
            nix.map_or_else(none, |nix| seconds(nix.processor)),
            ratios.map_or_else(none, |(time, _)| times(time)),
            mebibytes(self.cairn.memory),
            nix.map_or_else(none, |nix| mebibytes(nix.memory)),
            ratios.map_or_else(none, |(_, memory)| share(memory)),
        )
    }
}

/// Printed values break their lines differently.
fn by_word(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

fn geometric_mean(ratios: &[f64]) -> f64 {
    (ratios.iter().map(|ratio| ratio.ln()).sum::<f64>() / ratios.len() as f64).exp()
}

fn seconds(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}

fn mebibytes(bytes: u64) -> String {
    format!("{:.1} M", bytes as f64 / f64::from(1 << 20))
}

fn times(ratio: f64) -> String {
    format!("{ratio:.1} x")
}

fn share(ratio: f64) -> String {
    format!("{:.0} %", ratio * 100.0)
}
