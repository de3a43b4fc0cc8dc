//! `cairn-activator`: see [`cairn_activator::program`].

use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let (code, said) = cairn_activator::program::run(std::env::args_os().skip(1));
    let mut errors = std::io::stderr().lock();
    for line in said {
        // Nobody may be listening any more.
        let _ = writeln!(errors, "{line}");
    }
    ExitCode::from(code)
}
