//! End to end on real Debian hosts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A test ends by panicking.

mod lab;

fn main() {
    cairn_tests::run(true, &[("lab", lab::CASES)]);
}
