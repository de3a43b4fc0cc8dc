//! Prints random programs: `cargo run -p cairn-random --example programs -- SEED COUNT`.
#![allow(clippy::print_stdout)]

use cairn_random::{Choices, Options, Program, program};

fn main() {
    let mut args = std::env::args().skip(1).filter_map(|arg| arg.parse::<u64>().ok());
    let first = args.next().unwrap_or(1);
    for seed in first..first + args.next().unwrap_or(10) {
        let mut choices = Choices::from_seed(seed, Program::DECISIONS);
        let options = Options { failing: 8, wrong: 0, dynamic: true };
        println!("# {seed}\n{}\n", program(&mut choices, &options).text);
    }
}
