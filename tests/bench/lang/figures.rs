//! What one run of a command takes.
//!
//! The system says a child's peak of memory only together with all other children's, so each
//! command is run by a process of its own: this very program, told to measure.

use std::ffi::OsString;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;

/// The argument that makes this program run the command after it.
pub(crate) const MEASURE: &str = "--measure";

/// What a command took.
#[derive(Clone, Copy)]
pub(crate) struct Figures {
    /// Time on the wall.
    pub(crate) wall: Duration,
    /// Processor time, of the program and of the system for it. A busy machine changes it less
    /// than the time on the wall.
    pub(crate) processor: Duration,
    /// The most memory that it had at once, in bytes.
    pub(crate) memory: u64,
}

impl Figures {
    /// The median of each figure.
    pub(crate) fn median(runs: &[Figures]) -> Figures {
        let mut wall: Vec<_> = runs.iter().map(|run| run.wall).collect();
        let mut processor: Vec<_> = runs.iter().map(|run| run.processor).collect();
        let mut memory: Vec<_> = runs.iter().map(|run| run.memory).collect();
        wall.sort_unstable();
        processor.sort_unstable();
        memory.sort_unstable();
        let middle = runs.len() / 2;
        Figures { wall: wall[middle], processor: processor[middle], memory: memory[middle] }
    }
}

/// Runs a command that must succeed: its figures, and what it printed.
pub(crate) fn run(command: &[OsString]) -> (Figures, String) {
    let output = Command::new(std::env::current_exe().unwrap())
        .arg(MEASURE)
        .args(command)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let (stdout, stderr) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?} fails\n{stderr}");
    // The measuring process has the last word.
    let mut figures = stderr.lines().last().unwrap_or_default().split(' ').map(str::parse::<u64>);
    let mut next = || figures.next().and_then(Result::ok).expect("figures");
    let (wall, processor) = (Duration::from_micros(next()), Duration::from_micros(next()));
    let figures = Figures { wall, processor, memory: next() };
    (figures, stdout.into_owned())
}

/// Runs the command that the arguments are, and says on standard error what it took.
#[expect(clippy::print_stderr, reason = "read by `run`")]
pub(crate) fn measure(mut command: impl Iterator<Item = OsString>) -> ! {
    let program = command.next().expect("a command");
    let start = Instant::now();
    let status = Command::new(&program).args(command).status();
    let wall = start.elapsed().as_micros();
    let status = status.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    let processor = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    // Linux counts the peak in KiB.
    eprintln!("{wall} {processor} {}", usage.max_rss() * 1024);
    std::process::exit(status.code().unwrap_or(1));
}
