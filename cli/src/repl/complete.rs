//! What a half-typed word may become.

use std::fs;
use std::path::Path;
use std::time::Duration;

use cairn_lang::{Value, global_names, is_identifier};

use super::{COMMANDS, Session};

/// How long computing the set before a dot may take.
const PATIENCE: Duration = Duration::from_secs(2);

const KEYWORDS: [&str; 12] = [
    "assert", "else", "false", "if", "in", "inherit", "let", "null", "rec", "then", "true", "with",
];

impl Session<'_, '_> {
    /// The words that may stand from a place in the line up to `pos`.
    pub(super) fn complete(&self, line: &str, pos: usize) -> (usize, Vec<String>) {
        let before = line.get(..pos).unwrap_or(line);
        if before.starts_with(':') && !before.contains(char::is_whitespace) {
            let names = COMMANDS.iter().map(|(name, ..)| *name);
            return (0, beginning(before, names));
        }
        for command in [":l ", ":load "] {
            if let Some(path) = before.strip_prefix(command) {
                return (command.len(), files(path));
            }
        }
        let is_word = |c: char| c.is_alphanumeric() || "_'-.\"".contains(c);
        let start = before.trim_end_matches(is_word).len();
        let word = &before[start..];
        match word.rsplit_once('.') {
            None if word.is_empty() => (start, Vec::new()),
            None => {
                let names = self.names.borrow();
                let known = names.keys().copied().chain(global_names()).chain(KEYWORDS);
                (start, beginning(word, known))
            }
            Some((set, name)) => (start + set.len() + 1, self.attributes(set, name)),
        }
    }

    /// The attributes of a set whose names begin so. Only paths are evaluated, never calls.
    fn attributes(&self, set: &str, name: &str) -> Vec<String> {
        if !set.split('.').next().is_some_and(is_identifier) {
            return Vec::new();
        }
        let value = self.eval.anew(Some(PATIENCE), || self.evaluated("<completion>", set));
        let Ok(Value::Attrs(set)) = value else { return Vec::new() };
        let quoted = |name: &str| match is_identifier(name) {
            true => name.to_owned(),
            false => self.eval.print(self.eval.str(name)).unwrap_or_else(|_| name.to_owned()),
        };
        let names: Vec<String> = set.names().map(quoted).collect();
        beginning(name, names.iter().map(String::as_str))
    }
}

fn beginning<'n>(word: &str, names: impl Iterator<Item = &'n str>) -> Vec<String> {
    let mut found: Vec<String> =
        names.filter(|name| name.starts_with(word)).map(str::to_owned).collect();
    found.sort();
    found.dedup();
    found
}

/// The files and folders that a path may become.
fn files(path: &str) -> Vec<String> {
    let (folder, name) = path.rsplit_once('/').map_or(("", path), |(folder, name)| (folder, name));
    let shown = if path.contains('/') { format!("{folder}/") } else { String::new() };
    let place = if shown.is_empty() { Path::new(".") } else { Path::new(&shown) };
    let entries = fs::read_dir(place).into_iter().flatten().flatten();
    let mut found: Vec<String> = entries
        .filter_map(|entry| {
            let entry_name = entry.file_name().into_string().ok()?;
            let hidden = entry_name.starts_with('.') && !name.starts_with('.');
            let fits = entry_name.starts_with(name) && !hidden;
            let end = if entry.path().is_dir() { "/" } else { "" };
            fits.then(|| format!("{shown}{entry_name}{end}"))
        })
        .collect();
    found.sort();
    found
}
