//! Programs of the host, run with a deadline and without a terminal.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::Error;

/// A program to be run.
pub(crate) struct Run<'a> {
    program: &'a str,
    arguments: Vec<String>,
    environment: Vec<(&'a str, String)>,
    input: Vec<u8>,
    deadline: Duration,
}

/// How a program ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Whether it exited with 0.
    pub(crate) success: bool,
    /// Exit code; none when a signal ended it.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) output: String,
    /// Standard error.
    pub(crate) errors: String,
}

impl<'a> Run<'a> {
    pub(crate) fn new(program: &'a str) -> Self {
        Self {
            program,
            arguments: Vec::new(),
            environment: Vec::new(),
            input: Vec::new(),
            deadline: Duration::from_secs(120),
        }
    }

    pub(crate) fn args<S: Into<String>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    pub(crate) fn env(mut self, key: &'a str, value: impl Into<String>) -> Self {
        self.environment.push((key, value.into()));
        self
    }

    pub(crate) fn input(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.input = input.into();
        self
    }

    pub(crate) fn within(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Runs it to its end, whatever that is.
    ///
    /// # Errors
    /// When it cannot be started, or did not end in time.
    pub(crate) fn end(self) -> Result<Ended, Error> {
        let name = self.name();
        let failed = |why: String| Error::refused(format!("cannot run `{name}`: {why}"));
        let mut command = Command::new(self.program);
        command
            .args(&self.arguments)
            .env_clear()
            .env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
            .env("LC_ALL", "C.UTF-8")
            .env("HOME", "/root")
            .envs(self.environment.iter().map(|(key, value)| (key, value)))
            .current_dir("/")
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
        let input = self.input;
        // Threads, so that no pipe fills up while another is waited for.
        let writer = child.stdin.take().map(|mut pipe| {
            // A program that reads nothing is no error.
            thread::spawn(move || drop(pipe.write_all(&input)))
        });
        let output = child.stdout.take().map(read_all);
        let errors = child.stderr.take().map(read_all);
        let status = wait(&mut child, self.deadline).map_err(|error| failed(error.to_string()))?;
        drop(writer);
        let Some(status) = status else {
            return Err(failed(format!("it did not end within {} s", self.deadline.as_secs())));
        };
        Ok(Ended {
            success: status.success(),
            code: status.code(),
            output: collect(output),
            errors: collect(errors),
        })
    }

    /// Runs it, and takes any other end than success for an error.
    ///
    /// # Errors
    /// When it cannot be started, failed, or did not end in time; with what it said.
    pub(crate) fn succeed(self) -> Result<String, Error> {
        let name = self.name();
        let ended = self.end()?;
        if ended.success {
            return Ok(ended.output);
        }
        Err(Error::refused(format!("`{name}` failed: {}", ended.said())))
    }

    fn name(&self) -> String {
        let shown: Vec<&str> = self
            .arguments
            .iter()
            .map(String::as_str)
            .filter(|text| text.len() < 80)
            .take(4)
            .collect();
        format!("{} {}", self.program, shown.join(" ")).trim_end().to_owned()
    }
}

impl Ended {
    /// The end of what it said, on one line; errors before output.
    pub(crate) fn said(&self) -> String {
        let text = if self.errors.trim().is_empty() { &self.output } else { &self.errors };
        let lines: Vec<&str> =
            text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        match (lines.as_slice(), self.code) {
            ([], Some(code)) => format!("it exited with {code}"),
            ([], None) => "a signal ended it".to_owned(),
            (lines, _) => lines.get(lines.len().saturating_sub(6)..).unwrap_or(lines).join("; "),
        }
    }
}

fn wait(
    child: &mut Child,
    deadline: Duration,
) -> std::io::Result<Option<std::process::ExitStatus>> {
    let end = Instant::now() + deadline;
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= end {
            // With all that it started, so that no pipe stays open.
            if let Some(group) =
                i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw)
            {
                let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
            }
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

fn read_all(mut pipe: impl Read + Send + 'static) -> std::sync::mpsc::Receiver<String> {
    let (send, receive) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What came before an error is what there is to show.
        let _ = pipe.read_to_end(&mut bytes);
        let _ = send.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receive
}

/// A daemon that a program left behind may hold its pipe open: it is not waited for.
fn collect(pipe: Option<std::sync::mpsc::Receiver<String>>) -> String {
    pipe.and_then(|pipe| pipe.recv_timeout(Duration::from_secs(2)).ok()).unwrap_or_default()
}

/// Whether the host has a program of this name.
pub(crate) fn has(program: &str) -> bool {
    ["/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/sbin", "/usr/local/bin"]
        .iter()
        .any(|folder| std::path::Path::new(folder).join(program).is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_goes_in_and_output_comes_out() {
        let ended = Run::new("cat").input(vec![b'a'; 300_000]).end().unwrap();
        assert_eq!((ended.success, ended.output.len()), (true, 300_000));
    }

    #[test]
    fn a_program_that_fails_is_quoted() {
        let error = Run::new("sh").args(["-c", "echo why >&2; exit 3"]).succeed().unwrap_err();
        assert_eq!(error.to_string(), "`sh -c echo why >&2; exit 3` failed: why");
    }

    #[test]
    fn a_program_that_hangs_is_ended() {
        let run = Run::new("sh").args(["-c", "sleep 60 & sleep 60"]);
        let error = run.within(Duration::from_millis(50)).end().unwrap_err();
        assert!(error.to_string().contains("did not end within"), "{error}");
    }
}
