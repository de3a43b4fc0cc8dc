//! End to end on real Debian hosts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)] // A test ends by panicking.

mod bad_input;
mod bundle;
mod debian;
mod drift;
mod examples;
mod going_back;
mod helm;
mod interference;
mod lab;
mod locked;
mod secrets;
mod services;
mod settling;
mod sweep;
mod the_path;
mod units;
mod ways_in;

fn main() {
    cairn_tests::run(
        true,
        &[
            ("lab", lab::CASES),
            ("locked", locked::CASES),
            ("debian", debian::CASES),
            ("helm", helm::CASES),
            ("the_path", the_path::CASES),
            ("bad_input", bad_input::CASES),
            ("going_back", going_back::CASES),
            ("drift", drift::CASES),
            ("units", units::CASES),
            ("ways_in", ways_in::CASES),
            ("secrets", secrets::CASES),
            ("services", services::CASES),
            ("bundle", bundle::CASES),
            ("examples", examples::CASES),
            ("interference", interference::CASES),
            ("settling", settling::CASES),
            ("sweep", sweep::cases()),
        ],
    );
}
