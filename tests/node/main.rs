//! A folder in the place of a host, switched by a process of its own: one that can be killed, be
//! refused system calls, or be the only program of a machine that loses its power.
//!
//! As the first process of a machine it is all that runs there: see [`machine`].
//!
//! It runs Cairn's own engine as `cairn --into` does, and is no part of Cairn.
#![allow(clippy::print_stdout, clippy::print_stderr)] // It is a command, with nobody above it.

mod machine;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;

use cairn_activator::{Error, Failure, Node, silent};
use cairn_generation::Store;
use cairn_generation::wire::{Mode, Outcome, SwitchOptions};

const USAGE: &str =
    "usage: node ROOT BLOBS (switch | test) MANIFEST | rollback TO | gc KEEP | recover";

fn main() -> ExitCode {
    if std::process::id() == 1 {
        println!("the machine is of no use: {:?}", machine::live());
        // The first process may not end.
        loop {
            std::thread::park();
        }
    }
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let [root, blobs, rest @ ..] = words.as_slice() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match run(Path::new(root), Path::new(blobs), rest) {
        Ok(Some(done)) => {
            println!("generation {}, changed {}", done.generation, done.changed);
            ExitCode::SUCCESS
        }
        Ok(None) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::from(if failure.unchanged { 3 } else { 4 })
        }
    }
}

fn run(root: &Path, blobs: &Path, words: &[&str]) -> Result<Option<Outcome>, Failure> {
    let mut node = Node::at_root(root)?;
    match words {
        ["recover"] => node.recover(&mut silent),
        ["gc", keep] => {
            let keep = keep.parse().map_err(|_| wrong(USAGE))?;
            node.gc(keep, &mut silent).map(Some)
        }
        ["rollback", to] => node.rollback(Some(to), &options(Mode::Switch), &mut silent).map(Some),
        [how, file] => {
            let mode = match *how {
                "switch" => Mode::Switch,
                "test" => Mode::Test,
                _ => return Err(wrong(USAGE)),
            };
            let manifest = std::fs::read(file)
                .map_err(|error| wrong(&format!("cannot read {file}: {error}")))?;
            let store = Store::open(blobs).map_err(Error::from)?;
            node.switch(&manifest, &store, &options(mode), &mut silent).map(Some)
        }
        _ => Err(wrong(USAGE)),
    }
}

fn wrong(why: &str) -> Failure {
    Failure { step: None, message: why.to_owned(), unchanged: true }
}

/// What the world of the sweeps lets be adopted.
fn options(mode: Mode) -> SwitchOptions {
    let adopt: BTreeSet<String> = ["/etc/motd", "/etc/hosts"].map(str::to_owned).into();
    SwitchOptions {
        mode,
        nonce: None,
        confirm_timeout: 1,
        adopt,
        deployer: "sweep@test".to_owned(),
        login: None,
        port: None,
        allow_lockout: false,
    }
}
