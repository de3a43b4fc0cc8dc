//! Lines and sections of a configuration file.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Found, Query};
use crate::error::Cause;
use crate::pattern;

/// Files may include each other so deep, as in OpenSSH.
const DEPTH: usize = 16;

/// Lines that apply to the same hosts.
#[derive(Debug, Clone)]
pub(super) struct Section {
    /// All must hold: an included file has the conditions of where it is included.
    conditions: Vec<Line>,
    pub(super) lines: Vec<Line>,
}

/// A keyword in lower case, and its arguments.
#[derive(Debug, Clone)]
pub(super) struct Line {
    path: PathBuf,
    number: usize,
    pub(super) keyword: String,
    pub(super) arguments: Vec<String>,
}

/// Reads a file; what it includes relative to `base` too.
pub(super) fn read(path: &Path, base: &Path, sections: &mut Vec<Section>) -> Result<(), Cause> {
    read_under(path, base, &[], 0, sections)
}

fn read_under(
    path: &Path,
    base: &Path,
    conditions: &[Line],
    depth: usize,
    sections: &mut Vec<Section>,
) -> Result<(), Cause> {
    let text = std::fs::read_to_string(path).map_err(|error| Cause::SshConfig {
        path: path.to_owned(),
        line: None,
        message: error.to_string(),
    })?;
    let new = |conditions: Vec<Line>| Section { conditions, lines: Vec::new() };
    let mut section = new(conditions.to_vec());
    for (index, text) in text.lines().enumerate() {
        let Some(line) = parse(path, index + 1, text)? else { continue };
        match line.keyword.as_str() {
            "host" | "match" => {
                let both = conditions.iter().cloned().chain([line]).collect();
                sections.push(std::mem::replace(&mut section, new(both)));
            }
            "include" if depth == DEPTH => return Err(line.error("files include each other")),
            "include" => {
                let after = new(section.conditions.clone());
                let within = section.conditions.clone();
                sections.push(std::mem::replace(&mut section, after));
                for pattern in &line.arguments {
                    for file in included(pattern, base) {
                        read_under(&file, base, &within, depth + 1, sections)?;
                    }
                }
            }
            _ => section.lines.push(line),
        }
    }
    sections.push(section);
    Ok(())
}

/// The files that an `Include` names, in the order of their names. As in OpenSSH, none is no error.
fn included(pattern: &str, base: &Path) -> Vec<PathBuf> {
    let path = match pattern.strip_prefix("~/") {
        // `base` is ~/.ssh for whoever may write `~`.
        Some(rest) => base.parent().unwrap_or(base).join(rest),
        None => base.join(pattern),
    };
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if !name.contains(['*', '?']) {
        return if path.is_file() { vec![path] } else { Vec::new() };
    }
    let entries = path.parent().map(std::fs::read_dir);
    let mut files: Vec<_> = entries
        .into_iter()
        .flatten()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|file| {
            let file_name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            !file_name.starts_with('.') && pattern::matches(name, file_name) && file.is_file()
        })
        .collect();
    files.sort();
    files
}

fn parse(path: &Path, number: usize, text: &str) -> Result<Option<Line>, Cause> {
    let text = text.trim();
    if text.is_empty() || text.starts_with('#') {
        return Ok(None);
    }
    let end = text.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(text.len());
    let (keyword, rest) = text.split_at(end);
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest);
    let mut line = Line {
        path: path.to_owned(),
        number,
        keyword: keyword.to_lowercase(),
        arguments: Vec::new(),
    };
    match words(rest) {
        Some(arguments) if arguments.is_empty() => Err(line.error("it says nothing")),
        Some(arguments) => {
            line.arguments = arguments;
            Ok(Some(line))
        }
        None => Err(line.error("a quote is not closed")),
    }
}

/// Words apart by white space, up to a comment; quotes hold one together. None where one is open.
fn words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() && !rest.starts_with('#') {
        let (word, after) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())),
        };
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    Some(words)
}

impl Section {
    /// Whether it speaks of this host, by what was found before it.
    pub(super) fn applies(&self, query: &Query<'_>, found: &Found<'_>) -> Result<bool, Cause> {
        for condition in &self.conditions {
            let holds = match condition.keyword.as_str() {
                "host" => {
                    let patterns = condition.arguments.iter().map(String::as_str);
                    pattern::list_matches(patterns, query.alias)
                }
                _ => condition.criteria_hold(query, found)?,
            };
            if !holds {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Line {
    /// The criteria of a `Match` line.
    fn criteria_hold(&self, query: &Query<'_>, found: &Found<'_>) -> Result<bool, Cause> {
        let mut words = self.arguments.iter();
        while let Some(criterion) = words.next() {
            let subject = match criterion.to_lowercase().as_str() {
                "all" => continue,
                "host" => found.address(query)?,
                "originalhost" => query.alias.to_owned(),
                "user" => found.user(query)?,
                "localuser" => query.local_user.to_owned(),
                // These passes never happen here: nothing is made canonical.
                "canonical" | "final" => return Ok(false),
                _ => return Err(self.error(format!("`Match {criterion}` is not supported"))),
            };
            let Some(patterns) = words.next() else {
                return Err(self.error(format!("`Match {criterion}` says nothing")));
            };
            if !pattern::list_matches(patterns.split(','), &subject) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The one argument.
    pub(super) fn first(&self) -> Result<&str, Cause> {
        match self.arguments.as_slice() {
            [only] => Ok(only),
            _ => Err(self.error(format!("{} takes one value", self.keyword))),
        }
    }

    pub(super) fn number(&self) -> Result<u16, Cause> {
        let text = self.first()?;
        let port = text.parse().ok().filter(|port| *port != 0);
        port.ok_or_else(|| self.error(format!("`{text}` is no port")))
    }

    pub(super) fn yes(&self) -> Result<bool, Cause> {
        match self.first()?.to_lowercase().as_str() {
            "yes" | "true" => Ok(true),
            "no" | "false" => Ok(false),
            other => Err(self.error(format!("`{other}` is neither yes nor no"))),
        }
    }

    /// A time as sshd_config(5) writes it; none where it is left to the system.
    pub(super) fn seconds(&self) -> Result<Option<Duration>, Cause> {
        let text = self.first()?;
        let wrong = || self.error(format!("`{text}` is no time"));
        if matches!(text, "none" | "0") {
            return Ok(None);
        }
        let mut total = 0u64;
        let mut rest = text;
        while !rest.is_empty() {
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let (number, unit) = rest.split_at(digits);
            let number: u64 = number.parse().map_err(|_| wrong())?;
            let mut letters = unit.chars();
            let factor = match letters.next().map(|c| c.to_ascii_lowercase()) {
                None | Some('s') => 1,
                Some('m') => 60,
                Some('h') => 3600,
                Some('d') => 86400,
                Some('w') => 604_800,
                Some(_) => return Err(wrong()),
            };
            let seconds = number.checked_mul(factor).ok_or_else(wrong)?;
            total = total.checked_add(seconds).ok_or_else(wrong)?;
            rest = letters.as_str();
        }
        Ok(Some(Duration::from_secs(total)))
    }

    /// It would change where a connection leads, and must not be passed over; `none` takes it back.
    pub(super) fn unsupported(&self) -> Result<(), Cause> {
        match self.arguments.first().map(|word| word.to_lowercase()).as_deref() {
            Some("none" | "no") => Ok(()),
            _ if self.keyword == "proxycommand" => Err(self.error(
                "proxycommand is not supported: `ProxyJump` is, and wins where it stands above it",
            )),
            _ => Err(self.error(format!("{} is not supported", self.keyword))),
        }
    }

    pub(super) fn error(&self, message: impl Into<String>) -> Cause {
        Cause::SshConfig {
            path: self.path.clone(),
            line: Some(self.number),
            message: message.into(),
        }
    }
}
