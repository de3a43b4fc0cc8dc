//! Unit files read key by key, and what a difference between two of them asks for.
//!
//! The rules are those of NixOS's switch-to-configuration, so that people's knowledge of it holds.

use std::collections::BTreeMap;

/// Values by section and key; a repeated key has several.
pub type Sections = BTreeMap<String, BTreeMap<String, Vec<String>>>;

/// What it takes to bring a running unit to its new definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// Nothing: both mean the same to a unit that runs.
    None,
    /// A reload is enough.
    Reload,
    /// Only a new start brings it.
    Restart,
}

/// Keys of `[Unit]` that change nothing about a unit that runs.
const QUIET: [&str; 12] = [
    "Description",
    "Documentation",
    "OnFailure",
    "OnSuccess",
    "OnFailureJobMode",
    "IgnoreOnIsolate",
    "StopWhenUnneeded",
    "RefuseManualStart",
    "RefuseManualStop",
    "AllowIsolate",
    "CollectMode",
    "SourcePath",
];

/// Reads a unit file as systemd does: comments and continuation lines, sections that appear twice,
/// keys that are repeated, and what an empty value takes back. Runs of blanks between words count as
/// one. What systemd would skip with a warning is skipped.
pub fn parse(text: &str) -> Sections {
    let mut sections = Sections::new();
    let mut section = String::new();
    for line in logical_lines(text) {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.to_owned();
            sections.entry(section.clone()).or_default();
        } else if let Some((key, value)) = line.split_once('=') {
            let keys = sections.entry(section.clone()).or_default();
            let key = key.trim_end();
            match single_blanks(value.trim()) {
                // From here on the key is as if it had never been there.
                empty if empty.is_empty() => drop(keys.remove(key)),
                value => keys.entry(key.to_owned()).or_default().push(value),
            }
        }
    }
    sections.retain(|_, keys| !keys.is_empty());
    sections
}

/// Words one blank apart, but for what stands in quotes.
fn single_blanks(value: &str) -> String {
    let mut plain = String::with_capacity(value.len());
    let (mut quote, mut escaped) = (None, false);
    for c in value.chars() {
        if quote.is_none() && c.is_whitespace() && !escaped {
            if !plain.ends_with(' ') {
                plain.push(' ');
            }
            continue;
        }
        match quote {
            Some(open) if c == open && !escaped => quote = None,
            None if (c == '"' || c == '\'') && !escaped => quote = Some(c),
            _ => {}
        }
        escaped = c == '\\' && !escaped;
        plain.push(c);
    }
    plain
}

/// Whether a key of a unit file is a true boolean, as systemd spells those.
pub fn is_true(sections: &Sections, section: &str, key: &str) -> bool {
    let values = sections.get(section).and_then(|keys| keys.get(key));
    let last = values.and_then(|values| values.last());
    last.is_some_and(|value| {
        ["1", "yes", "y", "true", "t", "on"].contains(&value.to_ascii_lowercase().as_str())
    })
}

/// Lines with continuations joined by a blank; comments dropped, within a continuation too.
fn logical_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut open: Option<String> = None;
    for line in text.lines() {
        if line.trim_start().starts_with(['#', ';']) {
            continue;
        }
        let (piece, continues) = match line.strip_suffix('\\') {
            Some(piece) => (piece, true),
            None => (line, false),
        };
        let joined = match open.take() {
            Some(start) => format!("{start} {piece}"),
            None => piece.to_owned(),
        };
        if continues {
            open = Some(joined);
        } else {
            lines.push(joined);
        }
    }
    lines.extend(open);
    lines
}

/// What brings a unit that runs under `old` to `new`.
pub fn compare(old: &str, new: &str) -> Difference {
    if old == new {
        return Difference::None;
    }
    let (old, new) = (parse(old), parse(new));
    let empty = BTreeMap::new();
    old.keys()
        .chain(new.keys())
        .map(|section| {
            let before = old.get(section).unwrap_or(&empty);
            let after = new.get(section).unwrap_or(&empty);
            before
                .keys()
                .chain(after.keys())
                .filter(|key| before.get(*key) != after.get(*key))
                .map(|key| weight(section, key))
                .max()
                .unwrap_or(Difference::None)
        })
        .max()
        .unwrap_or(Difference::None)
}

fn weight(section: &str, key: &str) -> Difference {
    match section {
        // Read by `systemctl enable` alone, which managed units never meet.
        "Install" => Difference::None,
        "Unit" if QUIET.contains(&key) => Difference::None,
        "Unit" if key == "X-Reload-Triggers" => Difference::Reload,
        "Unit" if key == "X-Restart-Triggers" => Difference::Restart,
        // systemd skips them: rules for a switch, and not for the unit.
        _ if key.starts_with("X-") || section.starts_with("X-") => Difference::None,
        "Mount" if key == "Options" => Difference::Reload,
        _ => Difference::Restart,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_as_systemd_does() {
        let text = "# c\n[Unit]\nDescription = a\n[Service]\nExecStart=/bin/a \\\n# within\n  --flag\nExecStart=/bin/b\n; c\nodd line\n[Unit]\nAfter=x\n";
        insta::assert_debug_snapshot!(parse(text), @r#"
{
    "Service": {
        "ExecStart": [
            "/bin/a --flag",
            "/bin/b",
        ],
    },
    "Unit": {
        "After": [
            "x",
        ],
        "Description": [
            "a",
        ],
    },
}
"#);
    }

    #[test]
    fn what_a_difference_asks_for() {
        const BASE: &str = "[Unit]\nDescription=a\n[Service]\nExecStart=/a\nEnvironment=A=1\n";
        for (new, expected) in [
            (BASE, Difference::None),
            ("[Unit]\nDescription=b\n[Service]\nExecStart=/a\nEnvironment=A=1\n", Difference::None),
            ("[Service]\nEnvironment=A=1\n# c\nExecStart=/a\n", Difference::None),
            ("[Service]\nExecStart=/a\nEnvironment=A=1\n[Install]\nWantedBy=x\n", Difference::None),
            ("[Service]\nExecStart=/b\nEnvironment=A=1\n", Difference::Restart),
            ("[Service]\nExecStart=/a\nEnvironment=A=1\nEnvironment=B=1\n", Difference::Restart),
            ("[Service]\nExecStart=/a\n", Difference::Restart),
            (
                "[Unit]\nX-Reload-Triggers=1\n[Service]\nExecStart=/a\nEnvironment=A=1\n",
                Difference::Reload,
            ),
            ("[Unit]\nAfter=x\n[Service]\nExecStart=/a\nEnvironment=A=1\n", Difference::Restart),
            ("", Difference::Restart),
            // Comments, blank lines, blanks, the order of sections, keys that change nothing.
            (
                "; c\n\n[Service]\n  Environment = A=1\nExecStart=\\\n# within\n /a\n\n[Unit]\nDescription=b\nDocumentation=man:x\n",
                Difference::None,
            ),
            // What an empty value takes back was never there.
            (
                "[Service]\nExecStart=/x\nUser=nobody\nExecStart=\nUser=\nExecStart=/a\nEnvironment=A=1\n[Unit]\nAfter=\n",
                Difference::None,
            ),
            ("[Service]\nExecStart=\nEnvironment=A=1\n", Difference::Restart),
            // Rules for a switch are none for the unit.
            (
                "[Unit]\nX-StopOnRemoval=false\n[Service]\nX-RestartIfChanged=false\nExecStart=/a\nEnvironment=A=1\n[X-Mine]\na=b\n",
                Difference::None,
            ),
            (
                "[Unit]\nX-Restart-Triggers=1\n[Service]\nExecStart=/a\nEnvironment=A=1\n",
                Difference::Restart,
            ),
            // Blanks in quotes are part of the word.
            ("[Service]\nExecStart=/a\nEnvironment=\"A=1\"\n", Difference::Restart),
        ] {
            assert_eq!(compare(BASE, new), expected, "{new}");
            assert_eq!(compare(new, BASE), expected, "{new}");
        }
        let echo = |words| format!("[Service]\nExecStart=/bin/echo {words}\n");
        assert_eq!(compare(&echo("a   b"), &echo("a b")), Difference::None);
        assert_eq!(compare(&echo("'a   b'"), &echo("'a b'")), Difference::Restart);
        let mount = |options| format!("[Mount]\nWhat=/dev/a\nOptions={options}\n");
        assert_eq!(compare(&mount("ro"), &mount("rw")), Difference::Reload);
    }
}
