//! `match` and `split`: POSIX extended regular expressions, on a crate of another dialect.

use std::cell::RefCell;

use regex::Regex;
use rustc_hash::FxHashMap;

use super::{Builtin, builtin};
use crate::diagnostic::{Diagnostic, Result};
use crate::eval::Evaluator;
use crate::source::Span;
use crate::value::Value;

pub(super) const TABLE: &[Builtin] = &[builtin("match", 2, matches), builtin("split", 2, split)];

/// Compiled expressions of one evaluator.
#[derive(Default)]
pub(crate) struct RegexCache(RefCell<FxHashMap<String, Regex>>);

impl RegexCache {
    fn get(&self, pattern: &str, at: Span) -> Result<Regex> {
        if let Some(known) = self.0.borrow().get(pattern) {
            return Ok(known.clone());
        }
        let compiled = Regex::new(pattern).map_err(|error| {
            let text = error.to_string();
            let reason = text.lines().last().unwrap_or("it is malformed").trim();
            let message = format!("this is no regular expression: {reason}");
            Diagnostic::error("type::regex", at, message)
                .with_help("the dialect is POSIX extended, as in `grep -E`")
        })?;
        self.0.borrow_mut().insert(pattern.to_owned(), compiled.clone());
        Ok(compiled)
    }
}

/// The expression in the crate's dialect: in POSIX a backslash in brackets is itself, and there
/// is no other escape than that of a special character.
fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(escaped) => out.push_str(&regex::escape(escaped.encode_utf8(&mut [0; 4]))),
                None => out.push('\\'),
            },
            '[' => {
                out.push('[');
                out.extend(chars.next_if_eq(&'^'));
                // A bracket that comes first is itself.
                if chars.next_if_eq(&']').is_some() {
                    out.push_str("\\]");
                }
                while let Some(c) = chars.next() {
                    match c {
                        ']' => {
                            out.push(']');
                            break;
                        }
                        '[' if chars.peek() == Some(&':') => {
                            out.push('[');
                            for c in chars.by_ref() {
                                out.push(c);
                                if c == ']' {
                                    break;
                                }
                            }
                        }
                        '[' | '\\' | '&' | '~' => out.extend(['\\', c]),
                        c => out.push(c),
                    }
                }
            }
            c => out.push(c),
        }
    }
    out
}

fn group<'a>(e: &Evaluator<'a>, group: Option<regex::Match<'a>>) -> Value<'a> {
    group.map_or(Value::Null, |group| e.str_in(group.as_str()))
}

fn matches<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let pattern = e.expect_str(args[0], at)?;
    let text = e.expect_str(args[1], at)?;
    let regex = e.regexes().get(&format!("(?s)\\A(?:{})\\z", translate(pattern)), at)?;
    let Some(captures) = regex.captures(text) else { return Ok(Value::Null) };
    Ok(e.list(captures.iter().skip(1).map(|found| group(e, found))))
}

fn split<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let pattern = e.expect_str(args[0], at)?;
    let text = e.expect_str(args[1], at)?;
    let regex = e.regexes().get(&format!("(?s){}", translate(pattern)), at)?;
    let mut parts = Vec::new();
    let mut end = 0;
    for captures in regex.captures_iter(text) {
        let Some(whole) = captures.get(0) else { continue };
        parts.push(e.str_in(&text[end..whole.start()]));
        parts.push(e.list(captures.iter().skip(1).map(|found| group(e, found))));
        end = whole.end();
    }
    parts.push(e.str_in(&text[end..]));
    Ok(e.list(parts))
}

#[cfg(test)]
mod tests {
    use super::translate;

    #[test]
    fn brackets_and_escapes() {
        assert_eq!(translate(r"a\.b"), r"a\.b");
        assert_eq!(translate(r"[^]\d]"), r"[^\]\\d]");
        assert_eq!(translate("[[:space:]]*"), "[[:space:]]*");
    }
}
