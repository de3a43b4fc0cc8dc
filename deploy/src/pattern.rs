//! OpenSSH's patterns, as its configuration and its `known_hosts` files use them.

/// Whether `text` matches `pattern`, in which `*` stands for any characters and `?` for one.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // Where the last `*` was, and how much it has taken so far.
    let mut star = None;
    while let Some(&c) = text.get(t) {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&wanted) if wanted == '?' || wanted == c => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    p = at + 1;
                    t = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

/// Whether one of `patterns` matches and none of those that begin with `!` does.
pub(crate) fn list_matches<'a>(patterns: impl Iterator<Item = &'a str>, text: &str) -> bool {
    let mut matched = false;
    for pattern in patterns {
        match pattern.strip_prefix('!') {
            Some(refused) if matches(refused, text) => return false,
            Some(_) => {}
            None => matched |= matches(pattern, text),
        }
    }
    matched
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, text, expect) in [
            ("a", "a", true),
            ("A", "a", false),
            ("a", "ab", false),
            ("*", "", true),
            ("a*c", "abbc", true),
            ("a*c", "abcb", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*.example.org", "a.example.org", true),
            ("*.example.org", "example.org", false),
            ("*a*b*", "xxaxxbxx", true),
            ("192.168.1.?", "192.168.1.12", false),
        ] {
            assert_eq!(matches(pattern, text), expect, "{pattern} {text}");
        }
    }

    #[test]
    fn lists() {
        for (list, text, expect) in [
            ("a,b", "b", true),
            ("*,!b", "b", false),
            ("!b,*", "b", false),
            ("!b", "a", false),
            ("", "a", false),
        ] {
            assert_eq!(list_matches(list.split(','), text), expect, "{list} {text}");
        }
    }
}
