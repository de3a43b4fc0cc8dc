//! The Markdown of descriptions: paragraphs, lists, and a few kinds of marked words.

/// A part of a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Block {
    /// Words.
    Paragraph(Vec<Inline>),
    /// A list of things.
    List(Vec<Vec<Inline>>),
    /// Lines as they stand.
    Code(String),
}

/// Words of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Inline {
    /// Plain words.
    Text(String),
    /// Code, an option's name, a file.
    Code(String),
    /// Words that matter.
    Strong(String),
    /// Words said differently.
    Emphasis(String),
    /// Words that lead somewhere.
    Link(String, String),
}

/// Reads a description.
pub(crate) fn blocks(text: &str) -> Vec<Block> {
    let mut out = Vec::new();
    let (mut paragraph, mut items, mut code): (Vec<&str>, Vec<Vec<&str>>, _) =
        (Vec::new(), Vec::new(), None::<Vec<&str>>);
    for line in text.lines().chain([""]) {
        if let Some(lines) = &mut code {
            if line.trim_start().starts_with("```") {
                out.push(Block::Code(lines.join("\n")));
                code = None;
            } else {
                lines.push(line);
            }
            continue;
        }
        let item = ["- ", "* "].iter().find_map(|mark| line.trim_start().strip_prefix(mark));
        let fence = line.trim_start().starts_with("```");
        let indented = line.starts_with(' ');
        match item {
            _ if fence || line.trim().is_empty() => {
                finish(&mut paragraph, &mut items, &mut out);
                code = fence.then(Vec::new);
            }
            Some(item) => {
                finish(&mut paragraph, &mut Vec::new(), &mut out);
                items.push(vec![item]);
            }
            None => match items.last_mut() {
                Some(item) if indented => item.push(line.trim()),
                _ => {
                    finish(&mut Vec::new(), &mut items, &mut out);
                    paragraph.push(line.trim());
                }
            },
        }
    }
    // A fence that nobody closed.
    out.extend(code.map(|lines| Block::Code(lines.join("\n").trim_end().to_owned())));
    out
}

fn finish(paragraph: &mut Vec<&str>, items: &mut Vec<Vec<&str>>, out: &mut Vec<Block>) {
    if !paragraph.is_empty() {
        out.push(Block::Paragraph(inline(&paragraph.join(" "))));
        paragraph.clear();
    }
    if !items.is_empty() {
        out.push(Block::List(items.iter().map(|item| inline(&item.join(" "))).collect()));
        items.clear();
    }
}

/// Reads words on one line.
pub(crate) fn inline(text: &str) -> Vec<Inline> {
    let mut out = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let found = match first {
            '`' => code(rest),
            // `{option}` and the like before code say what it is.
            '{' => role(rest),
            '*' => {
                marked(rest, "**", Inline::Strong).or_else(|| marked(rest, "*", Inline::Emphasis))
            }
            '[' => link(rest),
            _ => None,
        };
        match found {
            Some((inline, after)) => {
                if !plain.is_empty() {
                    out.push(Inline::Text(std::mem::take(&mut plain)));
                }
                out.push(inline);
                rest = after;
            }
            None => {
                plain.push(first);
                rest = rest.get(first.len_utf8()..).unwrap_or_default();
            }
        }
    }
    if !plain.is_empty() {
        out.push(Inline::Text(plain));
    }
    out
}

fn code(text: &str) -> Option<(Inline, &str)> {
    let ticks = text.len() - text.trim_start_matches('`').len();
    let (fence, inside) = text.split_at_checked(ticks)?;
    let (code, after) = inside.split_once(fence)?;
    Some((Inline::Code(code.trim().to_owned()), after))
}

fn role(text: &str) -> Option<(Inline, &str)> {
    let (name, after) = text.strip_prefix('{')?.split_once('}')?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase());
    if is_name && after.starts_with('`') { code(after) } else { None }
}

fn marked<'t>(
    text: &'t str,
    mark: &str,
    kind: impl Fn(String) -> Inline,
) -> Option<(Inline, &'t str)> {
    let (words, after) = text.strip_prefix(mark)?.split_once(mark)?;
    let tight = !words.is_empty() && words.trim() == words;
    tight.then(|| (kind(words.to_owned()), after))
}

fn link(text: &str) -> Option<(Inline, &str)> {
    let (words, after) = text.strip_prefix('[')?.split_once("](")?;
    let (target, after) = after.split_once(')')?;
    let safe = ["https://", "http://", "#"].iter().any(|start| target.starts_with(start));
    let words = if words.is_empty() { target } else { words };
    safe.then(|| (Inline::Link(words.to_owned(), target.to_owned()), after))
}

/// The words without any marks, and its first sentence alone.
pub(crate) fn summary(description: &str) -> String {
    let first = blocks(description).into_iter().find_map(|block| match block {
        Block::Paragraph(inlines) => Some(inlines),
        _ => None,
    });
    let mut out = String::new();
    for inline in first.into_iter().flatten() {
        match inline {
            Inline::Text(words) => {
                if let Some(end) = words.find(". ") {
                    out.push_str(words.get(..=end).unwrap_or_default());
                    return out;
                }
                out.push_str(&words);
            }
            Inline::Code(words)
            | Inline::Strong(words)
            | Inline::Emphasis(words)
            | Inline::Link(words, _) => out.push_str(&words),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions() {
        let text = "Whether `a` holds; see {option}`b.c` and\n[the manual](https://x.org/y).\n\nOne of:\n\n- **first**,\n  at once\n- *last*\n\n```nix\n{ a = 1; }\n```\nThe *end* of 2 * 3 * 4, `open";
        let shown: Vec<String> = blocks(text).iter().map(|block| format!("{block:?}")).collect();
        insta::assert_snapshot!(shown.join("\n"), @r#"
        Paragraph([Text("Whether "), Code("a"), Text(" holds; see "), Code("b.c"), Text(" and "), Link("the manual", "https://x.org/y"), Text(".")])
        Paragraph([Text("One of:")])
        List([[Strong("first"), Text(", at once")], [Emphasis("last")]])
        Code("{ a = 1; }")
        Paragraph([Text("The "), Emphasis("end"), Text(" of 2 * 3 * 4, `open")])
        "#);
        assert_eq!(summary("The `x` of y. More.\n"), "The x of y.");
        assert_eq!(summary(""), "");
        // Nothing but what the page may lead to.
        assert_eq!(inline("[a](javascript:b)"), [Inline::Text("[a](javascript:b)".to_owned())]);
    }
}
