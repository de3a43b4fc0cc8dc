//! Version strings, compared as Nix compares them.

use std::cmp::Ordering;

use super::{Builtin, builtin};
use crate::diagnostic::Result;
use crate::eval::Evaluator;
use crate::source::Span;
use crate::value::Value;

pub(super) const TABLE: &[Builtin] = &[
    builtin("compareVersions", 2, compare_versions),
    builtin("splitVersion", 1, split_version),
    builtin("parseDrvName", 1, parse_drv_name),
];

/// The components: runs of digits, runs of anything else; dots and dashes separate.
fn components(version: &str) -> impl Iterator<Item = &str> {
    let mut rest = version;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(['.', '-']);
        let first = rest.chars().next()?;
        let digits = first.is_ascii_digit();
        let same = |c: char| c.is_ascii_digit() == digits && !matches!(c, '.' | '-');
        let end = rest.find(|c| !same(c)).unwrap_or(rest.len());
        let (component, after) = rest.split_at(end);
        rest = after;
        Some(component)
    })
}

/// A component that is a number, if it is one that fits.
fn number(component: &str) -> Option<i32> {
    component.parse().ok().filter(|_| component.starts_with(|c: char| c.is_ascii_digit()))
}

fn less(a: &str, b: &str) -> bool {
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a < b,
        (None, Some(_)) if a.is_empty() => true,
        _ if a == "pre" && b != "pre" => true,
        _ if b == "pre" => false,
        // Letters come before digits: 2.3a is older than 2.3.1.
        (None, Some(_)) => true,
        (Some(_), None) => false,
        (None, None) => a < b,
    }
}

fn compare(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (components(a), components(b));
    loop {
        let (left, right) = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (left, right) => (left.unwrap_or(""), right.unwrap_or("")),
        };
        if less(left, right) {
            return Ordering::Less;
        }
        if less(right, left) {
            return Ordering::Greater;
        }
    }
}

fn compare_versions<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let order = compare(e.expect_str(args[0], at)?, e.expect_str(args[1], at)?);
    Ok(Value::Int(order as i64))
}

fn split_version<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let version = e.expect_str(args[0], at)?;
    Ok(e.list(components(version).map(|component| e.str_in(component))))
}

fn parse_drv_name<'a>(e: &Evaluator<'a>, args: &[Value<'a>], at: Span) -> Result<Value<'a>> {
    let text = e.expect_str(args[0], at)?;
    let dash = text.char_indices().find(|(index, c)| {
        let next = text[index + c.len_utf8()..].chars().next();
        *c == '-' && next.is_some_and(|next| !next.is_ascii_alphabetic())
    });
    let (name, version) = match dash {
        Some((index, _)) => (&text[..index], &text[index + 1..]),
        None => (text, ""),
    };
    Ok(e.attrs([("name", e.str_in(name)), ("version", e.str_in(version))]))
}
