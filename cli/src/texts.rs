//! Two versions of a file, line by line.

use similar::{ChangeTag, TextDiff};

use crate::style::{ACTION, BAD, DIM, GOOD, STRONG, paint};

/// Files above this many bytes are not compared line by line.
const LARGEST: usize = 1 << 20;

/// A unified diff as programs read it; one line where the contents are no texts.
pub(crate) fn unified(path: &str, old: &Option<Vec<u8>>, new: &Option<Vec<u8>>) -> String {
    match (text(old), text(new)) {
        (Some(before), Some(after)) => {
            let (from, to) = headers(path, old, new);
            TextDiff::from_lines(before, after).unified_diff().header(&from, &to).to_string()
        }
        _ => sizes(path, old, new),
    }
}

/// A unified diff as people read it, without a line break at the end.
pub(crate) fn coloured(path: &str, old: &Option<Vec<u8>>, new: &Option<Vec<u8>>) -> String {
    let (Some(before), Some(after)) = (text(old), text(new)) else {
        return paint(STRONG, sizes(path, old, new));
    };
    let mut lines = vec![paint(STRONG, title(path, old, new))];
    let diff = TextDiff::from_lines(before, after);
    for hunk in diff.unified_diff().context_radius(3).iter_hunks() {
        lines.push(paint(ACTION, hunk.header()));
        for change in hunk.iter_changes() {
            let line = change.value().trim_end_matches('\n');
            lines.push(match change.tag() {
                ChangeTag::Delete => paint(BAD, format_args!("-{line}")),
                ChangeTag::Insert => paint(GOOD, format_args!("+{line}")),
                ChangeTag::Equal => paint(DIM, format_args!(" {line}")),
            });
        }
    }
    lines.join("\n")
}

fn text(content: &Option<Vec<u8>>) -> Option<&str> {
    match content {
        None => Some(""),
        Some(bytes) if bytes.len() <= LARGEST => std::str::from_utf8(bytes).ok(),
        Some(_) => None,
    }
}

fn title(path: &str, old: &Option<Vec<u8>>, new: &Option<Vec<u8>>) -> String {
    match (old, new) {
        (None, _) => format!("{path} (new)"),
        (_, None) => format!("{path} (goes)"),
        _ => path.to_owned(),
    }
}

fn headers(path: &str, old: &Option<Vec<u8>>, new: &Option<Vec<u8>>) -> (String, String) {
    let name = |content: &Option<Vec<u8>>, prefix| match content {
        Some(_) => format!("{prefix}{path}"),
        None => "/dev/null".to_owned(),
    };
    (name(old, "a"), name(new, "b"))
}

fn sizes(path: &str, old: &Option<Vec<u8>>, new: &Option<Vec<u8>>) -> String {
    let size = |content: &Option<Vec<u8>>| match content {
        Some(bytes) => format!("{} bytes", bytes.len()),
        None => "nothing".to_owned(),
    };
    format!("{path}: {} become {}", size(old), size(new))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_a_file() {
        let some = |text: &str| Some(text.as_bytes().to_vec());
        insta::assert_snapshot!(unified("/etc/a", &some("a\nb\n"), &some("a\nc\n")), @"
        --- a/etc/a
        +++ b/etc/a
        @@ -1,2 +1,2 @@
         a
        -b
        +c
        ");
        insta::assert_snapshot!(unified("/etc/a", &None, &some("a\n")), @"
        --- /dev/null
        +++ b/etc/a
        @@ -0,0 +1 @@
        +a
        ");
        insta::assert_snapshot!(unified("/bin/a", &Some(vec![0xff]), &None), @"/bin/a: 1 bytes become nothing");
    }
}
