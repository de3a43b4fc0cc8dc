//! What a switch costs on the host itself.

use std::io::Write;
use std::process::Stdio;

use cairn_generation::BlobId;
use cairn_generation::manifest::{Content, Manifest};
use cairn_generation::wire::{
    Event, Hello, Mode, PROTOCOL, Request, SwitchOptions, read_message, write_message,
};
use cairn_tests::{Cairn, Fleet, Host, Lab};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

use crate::work::{self, Version};

const FILES: u32 = 300;
const UNITS: u32 = 50;
/// Runs, of which the median counts.
const RUNS: usize = 9;

/// Prints the processor time of a switch that does nothing, with many files and units.
pub(crate) fn show(lab: &Lab, host: &Host<'_>) {
    let definitions = work::definitions(Version::One, FILES, UNITS);
    let fleet = Fleet::of("alpha", host.address(), &definitions);
    let _ = Cairn::new(fleet.path()).within(lab).run(&["switch", "alpha"]).ok();
    let manifest = host.read("/var/lib/cairn/current/manifest.json");
    let mut took: Vec<i64> = (0..RUNS).map(|_| nothing(host, &manifest)).collect();
    took.sort_unstable();
    println!(
        "on the host, nothing to do with {FILES} files and {UNITS} units: {:.1}/{:.1} ms of processor time",
        took[0] as f64 / 1e3,
        took[RUNS / 2] as f64 / 1e3,
    );
}

/// Asks for the generation that the host is in, as a deployer does. Microseconds of processor time,
/// with those of the program that enters the host.
fn nothing(host: &Host<'_>, manifest: &str) -> i64 {
    let blobs = Manifest::decode(manifest.as_bytes()).unwrap().1;
    let blobs = blobs.files.values().filter_map(|file| match &file.content {
        Content::Blob(id) => Some(*id),
        _ => None,
    });
    let blobs = blobs.collect::<std::collections::BTreeSet<BlobId>>();
    let before = processor();
    let program = "/var/lib/cairn/activator/current/cairn-activator";
    let mut serve = host.inside(&[program, "serve"]);
    let mut serve = serve.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let (mut input, mut output) = (serve.stdin.take().unwrap(), serve.stdout.take().unwrap());
    let _: Hello = read_message(&mut output).unwrap();
    write_message(&mut input, &Hello { protocol: PROTOCOL, version: "1".to_owned() }).unwrap();
    write_message(&mut input, &Request::Have { blobs }).unwrap();
    let options = SwitchOptions {
        mode: Mode::Switch,
        nonce: Some("none".to_owned()),
        confirm_timeout: 30,
        adopt: Default::default(),
        deployer: "bench".to_owned(),
        login: None,
        port: None,
        allow_lockout: false,
    };
    write_message(&mut input, &Request::Switch { manifest: manifest.to_owned(), options }).unwrap();
    input.flush().unwrap();
    let changed = loop {
        match read_message(&mut output).unwrap() {
            Event::Missing { blobs } => {
                assert!(blobs.is_empty());
                let _: Event = read_message(&mut output).unwrap();
            }
            Event::Done(outcome) => break outcome.changed,
            other => panic!("{other:?}"),
        }
    };
    assert!(!changed);
    drop(input);
    assert!(serve.wait().unwrap().success());
    processor() - before
}

fn processor() -> i64 {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    usage.user_time().num_microseconds() + usage.system_time().num_microseconds()
}
