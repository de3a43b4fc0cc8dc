//! Where words and results go.
//!
//! Results go to standard output, words to standard error; with `--format json` standard output
//! holds one object a line and nothing else. A reader that closes its pipe early ends the output,
//! never the work: a switch must not stop half-way because `| head` has seen enough.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressDrawTarget};
use serde_json::{Value as Json, json};

use crate::args::{Color, Format, Global};
use crate::error::CommandError;
use crate::style::{BAD, DIM, paint};

/// The two streams, and how to write to them. Clones share them.
#[derive(Clone)]
pub(crate) struct Ui {
    json: bool,
    verbose: u8,
    progress: MultiProgress,
    failure: Arc<Mutex<Option<io::Error>>>,
}

impl Ui {
    /// Streams as the arguments and the environment (`NO_COLOR`, a terminal or not) want them.
    pub(crate) fn new(global: &Global) -> Ui {
        match global.color {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::AlwaysAnsi,
            Color::Never => anstream::ColorChoice::Never,
        }
        .write_global();
        let json = global.format == Format::Json;
        let progress = match json {
            true => MultiProgress::with_draw_target(ProgressDrawTarget::hidden()),
            false => MultiProgress::new(),
        };
        Ui { json, verbose: global.verbose, progress, failure: Arc::default() }
    }

    /// Whether standard output is for programs.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// How many times `-v` was given.
    pub(crate) fn verbose(&self) -> u8 {
        self.verbose
    }

    /// Live lines at the bottom of the terminal; invisible where standard error is none.
    pub(crate) fn progress(&self) -> &MultiProgress {
        &self.progress
    }

    /// A line of a result, for people.
    pub(crate) fn line(&self, text: impl Display) {
        if !self.json {
            self.write(format_args!("{text}\n"));
        }
    }

    /// A result for programs: an object with a `type`.
    pub(crate) fn object(&self, object: &Json) {
        if self.json {
            self.write(format_args!("{object}\n"));
        }
    }

    /// Output that is neither lines nor objects, such as a completion script.
    pub(crate) fn raw(&self, text: impl Display) {
        self.write(format_args!("{text}"));
    }

    /// Words beside the result.
    pub(crate) fn note(&self, text: impl Display) {
        self.progress.suspend(|| {
            // Where standard error is gone, there is nowhere left to say so.
            let _ = writeln!(anstream::stderr().lock(), "{text}");
        });
    }

    /// Why the command ends.
    pub(crate) fn error(&self, error: &CommandError) {
        let Some(message) = &error.message else { return };
        self.object(&json!({
            "type": "error",
            "kind": error.kind.as_str(),
            "message": message,
            "hints": error.hints,
        }));
        self.note(format_args!("{} {message}", paint(BAD.bold(), "error:")));
        for hint in &error.hints {
            self.note(format_args!("{} {hint}", paint(DIM, " help:")));
        }
    }

    /// Whether everything could be written.
    pub(crate) fn finish(&self) -> Result<(), CommandError> {
        match self.failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(CommandError::user(format!("standard output cannot be written: {error}")))
            }
            _ => Ok(()),
        }
    }

    fn write(&self, text: std::fmt::Arguments<'_>) {
        let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
        if failure.is_none() {
            let written = self.progress.suspend(|| {
                let mut out = anstream::stdout().lock();
                out.write_fmt(text).and_then(|()| out.flush())
            });
            *failure = written.err();
        }
    }
}
