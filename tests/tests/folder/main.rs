//! End to end into a folder: neither root nor hosts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)] // A test ends by panicking.

mod definitions;
mod ids;
mod into;
mod k3s_standin;
mod mistakes;
mod terminal;

fn main() {
    cairn_tests::run(
        false,
        &[
            ("definitions", definitions::CASES),
            ("ids", ids::CASES),
            ("into", into::CASES),
            ("k3s_standin", k3s_standin::CASES),
            ("mistakes", mistakes::CASES),
            ("terminal", terminal::CASES),
        ],
    );
}
