//! End to end into a folder: neither root nor hosts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A test ends by panicking.

mod k3s_standin;

fn main() {
    cairn_tests::run(false, &[("k3s_standin", k3s_standin::CASES)]);
}
