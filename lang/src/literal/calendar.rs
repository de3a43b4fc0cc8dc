//! Points in time as systemd's `OnCalendar=` has them: `daily`, `Mon..Fri 08:00`, `*-*-1/7 UTC`.

use nom::Parser;
use nom::bytes::complete::{tag, take_while, take_while1};
use nom::character::complete::{char, digit1, space0};
use nom::combinator::opt;
use nom::sequence::preceded;

use super::fault::{Fault, LiteralError, Parsed, expect, whole};
use crate::diagnostic::did_you_mean;

/// A point in time that comes again and again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// The days of the week, a bit each, Monday's the lowest.
    pub weekdays: u8,
    /// The years; nothing stands for every one, here and below.
    pub years: Vec<Part>,
    /// The months.
    pub months: Vec<Part>,
    /// The days of the month.
    pub days: Vec<Part>,
    /// Whether days are counted from the end of the month.
    pub from_end: bool,
    /// The hours.
    pub hours: Vec<Part>,
    /// The minutes.
    pub minutes: Vec<Part>,
    /// The seconds, in microseconds.
    pub seconds: Vec<Part>,
    /// Where the clock hangs that this is told by.
    pub zone: Option<String>,
}

/// Some values of a field: one, a range, or every so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// The first.
    pub start: i64,
    /// The last.
    pub stop: Option<i64>,
    /// From one to the next.
    pub repeat: Option<i64>,
}

/// A part, the text from it on, and how much of that it is.
type Written<'t> = (Part, &'t str, usize);

const SECOND: i64 = 1_000_000;

/// The fields' names and bounds.
#[derive(Clone, Copy)]
struct Field {
    name: &'static str,
    from: i64,
    to: i64,
}

const YEAR: Field = Field { name: "year", from: 1970, to: 2199 };
const MONTH: Field = Field { name: "month", from: 1, to: 12 };
const DAY: Field = Field { name: "day", from: 1, to: 31 };
/// A day counted from the end of the month, which every month has.
const LAST_DAY: Field = Field { name: "day from the end", from: 1, to: 28 };
const HOUR: Field = Field { name: "hour", from: 0, to: 23 };
const MINUTE: Field = Field { name: "minute", from: 0, to: 59 };
const SECONDS: Field = Field { name: "second", from: 0, to: 60 * SECOND - 1 };

const WEEKDAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const EVERY_DAY: u8 = 0x7f;

/// The words that stand for a whole expression, as systemd knows them.
const WORDS: [&str; 13] = [
    "minutely",
    "hourly",
    "daily",
    "weekly",
    "monthly",
    "quarterly",
    "semiannually",
    "semi-annually",
    "biannually",
    "bi-annually",
    "yearly",
    "annually",
    "anually",
];

/// Areas of the time zone database, of which there are zones such as `Europe/Paris`.
const AREAS: [&str; 17] = [
    "Africa",
    "America",
    "Antarctica",
    "Arctic",
    "Asia",
    "Atlantic",
    "Australia",
    "Brazil",
    "Canada",
    "Chile",
    "Etc",
    "Europe",
    "Indian",
    "Mexico",
    "Pacific",
    "US",
    "posix",
];
/// Zones without an area.
const ZONES: [&str; 22] = [
    "UTC",
    "GMT",
    "CET",
    "EET",
    "MET",
    "WET",
    "EST",
    "MST",
    "HST",
    "EST5EDT",
    "CST6CDT",
    "MST7MDT",
    "PST8PDT",
    "UCT",
    "Universal",
    "Zulu",
    "Greenwich",
    "Japan",
    "Israel",
    "Turkey",
    "Poland",
    "Portugal",
];

/// A calendar expression.
///
/// # Errors
/// The characters that systemd would not read, or values that never come.
pub fn calendar(text: &str) -> Result<Calendar, LiteralError> {
    whole("a calendar expression", text, grammar)
}

fn grammar(input: &str) -> Parsed<'_, Calendar> {
    if input.is_empty() {
        let (_, ()) = expect("a date or a time", never)(input)?;
    }
    if let Some((rest, word)) = shorthand(input) {
        let (rest, zone) = zone(rest)?;
        return Ok((rest, Calendar { zone, ..word }));
    }
    let (rest, weekdays) = weekdays(input)?;
    let (rest, date) = date(rest)?;
    let (rest, calendar) = time(rest, date)?;
    let (rest, zone) = zone(rest)?;
    Ok((rest, Calendar { weekdays, zone, ..calendar }))
}

/// Midnight of every day.
fn midnight() -> Calendar {
    Calendar {
        weekdays: EVERY_DAY,
        years: Vec::new(),
        months: Vec::new(),
        days: Vec::new(),
        from_end: false,
        hours: vec![only(0)],
        minutes: vec![only(0)],
        seconds: vec![only(0)],
        zone: None,
    }
}

fn only(start: i64) -> Part {
    Part { start, stop: None, repeat: None }
}

fn shorthand(input: &str) -> Option<(&str, Calendar)> {
    let end = input.find(' ').unwrap_or(input.len());
    let (word, rest) = input.split_at(end);
    let word = WORDS.iter().find(|known| known.eq_ignore_ascii_case(word))?;
    let first_of = |months: &[i64]| Calendar {
        months: months.iter().copied().map(only).collect(),
        days: vec![only(1)],
        ..midnight()
    };
    let calendar = match *word {
        "minutely" => Calendar { hours: Vec::new(), minutes: Vec::new(), ..midnight() },
        "hourly" => Calendar { hours: Vec::new(), ..midnight() },
        "daily" => midnight(),
        "weekly" => Calendar { weekdays: 1, ..midnight() },
        "monthly" => first_of(&[]),
        "quarterly" => first_of(&[1, 4, 7, 10]),
        "yearly" | "annually" | "anually" => first_of(&[1]),
        _ => first_of(&[1, 7]),
    };
    Some((rest, calendar))
}

/// `Mon..Fri,Sun `: days of the week, and the space after them.
fn weekdays(input: &str) -> Parsed<'_, u8> {
    let (mut bits, mut rest, mut range): (u8, &str, Option<(usize, &str)>) = (0, input, None);
    loop {
        let word = &rest[..rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len())];
        let Some(day) = weekday(word) else {
            // No weekday at all: the date comes first.
            let ends = word.is_empty() && (rest.is_empty() || rest.starts_with(' '));
            return match range {
                None if bits == 0 && word.is_empty() => Ok((input, EVERY_DAY)),
                None if ends => after_weekdays(rest, bits),
                _ => no_weekday(rest, word, bits == 0),
            };
        };
        if let Some((from, at)) = range.take() {
            if from > day {
                let words = &at[..at.len() - rest.len() + word.len()];
                return Fault::said(at, words.len(), "the range of days ends before it starts")
                    .help("a week begins with Monday: write `Sat,Sun,Mon` for Saturday to Monday")
                    .fatal();
            }
            bits |= (from..=day).fold(0, |bits, day| bits | 1 << day);
        }
        bits |= 1 << day;
        let at = rest;
        rest = &rest[word.len()..];
        match rest.as_bytes() {
            [] | [b' ', ..] => return after_weekdays(rest, bits),
            [b'.', b'.', ..] => (rest, range) = (&rest[2..], Some((day, at))),
            [b'-', ..] => (rest, range) = (&rest[1..], Some((day, at))),
            [b',', ..] => rest = &rest[1..],
            _ => {
                let (_, ()) = expect("`..`, a comma or a space after the weekday", never)(rest)?;
            }
        }
    }
}

fn after_weekdays(rest: &str, bits: u8) -> Parsed<'_, u8> {
    let (rest, _) = space0(rest)?;
    Ok((rest, bits))
}

fn weekday(word: &str) -> Option<usize> {
    WEEKDAYS
        .iter()
        .position(|day| word.eq_ignore_ascii_case(day) || word.eq_ignore_ascii_case(&day[..3]))
}

#[cold]
fn no_weekday<'t>(rest: &'t str, word: &'t str, first: bool) -> Parsed<'t, u8> {
    if word.is_empty() {
        let (_, ()) = expect("a weekday (Mon, Tue, Wed, Thu, Fri, Sat, Sun)", never)(rest)?;
    }
    let days = WEEKDAYS.iter().flat_map(|day| [*day, &day[..3]]);
    if !first {
        let fault = Fault::said(rest, word.len(), format!("`{word}` is no weekday"));
        let near = did_you_mean(word, days);
        return fault.help(near.unwrap_or_else(|| "write Mon, Tue, Wed and so on".into())).fatal();
    }
    let message = format!("`{word}` is neither a weekday nor a word such as `daily`");
    let near = did_you_mean(word, WORDS.into_iter().chain(days));
    let words = "the words are minutely, hourly, daily, weekly, monthly, quarterly, \
                 semiannually and yearly";
    Fault::said(rest, word.len(), message).help(near.unwrap_or_else(|| words.into())).fatal()
}

/// `year-month-day` or `month-day`, with `~` for days from the end; nothing where a time follows.
fn date(input: &str) -> Parsed<'_, Calendar> {
    if let Some(rest) = input.strip_prefix('@') {
        let (rest, _) = expect("seconds since 1970", digit1).parse(rest)?;
        return Ok((rest, midnight()));
    }
    if input.is_empty() || input.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Ok((input, midnight()));
    }
    let (rest, first) = chain(input, false)?;
    if rest.is_empty() || rest.starts_with(':') {
        // A time, which needs no date.
        return Ok((input, midnight()));
    }
    let (rest, mut from_end) = dash(rest)?;
    let (rest, second) = chain(rest, false)?;
    let (rest, years, months, days) = if rest.is_empty() || rest.starts_with(' ') {
        (rest, Vec::new(), first, second)
    } else if from_end {
        let (_, ()) = expect("the end of the date: `~` stands before the day", never)(rest)?;
        return Ok((rest, midnight()));
    } else {
        let (rest, tilde) = dash(rest)?;
        from_end = tilde;
        let (rest, third) = chain(rest, false)?;
        if !(rest.is_empty() || rest.starts_with(' ')) {
            let (_, ()) = expect("a space and a time, or the end", never)(rest)?;
        }
        (rest, first, second, third)
    };
    let years = years.into_iter().map(|(part, at, len)| (in_full(part), at, len)).collect();
    let day = if from_end { LAST_DAY } else { DAY };
    let calendar = Calendar {
        years: within(years, YEAR)?,
        months: within(months, MONTH)?,
        days: within(days, day)?,
        from_end,
        ..midnight()
    };
    let (rest, _) = space0(rest)?;
    Ok((rest, calendar))
}

/// A year of two digits.
fn in_full(part: Part) -> Part {
    let full = |year: i64| match year {
        0..=69 => year + 2000,
        70..=99 => year + 1900,
        _ => year,
    };
    Part { start: full(part.start), stop: part.stop.map(full), ..part }
}

/// The sign before a month or a day; whether the day is counted from the end.
fn dash(input: &str) -> Parsed<'_, bool> {
    match input.as_bytes() {
        [b'-', ..] => Ok((&input[1..], false)),
        [b'~', ..] => Ok((&input[1..], true)),
        [b' ', ..] => Fault::said(input, 1, "a number alone is neither a date nor a time")
            .help("write dates `year-month-day`, times `hour:minute`: not as cron has it")
            .fatal(),
        [b'/', ..] => every(input),
        _ => expect("`-` in a date or `:` in a time", never)(input).map(|(rest, ())| (rest, false)),
    }
}

#[cold]
fn every<T>(input: &str) -> Parsed<'_, T> {
    Fault::said(input, 1, "`/` comes after the number to start from")
        .help("every second hour is `0/2:00`, every second day `*-*-1/2`")
        .fatal()
}

/// `hour:minute` or `hour:minute:second`; nothing is midnight.
fn time(input: &str, date: Calendar) -> Parsed<'_, Calendar> {
    if input.is_empty() || input.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Ok((input, date));
    }
    let (rest, hours) = chain(input, false)?;
    if rest.starts_with('/') {
        return every(rest);
    }
    let (rest, _) = expect("`:` between hours and minutes", char(':')).parse(rest)?;
    let (rest, minutes) = chain(rest, false)?;
    if rest.starts_with('/') {
        return every(rest);
    }
    let (rest, seconds) = opt(preceded(char(':'), |rest| chain(rest, true))).parse(rest)?;
    let seconds = seconds.unwrap_or_else(|| vec![(only(0), "", 0)]);
    let (hours, minutes) = (within(hours, HOUR)?, within(minutes, MINUTE)?);
    let calendar = Calendar { hours, minutes, seconds: within(seconds, SECONDS)?, ..date };
    Ok((rest, calendar))
}

/// `*`, or numbers and ranges with commas between.
fn chain(input: &str, fractions: bool) -> Parsed<'_, Vec<Written<'_>>> {
    if let Some(rest) = input.strip_prefix('*') {
        if rest.starts_with('/') {
            return every(rest);
        }
        // Of seconds, each whole one.
        let whole = Part { start: 0, stop: None, repeat: Some(SECOND) };
        return Ok((rest, if fractions { vec![(whole, "", 0)] } else { Vec::new() }));
    }
    let (mut rest, first) = part(input, fractions)?;
    let mut parts = vec![first];
    while let Some(more) = rest.strip_prefix(',') {
        let (after, part) = part(more, fractions)?;
        parts.push(part);
        rest = after;
    }
    Ok((rest, parts))
}

/// `5`, `1..5`, `0/15`, `1..20/3`.
fn part(input: &str, fractions: bool) -> Parsed<'_, Written<'_>> {
    let (rest, start) = number(input, fractions)?;
    let (rest, stop) = opt(preceded(tag(".."), |rest| number(rest, fractions))).parse(rest)?;
    let (rest, repeat) = opt(preceded(char('/'), |rest| number(rest, fractions))).parse(rest)?;
    let len = input.len() - rest.len();
    if repeat == Some(0) {
        return Fault::said(input, len, "a step of zero never comes to an end").fatal();
    }
    if !(rest.is_empty() || rest.starts_with([' ', ',', '-', '~', ':'])) {
        let (_, ()) = expect("`..`, `/`, a comma or the next field", never)(rest)?;
    }
    Ok((rest, (Part { start, stop, repeat }, input, len)))
}

/// A number, of seconds in microseconds.
fn number(input: &str, fractions: bool) -> Parsed<'_, i64> {
    let (rest, digits) = expect("a number or `*`", digit1).parse(input)?;
    let Some(value) = digits.parse::<i32>().ok().map(i64::from) else {
        return Fault::said(input, digits.len(), "no field is that large").fatal();
    };
    if !fractions {
        return Ok((rest, value));
    }
    let value = value * SECOND;
    let is_point = rest.starts_with('.') && !rest.starts_with("..");
    if !is_point {
        return Ok((rest, value));
    }
    let (rest, digits) = expect("digits after the point", digit1).parse(&rest[1..])?;
    // Rounded to microseconds.
    let micros = format!("0.{digits}").parse::<f64>().unwrap_or_default() * SECOND as f64;
    Ok((rest, value + micros.round() as i64))
}

/// The parts, if each of them can come to pass.
fn within<'t>(parts: Vec<Written<'t>>, field: Field) -> Result<Vec<Part>, nom::Err<Fault<'t>>> {
    let unit = if field.to == SECONDS.to { SECOND } else { 1 };
    for (part, at, len) in &parts {
        let fault = |message: String, help: Option<String>| {
            let fault = Fault::said(at, *len, message);
            nom::Err::Failure(match help {
                Some(help) => fault.help(help),
                None => fault,
            })
        };
        let takes = |value: &i64| (field.from..=field.to).contains(value);
        if let Some(bad) = [Some(part.start), part.stop].into_iter().flatten().find(|v| !takes(v)) {
            let (from, to) = (field.from / unit, field.to / unit);
            let message = format!("there is no {} {}", field.name, bad / unit);
            return Err(fault(message, Some(format!("from {from} to {to}"))));
        }
        let step = part.repeat.unwrap_or(if part.stop.is_some() { unit } else { 0 });
        let next = match field.name {
            name if name == LAST_DAY.name && part.stop.is_none() => part.start - step,
            _ => part.start + step,
        };
        let last = part.stop.map(|stop| stop - (stop - part.start).max(0) % step.max(1));
        // Where the step is longer than the range, the first value is the only one.
        let single = last == Some(part.start) && (unit == 1 || part.repeat.is_some());
        let again = takes(&next) && last.is_none_or(|last| next <= last);
        let comes = single || (step <= field.to - field.from && again);
        if !comes {
            let message = match part.stop {
                Some(stop) if stop < part.start => "the range ends before it has begun",
                _ => "the step leads past the end: the second time never comes",
            };
            return Err(fault(message.to_owned(), None));
        }
    }
    Ok(parts.into_iter().map(|(part, ..)| part).collect())
}

/// ` UTC`, ` Europe/Paris`.
fn zone(input: &str) -> Parsed<'_, Option<String>> {
    if input.is_empty() {
        return Ok((input, None));
    }
    let before = |c: char| c == ' ';
    // A date or weekdays take the spaces after them.
    let (rest, spaces) = take_while(before).parse(input)?;
    let begins = rest.starts_with(|c: char| c.is_ascii_alphabetic());
    if spaces.len() > 1 || !begins {
        let (_, ()) = expect("a time zone, or the end", never)(if begins { input } else { rest })?;
    }
    let named = |c: char| c.is_ascii_alphanumeric() || "/_+-".contains(c);
    let (rest, name) = take_while1(named).parse(rest)?;
    let known = match name.split_once('/') {
        Some((area, city)) => AREAS.contains(&area) && !city.is_empty(),
        None => ZONES.contains(&name) || name.eq_ignore_ascii_case("utc"),
    };
    if !known {
        let at = &input[spaces.len()..];
        let near = did_you_mean(name, ZONES).filter(|_| !name.contains('/'));
        return Fault::said(at, name.len(), format!("`{name}` is no time zone"))
            .help(near.unwrap_or_else(|| "zones look like `UTC` and `Europe/Paris`".into()))
            .fatal();
    }
    Ok((rest, Some(name.to_owned())))
}

/// Fails on anything: used where only the words of `expect` are wanted.
fn never(input: &str) -> Parsed<'_, ()> {
    Err(nom::Err::Error(Fault::said(input, 0, "")))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::process::Command;

    use super::super::tests::show;
    use super::calendar;

    #[test]
    fn words_for_what_is_wrong() {
        let texts = [
            "Mon..Fri 08:00",
            "",
            "dayly",
            "Mon..Fry",
            "Sat..Mon",
            "0 5 * * *",
            "*/15:00",
            "25:00",
            "*-13-01",
            "*-*-5..3",
            "*:0/60",
            "10:00:00:00",
            "Mon CEST",
            "10:00 Europe/",
            "10",
            "10:0x",
        ];
        insta::assert_snapshot!(show(&texts, |text| calendar(text).map(|_| ())), @r"
        Mon..Fri 08:00
          = ()

        ^ an empty string is not a calendar expression
        dayly
        ^^^^^ `dayly` is neither a weekday nor a word such as `daily`
          help: did you mean `daily`?
        Mon..Fry
             ^^^ `Fry` is no weekday
          help: did you mean `Fri`?
        Sat..Mon
        ^^^^^^^^ the range of days ends before it starts
          help: a week begins with Monday: write `Sat,Sun,Mon` for Saturday to Monday
        0 5 * * *
         ^ a number alone is neither a date nor a time
          help: write dates `year-month-day`, times `hour:minute`: not as cron has it
        */15:00
         ^ `/` comes after the number to start from
          help: every second hour is `0/2:00`, every second day `*-*-1/2`
        25:00
        ^^ there is no hour 25
          help: from 0 to 23
        *-13-01
          ^^ there is no month 13
          help: from 1 to 12
        *-*-5..3
            ^^^^ the range ends before it has begun
        *:0/60
          ^^^^ the step leads past the end: the second time never comes
        10:00:00:00
                ^ not a calendar expression: expected a time zone, or the end, found `:`
        Mon CEST
            ^^^^ `CEST` is no time zone
          help: did you mean `CET`?
        10:00 Europe/
              ^^^^^^^ `Europe/` is no time zone
          help: zones look like `UTC` and `Europe/Paris`
        10
          ^ not a calendar expression: expected `:` between hours and minutes, but the text ends here
        10:0x
            ^ not a calendar expression: expected `..`, `/`, a comma or the next field, found `x`
        ");
    }

    /// What systemd reads, and what it does not, with `|` between.
    const TEXTS: &str = "\
        minutely|hourly|daily|monthly|weekly|yearly|quarterly|semiannually|annually|Daily|\
        daily UTC|daily  UTC|daily |Mon|mon|Monday|Tues|Mon,Tue|Mon,|Mon..|Mon-Fri|\
        Mon..Fri,Sun 10:00|Sat..Mon|Fri..Fri|Mon 2024-01-01|2024-01-01|24-1-1|70-1-1|1969-1-1|\
        2200-01-01|*-*-*|*-*-* *:*:*|01-01|02~03|*-*~01|*-02~28|*-02~29|*-*~07/1|*-*~1..7|\
        *~*-01|10:00|10:00 |10:00:00|10:00:00.5|10:00:00.|10:0:0.1234567|10|10:|:10|25:00|\
        23:59:59|23:60|23:59:60|0/2:00|*/2:00|*:0/15|*:0/59|*:0/60|8..17:00|8..8:00|17..8:00|\
        8..17/3:00|8..9/3:00|1,5,7..9:0,30|1,,5:00|*:*:0/30|*:*:0..10|*:*:0.5..1|10:00 UTC|\
        10:00 Europe/Berlin|*:*:5..5|*:*:5..5/1|*-*~3..1|*-*-1..31/31|@1700000000|@|\
        2024-01-01T10:00|Mon *-*-* 00:00:00 UTC";

    /// What systemd refuses among the texts; nothing where there is no systemd.
    fn refused_by_systemd(texts: &[String]) -> Option<BTreeSet<String>> {
        let found = Command::new("systemd-analyze").arg("calendar").args(texts).output().ok()?;
        let said = String::from_utf8_lossy(&found.stderr);
        let name = |line: &str| {
            let (_, rest) = line.split_once("calendar specification '")?;
            Some(rest.rsplit_once("':")?.0.to_owned())
        };
        Some(said.lines().filter_map(name).collect())
    }

    #[test]
    fn as_systemd_reads_them() {
        let mut texts: Vec<String> = TEXTS.split('|').map(str::to_owned).collect();
        texts.extend(pieced_together(1500));
        let mut differ = Vec::new();
        for some in texts.chunks(200) {
            let Some(refused) = refused_by_systemd(some) else { return };
            for text in some {
                let here = calendar(text).map_err(|error| error.message);
                if here.is_ok() == refused.contains(text) {
                    differ.push(format!("{text:?}: {here:?}"));
                }
            }
        }
        assert!(differ.is_empty(), "{differ:#?}");
    }

    /// Texts made of what the grammar looks for, the same ones every time.
    fn pieced_together(count: usize) -> Vec<String> {
        let pieces: Vec<&str> =
            "Mon|Fri|Sun|..|,|-|~|/|:| | |*|*|0|1|5|12|31|2024|.5|UTC|*-*-*|10:00|daily"
                .split('|')
                .collect();
        let mut seed: u64 = 7;
        let mut next = |below: usize| {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (seed >> 33) as usize % below
        };
        let text = || {
            let length = 1 + next(8);
            (0..length).map(|_| pieces[next(pieces.len())]).collect::<String>()
        };
        // What begins with a dash is an option of the command.
        let texts = std::iter::repeat_with(text).filter(|text| !text.starts_with('-'));
        texts.take(count).collect()
    }
}
