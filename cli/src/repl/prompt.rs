//! Where inputs come from: a line editor at a terminal, or the lines of a script.

use std::io::{self, BufRead};
use std::path::PathBuf;
use std::{env, fs};

use cairn_lang::Typed;
use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Context, Editor, Helper};

use super::Session;

const PROMPT: &str = "cairn> ";

/// What was read.
pub(crate) enum Read {
    /// An input, whole.
    Input(String),
    /// Somebody thought better of it.
    Cancelled,
    /// There is no more.
    End,
}

/// Gives inputs one by one.
pub(crate) trait Lines {
    /// The next input.
    fn next(&mut self) -> Read;
}

/// Whether more lines belong to an input.
fn goes_on(text: &str) -> bool {
    let text = text.trim();
    let expression = match text.strip_prefix(':') {
        Some(command) => command.split_once(char::is_whitespace).map_or("", |(_, rest)| rest),
        None => text,
    };
    !expression.trim().is_empty() && Typed::of(expression) == Typed::Unfinished
}

/// The lines of a script on standard input.
pub(crate) struct Script;

impl Lines for Script {
    fn next(&mut self) -> Read {
        let mut text = String::new();
        loop {
            match io::stdin().lock().read_line(&mut text) {
                Ok(0) if text.is_empty() => return Read::End,
                Ok(count) if count > 0 && goes_on(&text) => {}
                Ok(_) => return Read::Input(text),
                Err(_) => return Read::End,
            }
        }
    }
}

/// A terminal, with history and completion.
pub(crate) struct Terminal<'s, 'a> {
    editor: Editor<Words<'s, 'a>, FileHistory>,
    history: Option<PathBuf>,
}

impl<'s, 'a> Terminal<'s, 'a> {
    /// An editor on the terminal; its history is kept where there is a place for it.
    pub(crate) fn new(session: &'s Session<'s, 'a>) -> rustyline::Result<Terminal<'s, 'a>> {
        let config = Config::builder().completion_type(CompletionType::List).build();
        let mut editor = Editor::with_config(config)?;
        editor.set_helper(Some(Words { session }));
        let history = history();
        if let Some(file) = &history {
            // The first session has none yet.
            let _ = editor.load_history(file);
        }
        Ok(Terminal { editor, history })
    }
}

impl Lines for Terminal<'_, '_> {
    fn next(&mut self) -> Read {
        match self.editor.readline(PROMPT) {
            Ok(text) => {
                // A history that cannot be written is none, and no reason to stop.
                if self.editor.add_history_entry(text.as_str()).unwrap_or(false)
                    && let Some(file) = &self.history
                {
                    let _ = self.editor.append_history(file);
                }
                Read::Input(text)
            }
            Err(ReadlineError::Interrupted) => Read::Cancelled,
            Err(_) => Read::End,
        }
    }
}

/// The file of the history, in the user's state folder.
fn history() -> Option<PathBuf> {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = set("XDG_STATE_HOME").or_else(|| set("HOME").map(|home| home.join(".local/state")));
    let folder = state?.join("cairn");
    fs::create_dir_all(&folder).ok()?;
    Some(folder.join("repl-history"))
}

/// What the editor asks while somebody types.
struct Words<'s, 'a> {
    session: &'s Session<'s, 'a>,
}

impl Completer for Words<'_, '_> {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        pos: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(self.session.complete(line, pos))
    }
}

impl Validator for Words<'_, '_> {
    fn validate(&self, typed: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(match goes_on(typed.input()) {
            true => ValidationResult::Incomplete,
            false => ValidationResult::Valid(None),
        })
    }
}

impl Hinter for Words<'_, '_> {
    type Hint = String;
}

impl Highlighter for Words<'_, '_> {}

impl Helper for Words<'_, '_> {}
