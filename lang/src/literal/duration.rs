//! Time spans as systemd writes them: `90s`, `1h30m`, `2 days`. A unit is always written.

use std::time::Duration;

use nom::Parser;
use nom::bytes::complete::take_while;
use nom::character::complete::{alpha1, digit1, space0};
use nom::combinator::{cut, opt};
use nom::multi::many1;
use nom::sequence::preceded;

use super::fault::{Fault, LiteralError, Parsed, expect, whole};

/// The names of each unit and its length in microseconds.
const UNITS: [(&[&str], u64); 7] = [
    (&["us", "usec"], 1),
    (&["ms", "msec"], 1_000),
    (&["s", "sec", "second", "seconds"], 1_000_000),
    (&["m", "min", "minute", "minutes"], 60_000_000),
    (&["h", "hr", "hour", "hours"], 3_600_000_000),
    (&["d", "day", "days"], 86_400_000_000),
    (&["w", "week", "weeks"], 604_800_000_000),
];

/// A time span: numbers with units, added up.
pub fn duration(text: &str) -> Result<Duration, LiteralError> {
    whole("a duration", text, |input| {
        let (rest, parts) = many1(preceded(space0, part)).parse(input)?;
        let (rest, _) = space0(rest)?;
        // `many1` stops quietly at a part that is none; parse it once more for its words.
        if !rest.is_empty() {
            cut(part).parse(rest)?;
        }
        let total = parts.into_iter().try_fold(0u64, u64::checked_add);
        match total {
            Some(micros) => Ok((rest, Duration::from_micros(micros))),
            None => Fault::said(input, input.len(), "too long to be counted").fatal(),
        }
    })
}

fn part(input: &str) -> Parsed<'_, u64> {
    let (after, digits) = expect("a number", digit1).parse(input)?;
    let (unit, _) = space0(after)?;
    let (rest, name) = opt(alpha1).parse(unit)?;
    let Some(name) = name else {
        if !unit.is_empty() {
            let (_, ()) = cut(expect("a unit (ms, s, min, h, d, w)", never)).parse(unit)?;
        }
        return Fault::said(&input[digits.len()..], 0, "the unit is missing")
            .help(format!("write {digits}s for seconds, {digits}min for minutes"))
            .fatal();
    };
    let Some(micros) = UNITS.iter().find(|(names, _)| names.contains(&name)).map(|(_, n)| *n)
    else {
        return Fault::said(unit, name.len(), format!("`{name}` is not a unit of time"))
            .help("the units are us, ms, s, min, h, d, w")
            .fatal();
    };
    match digits.parse::<u64>().ok().and_then(|n| n.checked_mul(micros)) {
        Some(total) => Ok((rest, total)),
        None => Fault::said(input, digits.len(), "too long to be counted").fatal(),
    }
}

/// Fails on anything: used where only the words of `expect` are wanted.
fn never(input: &str) -> Parsed<'_, ()> {
    let (_, _) = take_while(|_| false).parse(input)?;
    Err(nom::Err::Error(Fault::said(input, 0, "")))
}

#[cfg(test)]
mod tests {
    use super::super::tests::show;

    #[test]
    fn durations() {
        let texts = [
            "90s",
            "1h30m",
            "2 days",
            "500ms",
            "90",
            "",
            "5 fortnights",
            "s",
            "1h30",
            "1.5h",
            "99999999999999999999s",
            "1h x",
        ];
        insta::assert_snapshot!(show(&texts, super::duration), @r"
        90s
          = 90s
        1h30m
          = 5400s
        2 days
          = 172800s
        500ms
          = 500ms
        90
          ^ the unit is missing
          help: write 90s for seconds, 90min for minutes

        ^ an empty string is not a duration
        5 fortnights
          ^^^^^^^^^^ `fortnights` is not a unit of time
          help: the units are us, ms, s, min, h, d, w
        s
        ^ not a duration: expected a number, found `s`
        1h30
            ^ the unit is missing
          help: write 30s for seconds, 30min for minutes
        1.5h
         ^ not a duration: expected a unit (ms, s, min, h, d, w), found `.`
        99999999999999999999s
        ^^^^^^^^^^^^^^^^^^^^ too long to be counted
        1h x
           ^ not a duration: expected a number, found `x`
        ");
    }
}
