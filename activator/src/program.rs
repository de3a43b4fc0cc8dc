//! What the program `cairn-activator` does with its arguments.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cairn_generation::wire::{Event, Step};

use crate::disk::Disk;
use crate::error::Error;
use crate::host::{Host, Run, watchdog};
use crate::journal::Journal;
use crate::node::Node;
use crate::state::State;
use crate::{boot, relay, secrets, serve};

/// What it was asked for.
enum Command {
    Serve,
    Engine(PathBuf),
    Recover(Occasion),
    Version,
}

/// Why recovery runs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Occasion {
    /// Somebody asked.
    Asked,
    /// The watchdog looks after a switch.
    Watchdog,
    /// The host boots.
    Boot,
    /// The host has come up: a trial is to be judged, or something is left to remove.
    Settle,
}

const USAGE: &str = "usage: cairn-activator serve | engine FOLDER | recover [--boot | --watchdog | --settle] | version";

/// Runs the program. Its exit code, and what is to be said on standard error.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> (u8, Vec<String>) {
    secrets::keep_private();
    let mut said = Vec::new();
    let command = match parse(arguments) {
        Ok(command) => command,
        Err(why) => return (2, vec![format!("{why}\n{USAGE}")]),
    };
    let done = match command {
        Command::Version => {
            said.push(format!("cairn-activator {}", env!("CARGO_PKG_VERSION")));
            Ok(())
        }
        Command::Serve => answer().map_err(|error| error.to_string()),
        Command::Engine(folder) => {
            relay::engine(&mut host(Host::running()), &folder).map_err(|error| error.to_string())
        }
        Command::Recover(occasion) => {
            recover(occasion, &mut |line| said.push(line)).map_err(|error| error.to_string())
        }
    };
    match done {
        Ok(()) => (0, said),
        Err(error) => {
            said.push(error);
            (4, said)
        }
    }
}

fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, String> {
    use lexopt::prelude::*;
    let mut parser = lexopt::Parser::from_args(arguments);
    let wrong = |error: lexopt::Error| error.to_string();
    let command = match parser.next().map_err(wrong)? {
        Some(Value(name)) => name.to_string_lossy().into_owned(),
        Some(Long("version")) => "version".to_owned(),
        Some(other) => return Err(other.unexpected().to_string()),
        None => return Err("what is to be done?".to_owned()),
    };
    let command = match command.as_str() {
        "serve" => Command::Serve,
        "version" => Command::Version,
        "engine" => Command::Engine(parser.value().map_err(wrong)?.into()),
        "recover" => Command::Recover(match parser.next().map_err(wrong)? {
            None => Occasion::Asked,
            Some(Long("boot")) => Occasion::Boot,
            Some(Long("watchdog")) => Occasion::Watchdog,
            Some(Long("settle")) => Occasion::Settle,
            Some(other) => return Err(other.unexpected().to_string()),
        }),
        other => return Err(format!("`{other}` is no command")),
    };
    match parser.next().map_err(wrong)? {
        None => Ok(command),
        Some(other) => Err(other.unexpected().to_string()),
    }
}

fn host(system: Host) -> Node {
    Node::new(Path::new("/"), Disk, Box::new(system))
}

fn answer() -> Result<(), cairn_generation::wire::FrameError> {
    let mut node = host(Host::running());
    serve::serve(&mut node, &mut io::stdin().lock(), &mut io::BufWriter::new(io::stdout().lock()))
}

fn recover(occasion: Occasion, say: &mut dyn FnMut(String)) -> Result<(), Error> {
    let mut tell = |event: Event| match event {
        Event::Warning { message } => say(message),
        Event::Step { step: Step::RollBack } => {
            say("going back to the confirmed generation".to_owned())
        }
        _ => {}
    };
    match occasion {
        Occasion::Boot => come_up(&mut tell),
        Occasion::Watchdog => watch(&mut tell),
        Occasion::Asked => end_switch(&mut tell),
        Occasion::Settle => {
            end_switch(&mut tell)?;
            // The unit that failed says so; what is left was told above.
            match Journal::load(&State::at(Path::new("/")))? {
                Some(_) => Err(Error::refused("not everything is settled")),
                None => Ok(()),
            }
        }
    }
}

fn end_switch(tell: &mut dyn FnMut(Event)) -> Result<(), Error> {
    match host(Host::running()).recover(tell) {
        Ok(_) => Ok(()),
        Err(failure) => Err(Error::refused(failure.message)),
    }
}

/// The manager read its units before the flip: it reads them again, and starts ours only then.
fn come_up(tell: &mut dyn FnMut(Event)) -> Result<(), Error> {
    let mut node = host(Host::booting());
    let done = boot::come_up(&mut node, tell);
    let settle = || match Journal::load(&node.state)? {
        Some(_) => {
            Run::new("systemctl").args(["start", "--no-block", "cairn-settle.service"]).succeed()
        }
        None => Ok(String::new()),
    };
    let number = node.state.number_at(&node.state.current_link());
    if number == Some(0) && done.is_ok() {
        return settle().map(drop);
    }
    Run::new("systemctl").args(["daemon-reload"]).succeed()?;
    // Where recovery failed, what stands is better started than a host without its services; the
    // failed unit says so.
    Run::new("systemctl").args(["start", "--no-block", "cairn.target"]).succeed()?;
    done?;
    settle().map(drop)
}

fn watch(tell: &mut dyn FnMut(Event)) -> Result<(), Error> {
    match host(Host::running()).recover(tell) {
        Ok(_) => {
            // An engine that ended in its last breath left the timer.
            watchdog::disarm();
            Ok(())
        }
        Err(_) if watchdog::end_expired()? => {
            std::thread::sleep(Duration::from_millis(200));
            end_switch(tell)
        }
        Err(failure) => {
            // Busy is the good case: the engine lives.
            let state = State::at(Path::new("/"));
            match Journal::under_way(&state)? {
                Some(_) if crate::lock::Lock::is_taken(&state) => Ok(()),
                _ => Err(Error::refused(failure.message)),
            }
        }
    }
}
