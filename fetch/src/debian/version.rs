//! The order of Debian's versions (deb-version(7)).

use std::cmp::Ordering;

/// Whether `a` is older or newer than `b`, or the same.
pub fn compare(a: &str, b: &str) -> Ordering {
    let (a, b) = (Parts::of(a), Parts::of(b));
    let epochs = number(a.epoch).cmp(&number(b.epoch));
    epochs.then_with(|| part(a.upstream, b.upstream)).then_with(|| part(a.revision, b.revision))
}

struct Parts<'v> {
    epoch: &'v str,
    upstream: &'v str,
    revision: &'v str,
}

impl Parts<'_> {
    fn of(version: &str) -> Parts<'_> {
        let (epoch, rest) = version.split_once(':').unwrap_or(("", version));
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
        Parts { epoch, upstream, revision }
    }
}

/// Digits by their value, without the leading zeros, however many: longer is larger.
fn number(digits: &str) -> (usize, &str) {
    let digits = digits.trim_start_matches('0');
    (digits.len(), digits)
}

/// Turns of text and digits, until one decides.
fn part(mut a: &str, mut b: &str) -> Ordering {
    loop {
        if a.is_empty() && b.is_empty() {
            return Ordering::Equal;
        }
        let (text_a, rest_a) = split(a, |c| !c.is_ascii_digit());
        let (text_b, rest_b) = split(b, |c| !c.is_ascii_digit());
        let (digits_a, after_a) = split(rest_a, |c| c.is_ascii_digit());
        let (digits_b, after_b) = split(rest_b, |c| c.is_ascii_digit());
        let order = text(text_a, text_b).then_with(|| number(digits_a).cmp(&number(digits_b)));
        if order != Ordering::Equal {
            return order;
        }
        (a, b) = (after_a, after_b);
    }
}

fn split(text: &str, inside: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|c| !inside(c)).unwrap_or(text.len()))
}

/// Letters come before all else, `~` before the end.
fn text(a: &str, b: &str) -> Ordering {
    let weight = |byte: Option<u8>| match byte {
        Some(b'~') => -1,
        None => 0,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(byte),
        Some(byte) => i32::from(byte) + 256,
    };
    let (mut a, mut b) = (a.bytes(), b.bytes());
    loop {
        let (one, other) = (a.next(), b.next());
        let order = weight(one).cmp(&weight(other));
        if order != Ordering::Equal || (one.is_none() && other.is_none()) {
            return order;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_order() {
        let versions = [
            "~~",
            "~~a",
            "~",
            "0",
            "a",
            "1.0~rc1-1",
            "1.0-1",
            "1.0-1+b1",
            "1.0-1.1",
            "1.0-2",
            "1.0a",
            "1.0+dfsg-1",
            "1.0.1",
            "1.9",
            "1.10",
            "1.0e10",
            "2:0.1",
            "10:0",
        ];
        // `1.0e10` is a letter after `1.0`: before `1.0+dfsg`.
        let mut sorted = versions.to_vec();
        sorted.sort_by(|a, b| compare(a, b));
        assert_eq!(
            sorted,
            [
                "~~",
                "~~a",
                "~",
                "0",
                "1.0~rc1-1",
                "1.0-1",
                "1.0-1+b1",
                "1.0-1.1",
                "1.0-2",
                "1.0a",
                "1.0e10",
                "1.0+dfsg-1",
                "1.0.1",
                "1.9",
                "1.10",
                "a",
                "2:0.1",
                "10:0",
            ]
        );
        assert_eq!(compare("0:1.0-0", "1.0"), Ordering::Equal);
        assert_eq!(compare("007", "7"), Ordering::Equal);
    }
}
