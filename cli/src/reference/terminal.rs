//! Options in a terminal.

use cairn_lang::modules::Shown;

use super::Entry;
use super::prose::{Block, Inline, blocks, summary};
use crate::style::{ACTION, DIM, STRONG, paint};
use crate::ui::Ui;

/// Lines longer than this are hard to read, however wide the terminal is.
const WIDEST: usize = 100;

/// The width that text is broken at.
pub(crate) fn width() -> usize {
    let terminal = terminal_size::terminal_size_of(std::io::stdout());
    terminal.map_or(WIDEST, |(width, _)| usize::from(width.0)).clamp(40, WIDEST)
}

/// One line for each: its path, and what it is in short.
pub(crate) fn list(ui: &Ui, entries: &[&Entry], indent: &str) {
    let width = width();
    let longest = entries.iter().map(|entry| entry.path.chars().count()).max();
    let column = longest.unwrap_or_default().min(width / 2) + 2;
    for entry in entries {
        let used = entry.path.chars().count();
        let pad = column.saturating_sub(used).max(2);
        let room = width.saturating_sub(indent.len() + used + pad);
        let said = cut(&summary(&entry.description), room);
        let line = format!("{indent}{}{:pad$}{}", paint(STRONG, &entry.path), "", paint(DIM, said));
        ui.line(line.trim_end());
    }
}

/// A text that is no wider than this.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    if width < 12 {
        return String::new();
    }
    let kept: String = text.chars().take(width - 1).collect();
    let whole = kept.rsplit_once(' ').map_or(kept.as_str(), |(words, _)| words);
    format!("{}…", whole.trim_end_matches([',', ';', ':']))
}

/// Everything about an option.
pub(crate) fn whole(ui: &Ui, entry: &Entry) {
    let marks = entry.marks();
    let marks = if marks.is_empty() { String::new() } else { format!("  ({})", marks.join("; ")) };
    ui.line(format_args!("{}{}", paint(STRONG, &entry.path), paint(DIM, marks)));
    field(ui, "type", &entry.type_description);
    for (name, shown) in [("default", &entry.default), ("example", &entry.example)] {
        if let Some(shown) = shown {
            value(ui, name, shown);
        }
    }
    for at in &entry.declared {
        field(ui, "declared", &at.place());
    }
    description(ui, &entry.description);
}

/// A named value, its further lines below its first.
pub(crate) fn value(ui: &Ui, name: &str, shown: &Shown) {
    match shown {
        Shown::Words(words) => {
            let mut lines = wrap(&[Inline::Text(words.clone())], width().saturating_sub(11));
            let first = if lines.is_empty() { String::new() } else { lines.remove(0) };
            field(ui, name, &first);
            lines.iter().for_each(|line| ui.line(format_args!("           {line}")));
        }
        Shown::Code(text) => {
            let mut lines = text.lines();
            field(ui, name, &paint(ACTION, lines.next().unwrap_or_default()));
            lines.for_each(|line| {
                ui.line(format_args!("           {}", paint(ACTION, line)).to_string().trim_end());
            });
        }
    }
}

/// A named line.
pub(crate) fn field(ui: &Ui, name: &str, text: &str) {
    ui.line(format_args!("  {} {text}", paint(DIM, format_args!("{name:<8}"))));
}

/// A description, its lines broken where the terminal ends.
pub(crate) fn description(ui: &Ui, text: &str) {
    let width = width().saturating_sub(2);
    for block in blocks(text) {
        ui.line("");
        match block {
            Block::Paragraph(words) => {
                wrap(&words, width).iter().for_each(|line| ui.line(format_args!("  {line}")));
            }
            Block::List(items) => {
                for item in items {
                    for (number, line) in wrap(&item, width.saturating_sub(2)).iter().enumerate() {
                        let mark = if number == 0 { "-" } else { " " };
                        ui.line(format_args!("  {mark} {line}"));
                    }
                }
            }
            Block::Code(text) => {
                text.lines().for_each(|line| ui.line(format_args!("    {}", paint(ACTION, line))));
            }
        }
    }
}

/// Words in lines of at most this width, each with its colours.
fn wrap(inlines: &[Inline], width: usize) -> Vec<String> {
    // Each word with what it looks like; a blank before it, or none.
    let mut words: Vec<(String, usize, bool)> = Vec::new();
    let mut blank = true;
    for inline in inlines {
        let (text, style) = match inline {
            Inline::Text(text) => (text.clone(), None),
            Inline::Code(text) => (format!("`{text}`"), Some(ACTION)),
            Inline::Strong(text) => (text.clone(), Some(STRONG)),
            Inline::Emphasis(text) => (text.clone(), Some(DIM.italic())),
            Inline::Link(text, target) if text == target => (text.clone(), Some(ACTION)),
            Inline::Link(text, target) => (format!("{text} ({target})"), None),
        };
        for part in text.split_inclusive(' ') {
            let word = part.trim_end_matches(' ');
            if !word.is_empty() {
                let shown = style.map_or_else(|| word.to_owned(), |style| paint(style, word));
                words.push((shown, word.chars().count(), blank));
            }
            blank = word.is_empty() || part.ends_with(' ');
        }
    }
    let (mut lines, mut line, mut used) = (Vec::new(), String::new(), 0);
    let mut at = 0;
    while at < words.len() {
        // Words without a blank between them stay together.
        let next = words.iter().skip(at + 1).take_while(|(_, _, blank)| !blank).count() + 1;
        let group = words.get(at..at + next).unwrap_or_default();
        let length: usize = group.iter().map(|(_, length, _)| length).sum();
        if used > 0 && used + 1 + length > width {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        group.iter().for_each(|(shown, _, _)| line.push_str(shown));
        used += length;
        at += next;
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::prose::inline;

    #[test]
    fn words_are_kept_together() {
        let lines =
            wrap(&inline("Set `a b c`, then **go** on (`x`) and [there](https://y.z)."), 14);
        let plain = lines.iter().map(|line| anstream::adapter::strip_str(line).to_string());
        insta::assert_snapshot!(plain.collect::<Vec<_>>().join("\n"), @r"
        Set `a b c`,
        then go on
        (`x`) and
        there
        (https://y.z).
        ");
        assert_eq!(cut("one, two three", 20), "one, two three");
        assert_eq!(cut("one two, three four", 13), "one two…");
    }
}
