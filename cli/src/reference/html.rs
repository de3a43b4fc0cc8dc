//! Options as one page for browsers: everything is in it, and nothing is fetched.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use cairn_lang::modules::Shown;

use super::Entry;
use super::prose::{Block, Inline, blocks, inline};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// A page of these options, in order. `of` says whose they are.
pub(crate) fn page(entries: &[&Entry], of: &str) -> String {
    let title = escaped(&format!("Options of {of}"));
    let count = entries.len();
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
         <header>\n<h1>{title}</h1>\n\
         <div class=\"search\" role=\"search\">\n\
         <input id=\"search\" type=\"search\" placeholder=\"Search {count} options\" \
         aria-label=\"Search options\" autocomplete=\"off\" autocapitalize=\"off\" spellcheck=\"false\">\n\
         <kbd>/</kbd>\n</div>\n\
         <p id=\"status\" role=\"status\">{count} options</p>\n</header>\n"
    );
    groups(entries, &mut out);
    out.push_str("<main id=\"options\">\n");
    let mut seen = BTreeMap::new();
    for entry in entries {
        one(entry, &unique(id(&entry.path), &mut seen), &mut out);
    }
    let _ = write!(
        out,
        "</main>\n<p id=\"nothing\" hidden>No option has all of these words.</p>\n\
         <footer><kbd>/</kbd> search <kbd>↓</kbd> <kbd>↑</kbd> move <kbd>Enter</kbd> open and close \
         <kbd>Esc</kbd> clear</footer>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n"
    );
    out
}

/// The anchor of an option: what NixOS's manual calls it.
pub(crate) fn id(path: &str) -> String {
    let safe = |c: char| if c.is_alphanumeric() || "._-".contains(c) { c } else { '_' };
    format!("opt-{}", path.chars().map(safe).collect::<String>())
}

/// Two hosts may declare one name each for itself.
fn unique(id: String, seen: &mut BTreeMap<String, usize>) -> String {
    let count = seen.entry(id.clone()).or_insert(0);
    *count += 1;
    if *count == 1 { id } else { format!("{id}-{count}") }
}

/// Links to where each first name begins.
fn groups(entries: &[&Entry], out: &mut String) {
    let mut groups: Vec<(&str, &Entry, usize)> = Vec::new();
    for entry in entries {
        let name = entry.loc.first().map_or("", String::as_str);
        match groups.last_mut() {
            Some((last, _, count)) if *last == name => *count += 1,
            _ => groups.push((name, entry, 1)),
        }
    }
    out.push_str("<nav id=\"groups\" aria-label=\"Groups of options\">\n");
    for (name, first, count) in groups {
        let (id, name) = (escaped(&id(&first.path)), escaped(name));
        let _ = writeln!(out, "<a href=\"#{id}\">{name} <span>{count}</span></a>");
    }
    out.push_str("</nav>\n");
}

fn one(entry: &Entry, id: &str, out: &mut String) {
    let (id, path) = (escaped(id), names(entry));
    let _ = writeln!(out, "<details class=\"option\" id=\"{id}\">");
    let brief = escaped(&super::prose::summary(&entry.description));
    let _ = writeln!(
        out,
        "<summary><code class=\"name\">{path}</code> <span class=\"brief\">{brief}</span></summary>"
    );
    out.push_str("<div class=\"about\">\n");
    prose(&entry.description, out);
    out.push_str("<dl>\n");
    let _ = writeln!(out, "<dt>Type</dt><dd>{}</dd>", escaped(&entry.type_description));
    for (name, shown) in [("Default", &entry.default), ("Example", &entry.example)] {
        if let Some(shown) = shown {
            let _ = writeln!(out, "<dt>{name}</dt><dd>{}</dd>", value(shown));
        }
    }
    let marks = entry.marks();
    if !marks.is_empty() {
        let _ = writeln!(out, "<dt>Note</dt><dd>{}</dd>", escaped(&marks.join("; ")));
    }
    for at in &entry.declared {
        let place = escaped(&at.place());
        let _ = writeln!(out, "<dt>Declared</dt><dd><code>{place}</code></dd>");
    }
    let _ = writeln!(
        out,
        "</dl>\n<a class=\"link\" href=\"#{id}\" title=\"Link to this option\">#</a>\n</div>\n</details>"
    );
}

/// A path that may break after its dots, its placeholders set apart.
fn names(entry: &Entry) -> String {
    let mut out = String::new();
    // The path quotes what must be; it splits where its names end.
    let mut rest = entry.path.as_str();
    for (number, name) in entry.loc.iter().enumerate() {
        let end = rest.find(name.as_str()).map_or(rest.len(), |at| at + name.len());
        let end = end + usize::from(rest.get(end..).is_some_and(|after| after.starts_with('"')));
        let (part, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        if number > 0 {
            out.push_str(".<wbr>");
        }
        match name.starts_with('<') || name == "*" {
            true => {
                let _ = write!(out, "<i>{}</i>", escaped(part));
            }
            false => out.push_str(&escaped(part)),
        }
        rest = after.strip_prefix('.').unwrap_or(after);
    }
    out
}

fn value(shown: &Shown) -> String {
    match shown {
        Shown::Code(text) if text.contains('\n') => {
            format!("<pre><code>{}</code></pre>", escaped(text))
        }
        Shown::Code(text) => format!("<code>{}</code>", escaped(text)),
        Shown::Words(text) => words(&inline(text)),
    }
}

fn prose(text: &str, out: &mut String) {
    for block in blocks(text) {
        let html = match block {
            Block::Paragraph(inlines) => format!("<p>{}</p>", words(&inlines)),
            Block::List(items) => {
                let items = items.iter().map(|item| format!("<li>{}</li>", words(item)));
                format!("<ul>{}</ul>", items.collect::<String>())
            }
            Block::Code(text) => format!("<pre><code>{}</code></pre>", escaped(&text)),
        };
        out.push_str(&html);
        out.push('\n');
    }
}

fn words(inlines: &[Inline]) -> String {
    let each = inlines.iter().map(|inline| match inline {
        Inline::Text(text) => escaped(text),
        Inline::Code(text) => format!("<code>{}</code>", escaped(text)),
        Inline::Strong(text) => format!("<strong>{}</strong>", escaped(text)),
        Inline::Emphasis(text) => format!("<em>{}</em>", escaped(text)),
        Inline::Link(text, target) => {
            format!("<a href=\"{}\" rel=\"noreferrer\">{}</a>", escaped(target), escaped(text))
        }
    });
    each.collect()
}

/// Text in HTML, in attributes too.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
