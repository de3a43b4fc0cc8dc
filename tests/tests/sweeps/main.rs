//! A switch cannot go half-way: whatever stops it, and wherever, a host ends wholly in the
//! generation that was confirmed or wholly in the new one.
//!
//! `CAIRN_SWEEP_DEPTH` says how much is tried where not everything is tried at every run: `whole`, or
//! a number of points for each sweep.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)] // A test ends by panicking.

mod blocklog;
mod cuts;
mod flip;
mod full;
mod machine;
mod syscalls;
mod world;

fn main() {
    let mut modules = vec![
        (false, "syscalls", syscalls::CASES),
        (false, "flip", flip::CASES),
        (true, "full", full::CASES),
        (true, "cuts", cuts::CASES),
    ];
    // More than a run at every change should take, and 100 MB of packages.
    if std::env::var_os("CAIRN_SWEEP_DEPTH").is_some() {
        modules.push((true, "machine", machine::CASES));
    }
    cairn_tests::run_each(&modules);
}

/// How many points to try: `few`, or what `CAIRN_SWEEP_DEPTH` says.
fn depth(few: usize, whole: usize) -> usize {
    match std::env::var("CAIRN_SWEEP_DEPTH").as_deref() {
        Err(_) => few,
        Ok("whole") => whole,
        Ok(number) => number.parse().expect("CAIRN_SWEEP_DEPTH is `whole` or a number"),
    }
}
