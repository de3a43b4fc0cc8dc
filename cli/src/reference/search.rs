//! Finding options by a path, a part of a name, or words.

use cairn_lang::{attribute_path, did_you_mean};

use super::Entry;

/// What a pattern means.
#[derive(Debug)]
pub(crate) enum Found<'e> {
    /// The path of an option, or of two that hosts declare apart; and what is inside of them.
    Option(Vec<&'e Entry>, Vec<&'e Entry>),
    /// Options that fit, best first.
    Some(Vec<&'e Entry>),
    /// Nothing; what is near.
    Nothing(Option<String>),
}

/// Looks for options; the words of a pattern may stand in a name or in a description.
pub(crate) fn search<'e>(entries: &'e [Entry], pattern: &str) -> Found<'e> {
    let path = attribute_path(pattern).unwrap_or_else(|_| steps(pattern));
    let itself: Vec<_> = entries.iter().filter(|entry| is_at(&entry.loc, &path)).collect();
    let inside = |entry: &&Entry| entry.loc.len() > path.len() && starts(&entry.loc, &path);
    if !itself.is_empty() {
        // What is hidden shows what is inside of it too.
        let open = itself.iter().all(|entry| entry.is_listed());
        let inside = entries.iter().filter(inside).filter(|entry| !open || entry.is_listed());
        return Found::Option(itself, inside.collect());
    }
    let listed = || entries.iter().filter(|entry| entry.is_listed());
    let below: Vec<_> = listed().filter(inside).collect();
    if !below.is_empty() {
        return Found::Some(below);
    }
    let words: Vec<String> = pattern.split_whitespace().map(str::to_lowercase).collect();
    let mut fitting: Vec<(u32, &Entry)> =
        listed().filter_map(|entry| Some((rank(entry, &words)?, entry))).collect();
    fitting.sort_by_key(|(rank, _)| *rank);
    if fitting.is_empty() {
        return Found::Nothing(near(entries, pattern, &path));
    }
    Found::Some(fitting.into_iter().map(|(_, entry)| entry).collect())
}

/// The names of what is no path in the language, such as `users.users.<name>.uid`.
fn steps(path: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut quoted = false;
    for c in path.trim().chars() {
        match c {
            '"' => quoted = !quoted,
            '.' if !quoted => out.push(String::new()),
            c => {
                if let Some(name) = out.last_mut() {
                    name.push(c);
                }
            }
        }
    }
    out
}

/// Whether a path leads to an option: any name fits where it has a placeholder.
fn is_at(loc: &[String], path: &[String]) -> bool {
    loc.len() == path.len() && starts(loc, path)
}

fn starts(loc: &[String], path: &[String]) -> bool {
    let fits =
        |(name, step): (&String, &String)| name == step || (is_any(name) && !step.is_empty());
    loc.len() >= path.len() && loc.iter().zip(path).all(fits)
}

/// Whether a name of an option stands for any.
fn is_any(name: &str) -> bool {
    name.starts_with('<') || name == "*"
}

/// How well an option fits all words, from 0; none if one of them is missing.
fn rank(entry: &Entry, words: &[String]) -> Option<u32> {
    let path = entry.path.to_lowercase();
    let names: Vec<String> = entry.loc.iter().map(|name| name.to_lowercase()).collect();
    let last = names.last().map(String::as_str).unwrap_or_default();
    let description = entry.description.to_lowercase();
    let mut worst = 0;
    for word in words {
        let rank = if last == *word {
            0
        } else if names.contains(word) {
            1
        } else if last.contains(word) {
            2
        } else if path.contains(word) {
            3
        } else if description.contains(word) {
            4
        } else {
            return None;
        };
        worst = worst.max(rank);
    }
    Some(worst)
}

/// What somebody may have meant: an option's path, or one of the names in them.
fn near(entries: &[Entry], pattern: &str, path: &[String]) -> Option<String> {
    let listed = || entries.iter().filter(|entry| entry.is_listed());
    let paths = did_you_mean(pattern, listed().map(|entry| entry.path.as_str()));
    let names = listed().flat_map(|entry| entry.loc.iter().map(String::as_str));
    let names = names.filter(|name| !is_any(name));
    let last = path.last().map_or(pattern, String::as_str);
    paths.or_else(|| around(entries, path)).or_else(|| did_you_mean(last, names))
}

/// The option whose value a path leads into, where that has no options of its own.
fn around(entries: &[Entry], path: &[String]) -> Option<String> {
    let leads =
        |entry: &&Entry| path.get(..entry.loc.len()).is_some_and(|above| is_at(&entry.loc, above));
    let option = entries.iter().filter(|entry| entry.is_listed()).rfind(leads)?;
    let has_others =
        |entry: &Entry| entry.loc.len() > option.loc.len() && starts(&entry.loc, &option.loc);
    let is_whole = !entries.iter().any(has_others);
    is_whole.then(|| format!("`{}` is an option, and has none inside of it", option.path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_with_quotes() {
        assert_eq!(steps("a.\"b.c\".d"), ["a", "b.c", "d"]);
        assert_eq!(steps("a b"), ["a b"]);
        let loc = |path: &str| steps(path);
        assert!(is_at(&loc("users.users.<name>.uid"), &loc("users.users.alice.uid")));
        assert!(is_at(&loc("a.*.b"), &loc("a.*.b")));
        assert!(!is_at(&loc("users.users"), &loc("users")));
        assert!(starts(&loc("users.users"), &loc("users")));
    }
}
