//! A switch cannot go half-way: whatever stops it, and wherever, a host ends wholly in the
//! generation that was confirmed or wholly in the new one.
//!
//! `CAIRN_SWEEP_DEPTH` says how much is tried where not everything is tried at every run: `whole`, or
//! a number of points for each sweep.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)] // A test ends by panicking.

mod syscalls;
mod world;

fn main() {
    cairn_tests::run(false, &[("syscalls", syscalls::CASES)]);
}
