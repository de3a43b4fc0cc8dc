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
/// keys that are repeated. What systemd would skip with a warning is skipped.
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
            keys.entry(key.trim_end().to_owned()).or_default().push(value.trim().to_owned());
        }
    }
    sections
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
            "/bin/a    --flag",
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
        ] {
            assert_eq!(compare(BASE, new), expected, "{new}");
            assert_eq!(compare(new, BASE), expected, "{new}");
        }
        let mount = |options| format!("[Mount]\nWhat=/dev/a\nOptions={options}\n");
        assert_eq!(compare(&mount("ro"), &mount("rw")), Difference::Reload);
    }
}
