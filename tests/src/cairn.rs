//! The `cairn` command, run as a user runs it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::lab::Lab;

/// How `cairn` is run: for which fleet, and from where.
pub struct Cairn<'a> {
    fleet: &'a Path,
    lab: Option<&'a Lab>,
    /// The user's home where no lab brings one.
    home: TempDir,
    program: PathBuf,
    environment: Vec<(String, String)>,
    prefix: Vec<String>,
}

/// The `cairn` to be tested: `CAIRN_BIN`, or the one that `cargo` builds beside the tests.
pub fn program() -> PathBuf {
    if let Some(named) = std::env::var_os("CAIRN_BIN") {
        return PathBuf::from(named);
    }
    let test = std::env::current_exe().unwrap();
    let built = test.parent().and_then(Path::parent).unwrap().join("cairn");
    assert!(built.exists(), "no cairn at {}: build it, or set CAIRN_BIN", built.display());
    built
}

impl<'a> Cairn<'a> {
    /// Runs for the fleet at `fleet`, on this machine, with nothing to reach.
    #[must_use]
    pub fn new(fleet: &'a Path) -> Self {
        Self {
            fleet,
            lab: None,
            home: tempfile::tempdir().unwrap(),
            program: program(),
            environment: Vec::new(),
            prefix: Vec::new(),
        }
    }

    /// Runs a copy in `folder`, for a user who may not look into this project's.
    #[must_use]
    pub fn copied_to(mut self, folder: &Path) -> Self {
        let copy = folder.join("cairn");
        if !copy.exists() {
            std::fs::copy(&self.program, &copy).expect("cairn can be copied");
        }
        self.program = copy;
        self
    }

    /// Runs inside the network of `lab`, as its user.
    #[must_use]
    pub fn within(mut self, lab: &'a Lab) -> Self {
        self.lab = Some(lab);
        self.env("HOME", &lab.home_directory().display().to_string())
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Runs under another program, such as `setpriv`, which takes a command as its last words.
    #[must_use]
    pub fn under(mut self, prefix: &[&str]) -> Self {
        self.prefix = prefix.iter().map(|&word| word.to_owned()).collect();
        self
    }

    /// The command with these arguments, not yet started. `--fleet` is added to them.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut words: Vec<&OsStr> = self.prefix.iter().map(OsStr::new).collect();
        words.push(self.program.as_os_str());
        let mut command = match self.lab {
            Some(lab) => lab.command(words[0]),
            None => Command::new(words[0]),
        };
        command.args(&words[1..]).args(arguments).arg("--fleet").arg(self.fleet);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
            .env("HOME", self.home.path())
            .env("NO_COLOR", "1")
            .envs(self.environment.iter().cloned());
        command.stdin(Stdio::null()).current_dir("/");
        command
    }

    /// Runs it to its end.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Outcome {
        let output = self.command(arguments).output().expect("cairn starts");
        Outcome { command: format!("cairn {}", arguments.join(" ")), output }
    }

    /// Starts it, with everything that it prints kept for [`Outcome::of`].
    #[must_use]
    pub fn start(&self, arguments: &[&str]) -> Child {
        let mut command = self.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("cairn starts")
    }
}

/// What a run of `cairn` came to.
#[derive(Debug)]
pub struct Outcome {
    command: String,
    output: Output,
}

impl Outcome {
    /// Waits for a run that [`Cairn::start`] began.
    #[must_use]
    pub fn of(child: Child) -> Self {
        let output = child.wait_with_output().unwrap();
        Self { command: "cairn".to_owned(), output }
    }

    /// Its exit code; -1 when a signal ended it.
    #[must_use]
    pub fn code(&self) -> i32 {
        self.output.status.code().unwrap_or(-1)
    }

    /// What it printed for programs.
    #[must_use]
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned()
    }

    /// What it printed for people.
    #[must_use]
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    /// Both, for assertions about words.
    #[must_use]
    pub fn words(&self) -> String {
        self.stdout() + &self.stderr()
    }

    /// Panics, showing what was printed, unless the exit code is this one.
    pub fn expect(self, code: i32) -> Self {
        assert!(
            self.code() == code,
            "`{}` ended with {}, not {code}\n---- stdout\n{}\n---- stderr\n{}",
            self.command,
            self.code(),
            self.stdout(),
            self.stderr()
        );
        self
    }

    /// Panics unless it succeeded.
    pub fn ok(self) -> Self {
        self.expect(0)
    }

    /// Panics unless each of these is among its words, and it said nothing of a panic.
    pub fn says(self, words: &[&str]) -> Self {
        let said = self.words();
        for word in words {
            assert!(said.contains(word), "`{}` does not say {word:?}:\n{said}", self.command);
        }
        assert!(!said.contains("panicked"), "`{}` panicked:\n{said}", self.command);
        self
    }

    /// The objects that `--format json` printed, one a line.
    #[must_use]
    pub fn json(&self) -> Vec<Value> {
        let stdout = self.stdout();
        let object = |line: &str| -> Value {
            let parsed = serde_json::from_str(line);
            parsed.unwrap_or_else(|error| panic!("not JSON: {error}: {line}\nin:\n{stdout}"))
        };
        stdout.lines().map(object).collect()
    }
}
