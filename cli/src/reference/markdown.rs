//! Options as one page of Markdown: `docs/options.md` is made by this.

use std::fmt::Write as _;

use cairn_lang::modules::Shown;

use super::Entry;

/// A page of these options, in order.
pub(crate) fn page(entries: &[&Entry]) -> String {
    let mut out = String::from(
        "# Options\n\nEvery option of the standard modules, by name. This page is made from their \
         declarations by\n`cairn options --markdown`; `cairn options PATTERN` searches the same in a \
         terminal, those of a fleet's\nown modules too, and `cairn options --html DIR` makes a page of \
         its own with a search.\n\nIn a name, `<name>` stands for any name, and `*` for any element of a \
         list.\n",
    );
    let mut group = None;
    for entry in entries {
        let first = entry.loc.first();
        if group != first {
            group = first;
            let _ = write!(out, "\n## {}\n", first.map_or("", String::as_str));
        }
        one(entry, &mut out);
    }
    out
}

fn one(entry: &Entry, out: &mut String) {
    let _ = write!(out, "\n### `{}`\n\n", entry.path);
    if !entry.description.is_empty() {
        let _ = write!(out, "{}\n\n", escaped(&entry.description));
    }
    let _ = writeln!(out, "- type: {}", escaped(&entry.type_description));
    for (name, shown) in [("default", &entry.default), ("example", &entry.example)] {
        match shown {
            Some(Shown::Code(text)) if text.contains('\n') => {
                let _ = write!(out, "- {name}:\n\n");
                let lines =
                    text.lines().map(|line| format!("  {line}").trim_end().to_owned() + "\n");
                let _ = write!(out, "  ```text\n{}  ```\n\n", lines.collect::<String>());
            }
            Some(Shown::Code(text)) => {
                let fence = if text.contains('`') { "``" } else { "`" };
                let _ = writeln!(out, "- {name}: {fence}{text}{fence}");
            }
            Some(Shown::Words(text)) => {
                let _ = writeln!(out, "- {name}: {}", escaped(text));
            }
            None => {}
        }
    }
    let marks = entry.marks();
    if !marks.is_empty() {
        let _ = writeln!(out, "- {}", marks.join("; "));
    }
    let mut files: Vec<_> = entry.declared.iter().map(|at| at.file.as_str()).collect();
    files.dedup();
    let files = files.iter().map(|file| match file.strip_prefix("<cairn>/") {
        Some(path) => format!("[{path}](../modules/{path})"),
        None => format!("`{file}`"),
    });
    let files = files.collect::<Vec<_>>().join(", ");
    if !files.is_empty() {
        let _ = writeln!(out, "- declared in {files}");
    }
}

/// Markdown as it stands, but for what would be HTML in it, or marks by chance.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    let mut code = false;
    for c in text.trim_end().chars() {
        code ^= c == '`';
        match c {
            '<' if !code => out.push_str("&lt;"),
            '_' if !code => out.push_str("\\_"),
            c => out.push(c),
        }
    }
    out
}
